"""YAML as the documents and scenarios here mean it: safe, and a date stays the text that it is."""

from __future__ import annotations

from typing import Any

import yaml

__all__ = ["PlainLoader"]

#: That of libyaml, which is far faster, where PyYAML came with it.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PlainLoader(_SafeLoader):  # type: ignore[misc]
    """Makes plain values only."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the parser's own way to configure a class
        first: [entry for entry in entries if entry[0] != "tag:yaml.org,2002:timestamp"]
        for first, entries in _SafeLoader.yaml_implicit_resolvers.items()
    }
