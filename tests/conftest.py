"""Hypothesis repeats itself: the same examples in every run, and none judged by its time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
