"""A receiver may ask for what was recorded, in its own words, and for nothing else."""

from __future__ import annotations

import pytest

from mockzoom.core.codes import MediaType
from mockzoom.core.handshake import Rejected
from mockzoom.core.media_params import grant
from mockzoom.core.rehearsed import check_request

GRANTED = {"media_params": grant((MediaType.AUDIO,), {"audio": {"data_opt": 2}})}


def ask(audio: object, media_type: int = 1) -> dict[str, object]:
    params = audio if audio is None else {"audio": audio}
    return {"msg_type": 3, "media_type": media_type, "media_params": params}


RECORDED = ask({"data_opt": 2, "send_rate": 20})


@pytest.mark.parametrize(
    "audio", [{"data_opt": 2, "send_rate": 20}, {"data_opt": 2}, {"codec": 1}, {}, None]
)
def test_the_same_in_other_words(audio):
    """Parameters that are left out are not asked for, and so do not differ."""
    check_request(RECORDED, GRANTED, ask(audio))


def test_what_was_granted_otherwise_then_is_so_now():
    """Word for word the same request is right, whatever the server had made of it."""
    check_request(ask({"codec": 4}), GRANTED, ask({"codec": 4}))


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        (ask({}, media_type=2), 7, "expected media_type 1, as recorded, found 2"),
        (ask({"codec": 4, "data_opt": 2}), 17, "expected audio.codec 1, as recorded, found"),
        (
            ask({"data_opt": 1}),
            17,
            "expected audio.data_opt 2, as recorded, found audio.data_opt 1",
        ),
        (ask({"send_rate": 7}), 24, "send_rate"),
        (ask({"codec": 9}), 22, "codec"),
        ({"media_type": 1, "media_params": [4]}, 17, "media_params"),
    ],
)
def test_what_differs_is_refused(request_, status, reason):
    """By the status that names it, in words that say what the recording has."""
    with pytest.raises(Rejected) as rejected:
        check_request(RECORDED, GRANTED, request_)
    assert rejected.value.status == status
    assert reason in str(rejected.value)
