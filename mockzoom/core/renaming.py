"""New ids for old ones: the same for the same, and in the same shape.

A recording must not hold the ids of a real account, and no app may be sent the ids of a recording a
second time.  Both are the same work: walk through a message, and put something else in the place
of each value that identifies somebody.  Which values do is known by the names of their fields:
those that `ZoomIds` can make, and those that end as ids do.  A text that was seen under such a name
is known by its value wherever it stands from then on, because the official SDK puts the ids of all
products under `meeting_uuid`.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable
from typing import Any

from mockzoom.core.server_urls import FIELD
from mockzoom.core.zoom_ids import ZoomIds

__all__ = ["Renaming", "rewritten"]

#: What `ZoomIds` can make that is no id.
_NO_IDS = {"user_name", FIELD, "client_secret", "secret_token"}

_KNOWN = {name for name in vars(ZoomIds) if not name.startswith("_")} - _NO_IDS

#: How the names of all other ids end.
_ENDINGS = ("_id", "_uuid")

_HEX = set(string.hexdigits[:16])

#: Shorter texts of these letters are rather words than hexadecimal numbers.
_HEX_CHARS = 16

#: How often another value is drawn in the place of one that is taken.  A text of a letter or two
#: has few others; then two may become one.
_TRIES = 100

#: Whoever is named by it is nobody: the mix of all voices is user 0.
_NOBODY = (0, "")


class Renaming:
    """Remembers what it has put in the place of what; `ids` makes the new ones."""

    def __init__(self, ids: ZoomIds) -> None:
        self._ids = ids
        self._new: dict[object, Any] = {}
        self._taken: set[object] = set()
        self._names: Counter[str] = Counter()

    def id(self, field: str, value: Any) -> Any:
        """What stands for `value` of `field`: itself, unless it is an id or known as one."""
        if isinstance(value, bool) or not isinstance(value, str | int) or value in _NOBODY:
            return value
        # A number is an id only under its field's name, a text wherever it is met again.
        key = value if isinstance(value, str) else (field, value)
        if key in self._new:
            return self._new[key]
        return self._instead(key, lambda: self._made(field, value)) if _is_id(field) else value

    def disguised(self, text: str) -> str:
        """What stands for `text`, of which only the shape is known: other letters and digits."""
        return str(self._instead(text, lambda: self._in_shape_of(text))) if text else text

    def named(self, text: str, label: str) -> str:
        """What stands for a name: `label` with a number, which is another for each name."""
        return str(self._instead(text, lambda: self._next(label))) if text else text

    def _instead(self, key: object, make: Callable[[], Any]) -> Any:
        if key not in self._new:
            new = make()
            for _ in range(_TRIES):
                if new not in self._taken and new != key:
                    break
                new = make()
            self._new[key] = new
            self._taken.add(new)
        return self._new[key]

    def _next(self, label: str) -> str:
        self._names[label] += 1
        return f"{label} {self._names[label]}"

    def _made(self, field: str, value: str | int) -> str | int:
        """A new id for `field`; where `value` is not what that field holds, one in its shape."""
        if field in _KNOWN:
            new: str | int = getattr(self._ids, field)()
            if type(new) is type(value):
                return new
        shaped = self._in_shape_of(str(value))
        return shaped if isinstance(value, str) else int(f"{str(value)[0]}{shaped[1:]}")

    def _in_shape_of(self, text: str) -> str:
        hexadecimal = len(text) >= _HEX_CHARS and set(text) <= _HEX and not text.isdigit()
        return "".join(self._like(char, hexadecimal) for char in text)

    def _like(self, char: str, hexadecimal: bool) -> str:
        alphabet = string.ascii_lowercase
        if hexadecimal:
            alphabet = string.hexdigits[:16]
        elif char.isdigit():
            alphabet = string.digits
        elif char.isupper():
            alphabet = string.ascii_uppercase
        elif char.isascii() and not char.isalpha():
            return char
        return self._ids.random.choice(alphabet)


def rewritten(value: Any, change: Callable[[str, Any], Any], field: str = "") -> Any:
    """A copy of JSON `value`: each scalar is what `change` makes of its field's name and itself.

    Items of a list go under the name of the list, and URLs under `server_urls`.
    """
    if isinstance(value, dict):
        return {
            key: rewritten(child, change, field if field == FIELD else key)
            for key, child in value.items()
        }
    if isinstance(value, list):
        return [rewritten(child, change, field) for child in value]
    return change(field, value)


def _is_id(field: str) -> bool:
    return field in _KNOWN or field == "id" or field.endswith(_ENDINGS)
