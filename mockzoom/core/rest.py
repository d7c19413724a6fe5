"""The vendor's REST: its document, and what may differ from app to app."""

from __future__ import annotations

from dataclasses import dataclass

from mockzoom.core.operations import ApiDocument, read_api

__all__ = ["RestPolicy", "load_rest"]


@dataclass(frozen=True)
class RestPolicy:
    """What differs from app to app: its scopes, None for all, and a limit of requests, if any."""

    scopes: tuple[str, ...] | None = None
    requests_per_s: int | None = None


def load_rest() -> ApiDocument:
    """The operations of `spec/zoom-rest.openapi.yaml`."""
    return read_api("zoom-rest.openapi.yaml")
