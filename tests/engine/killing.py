"""The end of a process, without the process."""

from __future__ import annotations

from mockzoom.engine.store import StateFile


def kill(store: StateFile) -> None:
    """End without a commit, as `kill -9` does: what is not in the file by now is gone."""
    store._usable = False
    store._db.close()
