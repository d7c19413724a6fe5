"""Ids in Zoom's shapes, repeatable."""

from __future__ import annotations

import re
from base64 import b64decode

import pytest

from mockzoom.core.zoom_ids import ZoomIds

SHAPES = {
    "meeting_uuid": r"[A-Za-z0-9+/]{22}==",
    "webinar_uuid": r"[A-Za-z0-9+/]{22}==",
    "session_id": r"[A-Za-z0-9+/]{22}==",
    "engagement_id": r"[\w-]{22}",
    "meeting_id": r"[1-9]\d{8,10}",
    "webinar_id": r"[1-9]\d{8,10}",
    "session_key": r"[A-Z0-9]{12}",
    "rtms_stream_id": r"[0-9a-f]{32}",
    "rtms_session_id": r"[\w-]{22}",
    "account_id": r"[\w-]{22}",
    "operator_id": r"[\w-]{22}",
    "user_id": r"\d{8,9}",
    "user_name": r"\w+",
    "server_urls": r"wss://rtms-[a-z]{4}\.example\.com:443",
    "call_id": r"\d{19}",
    "client_id": r"[\w-]{22}",
    "client_secret": r"[\w-]{32}",
    "secret_token": r"[\w-]{22}",
    "subscription_id": r"[\w-]{22}",
}


def test_every_id_has_its_shape_here() -> None:
    """A method without a shape in this test would go unchecked."""
    public = {name for name in vars(ZoomIds) if not name.startswith("_")}
    assert public == set(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_ids_have_the_shape_of_the_vendors(name: str) -> None:
    """Two hundred values of each, hardly ever the same one twice."""
    ids = ZoomIds(1)
    values = [str(getattr(ids, name)()) for _ in range(200)]
    assert all(re.fullmatch(SHAPES[name], value, re.ASCII) for value in values), values
    assert len(set(values)) > 190 or name == "user_name"


def test_the_same_seed_gives_the_same_ids() -> None:
    """And another seed, or none, gives others."""
    first, again, other = ZoomIds(7), ZoomIds(7), ZoomIds(8)
    sequence = [getattr(first, name)() for name in SHAPES]
    assert sequence == [getattr(again, name)() for name in SHAPES]
    assert sequence != [getattr(other, name)() for name in SHAPES]
    assert ZoomIds().meeting_uuid() != ZoomIds().meeting_uuid()


def test_ids_that_are_hard_to_carry_do_occur() -> None:
    """Uuids are 16 bytes, some hold the slash that breaks URLs; users fit into 32 bits."""
    ids = ZoomIds(1)
    uuids = [ids.meeting_uuid() for _ in range(200)]
    assert all(len(b64decode(uuid)) == 16 for uuid in uuids)
    assert any("/" in uuid for uuid in uuids)
    assert all(ids.user_id() < 2**31 for _ in range(200))
