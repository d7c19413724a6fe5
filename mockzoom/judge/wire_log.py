"""What was said on the sockets of one stream, a line a message, told so that every run tells it.

Which of two sockets opens first, where news come between questions and answers, and how often a
receiver knocks before nobody waits any longer: that is a matter of milliseconds, and nobody wants
to know it.  So sockets are told one after another, each by its key and its number among those with
this key; of many with one key the first few are enough.  Of a socket first what was asked and
answered is told, in order, then the news, by their text; what is said again is told once; and of
keep-alives only what is missing or wrong, on the first socket with its key on which it is.  Numbers
by which a receiver counts the messages of all its sockets are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mockzoom.core.codes import MessageType
from mockzoom.core.messages import encode
from mockzoom.core.sockets import SIGNALING
from mockzoom.judge.repeatable import timeless

__all__ = ["ENOUGH", "Entry", "is_keep_alive", "names", "place", "renamed", "wire_log"]

T = MessageType
Entry = Mapping[str, Any]

#: Key and number of each socket, by its `conn`.
Names = Mapping[int, tuple[str, int]]

#: So many sockets with one key say what there is to say; the others try it again.
ENOUGH = 3

_SHOWN_MESSAGES = 12
_SHOWN_CHARS = 240

#: How the mock names a socket, in findings and in refusals.
_SOCKET = re.compile(r"\bsocket #(\d+)")

#: What the mock says when it happens, whatever the receiver is saying.
_NEWS = tuple(kind.name for kind in (T.EVENT_UPDATE, T.STREAM_STATE_UPDATE, T.SESSION_STATE_UPDATE))

_ASKED = T.KEEP_ALIVE_REQ.name
_ANSWERED = T.KEEP_ALIVE_RESP.name


def is_keep_alive(entry: Entry) -> bool:
    """Whether it is one, or the answer to one."""
    return entry["kind"] == "message" and entry["name"] in (_ASKED, _ANSWERED)


def names(entries: Iterable[Entry]) -> Names:
    """Key and number of each socket that was opened, in the order in which they are told."""
    opened = [e for e in entries if e["kind"] == "socket" and e["happened"] == "opened"]
    count: Counter[str] = Counter()
    found = {}
    for entry in opened:
        count[entry["socket"]] += 1
        found[entry["conn"]] = (entry["socket"], count[entry["socket"]])
    return dict(sorted(found.items(), key=lambda item: (item[1][0] != SIGNALING, *item[1])))


def renamed(text: str, of: Names) -> str:
    """`text` of the mock's, with the names that its sockets have here."""

    def number(found: re.Match[str]) -> str:
        return f"socket #{of[conn][1]}" if (conn := int(found[1])) in of else "socket"

    return _SOCKET.sub(number, text)


def place(where: str, of: Names) -> int:
    """Which of the sockets a finding's `where` names, from 0 in their order; -1 if none."""
    found = _SOCKET.search(where)
    return list(of).index(int(found[1])) if found and int(found[1]) in of else -1


def wire_log(entries: Sequence[Entry], where: str = "") -> tuple[str, ...]:
    """What was said on the sockets of the stream that `entries` are about.

    That is on all of them, or on the one that a finding's `where` names.
    """
    of = names(entries)
    wanted = [conn for conn, (_, number) in of.items() if number <= ENOUGH]
    if (alone := place(where, of)) >= 0:
        wanted = [list(of)[alone]]
    lines: list[str] = []
    dead: set[str] = set()
    for conn in wanted:
        key, number = of[conn]
        said = [e for e in entries if e["kind"] == "message" and e["conn"] == conn]
        lines += _talk(said, f"{key} #{number}")
        missed = list(_keep_alives(said, f"{key} #{number}"))
        if missed and key not in dead:
            dead.add(key)
            lines += missed
    return tuple(renamed(line, of) for line in lines)


def _talk(said: Sequence[Entry], socket: str) -> Iterator[str]:
    """What was said on one socket, but for keep-alives."""
    asked: list[str] = []
    news: list[str] = []
    for entry in said:
        if not is_keep_alive(entry):
            is_news = entry["way"] == "out" and entry["name"] in _NEWS
            (news if is_news else asked).append(_line(_uncounted(entry), socket))
    for lines in (asked, sorted(news)):
        yield from _once(lines, socket)


def _once(lines: Iterable[str], socket: str) -> Iterator[str]:
    times = Counter(lines)
    for line in list(times)[:_SHOWN_MESSAGES]:
        yield f"{line} (more than once)" if times[line] > 1 else line
    if len(times) > _SHOWN_MESSAGES:
        yield f"more on {socket} …"


def _keep_alives(said: Sequence[Entry], socket: str) -> Iterator[str]:
    """The first that was not answered before the next one, and the first answer to none."""
    asked = [entry for entry in said if entry["name"] == _ASKED]
    answers = [entry for entry in said if entry["name"] == _ANSWERED]
    stamps = [entry["message"].get("timestamp") for entry in answers]
    for entry in asked[:-1]:
        if entry["message"].get("timestamp") not in stamps:
            yield f"{_line(entry, socket)} (never answered)"
            break
    known = [entry["message"].get("timestamp") for entry in asked]
    for entry in answers:
        if entry["message"].get("timestamp") not in known:
            yield f"{_line(entry, socket)} (answers none)"
            break


def _uncounted(entry: Entry) -> Entry:
    """A message that is no keep-alive, without the number that it has among all."""
    message = entry["message"]
    if not isinstance(message.get("sequence"), int):
        return entry
    return {**entry, "message": {**message, "sequence": "…"}}


def _line(entry: Entry, socket: str) -> str:
    who = "receiver" if entry["way"] == "in" else "zoom"
    text = timeless(encode(entry["message"]))
    shown = text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
    return f"{who} on {socket}: {entry['name']} {shown}"
