"""What is granted for what is asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.codes import MediaType, StatusCode
from mockzoom.core.media_params import Refused, grant, media_types
from mockzoom.core.messages import MEDIA_KEYS
from mockzoom.core.protocol import load_protocol

C = StatusCode
SINGLE = tuple(media for media in MediaType if media is not MediaType.ALL)

DEFAULTS = {
    "audio": {
        "content_type": 2,
        "sample_rate": 1,
        "channel": 1,
        "codec": 1,
        "data_opt": 1,
        "send_rate": 20,
    },
    "video": {"content_type": 3, "codec": 5, "resolution": 2, "data_opt": 3, "fps": 5},
    "deskshare": {"content_type": 3, "codec": 5, "resolution": 3, "fps": 1},
    "transcript": {"content_type": 5, "src_language": 9, "enable_lid": True},
    "chat": {"content_type": 5},
}
KINDS = {key: media for media, key in MEDIA_KEYS.items()}


def granted(key: str, **asked: Any) -> Any:
    return grant((KINDS[key],), {key: asked})[key]


@pytest.mark.parametrize(
    ("asked", "types"),
    [
        (1, (MediaType.AUDIO,)),
        (9, (MediaType.AUDIO, MediaType.TRANSCRIPT)),
        (31, SINGLE),
        (32, SINGLE),
        (0, ()),
        (-1, ()),
        (33, ()),
        (64, ()),
    ],
)
def test_a_mask_is_taken_apart(asked: int, types: tuple[MediaType, ...]) -> None:
    """1 to 16 are bits, 32 is a value of its own, and nothing else is a mask."""
    assert media_types(asked) == types


@pytest.mark.parametrize("asked", [None, {}, dict.fromkeys(DEFAULTS)])
def test_nothing_asked_is_every_default(asked: Any) -> None:
    """Absent, empty and null parameters are the defaults of the protocol."""
    assert grant(SINGLE, asked) == DEFAULTS


@pytest.mark.parametrize("key", DEFAULTS)
def test_a_null_value_is_its_default(key: str) -> None:
    """A parameter that is null is as good as absent."""
    assert granted(key, **dict.fromkeys(DEFAULTS[key])) == DEFAULTS[key]


SDK = [
    ("audio", {"channel": 2, "codec": 4, "content_type": 2, "data_opt": 2, "sample_rate": 3}, {}),
    ("audio", {"channel": 1, "codec": 1, "data_opt": 1, "sample_rate": 1, "send_rate": 100}, {}),
    ("video", {"codec": 7, "content_type": 3, "data_opt": 3, "fps": 30, "resolution": 2}, {}),
    ("video", {"codec": 5, "fps": 5, "data_opt": 4}, {}),
    ("deskshare", {"codec": 7, "content_type": 3, "fps": 30, "resolution": 2}, {}),
    ("deskshare", {"codec": 5, "fps": 1, "resolution": 3}, {}),
    ("transcript", {"content_type": 5, "enable_lid": False, "src_language": 0}, {}),
]
CUT_DOWN = [
    ("audio", {"send_rate": 1020}, {"send_rate": 1000}),
    ("audio", {"send_rate": 2**31 - 8}, {"send_rate": 1000}),
    ("audio", {"codec": 4, "send_rate": 200}, {"send_rate": 120, "sample_rate": 3}),
    ("audio", {"codec": 2, "sample_rate": 3}, {"sample_rate": 0}),
    ("audio", {"codec": 3, "sample_rate": 0}, {"sample_rate": 1}),
    ("audio", {"codec": 4, "sample_rate": 1, "channel": 2}, {"sample_rate": 3}),
    ("video", {"fps": 25}, {"codec": 5, "fps": 5}),
    ("video", {"fps": 3}, {"codec": 5}),
    ("deskshare", {"fps": 8}, {"codec": 5, "fps": 1}),
    ("transcript", {"src_language": -1, "target_language": 36}, {}),
]


@pytest.mark.parametrize(("key", "asked", "changed"), SDK + CUT_DOWN)
def test_what_can_be_granted_is_granted(
    key: str, asked: dict[str, Any], changed: dict[str, Any]
) -> None:
    """The official SDK gets what it asks for; what goes too far is cut down, and said so."""
    assert granted(key, **asked) == DEFAULTS[key] | asked | changed


REFUSED = [
    ("audio", {"content_type": 5}, 19),
    ("audio", {"sample_rate": 4}, 20),
    ("audio", {"sample_rate": True}, 20),
    ("audio", {"sample_rate": 1.0}, 20),
    ("audio", {"channel": 0}, 21),
    ("audio", {"channel": 2, "codec": 2}, 21),
    ("audio", {"codec": "4"}, 22),
    ("audio", {"data_opt": 4}, 23),
    ("audio", {"send_rate": 0}, 24),
    ("audio", {"send_rate": -20}, 24),
    ("audio", {"send_rate": 2**40}, 24),
    ("video", {"codec": 7, "fps": 5}, 30),
    ("video", {"codec": 6, "fps": 6}, 30),
    ("video", {"fps": 31}, 30),
    ("video", {"fps": 0}, 30),
    ("video", {"data_opt": 2}, 29),
    ("deskshare", {"codec": 6, "fps": 2}, 35),
    ("deskshare", {"codec": []}, 33),
    ("transcript", {"src_language": 37}, 43),
    ("transcript", {"src_language": False}, 43),
    ("transcript", {"target_language": -2}, 46),
    ("transcript", {"enable_lid": "true"}, 36),
    ("transcript", {"content_type": 4}, 37),
    ("chat", {"content_type": 4}, 39),
]


@pytest.mark.parametrize(("key", "asked", "status"), REFUSED)
def test_what_is_no_value_is_refused(key: str, asked: dict[str, Any], status: int) -> None:
    """Each parameter has a code for what the protocol does not know."""
    with pytest.raises(Refused) as refused:
        granted(key, **asked)
    assert refused.value.status == status
    assert refused.value.reason.partition(":")[0] in asked


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ([], C.INVALID_MEDIA_PARAMS),
        ("audio", C.INVALID_MEDIA_PARAMS),
        ({"sound": {}}, C.INVALID_MEDIA_PARAMS),
        ({"all": {}}, C.INVALID_MEDIA_PARAMS),
        ({"audio": []}, C.INVALID_MEDIA_AUDIO_PARAMS),
        ({"video": 1}, C.INVALID_MEDIA_VIDEO_PARAMS),
        ({"deskshare": ""}, C.INVALID_MEDIA_DESKSHARE_PARAMS),
        ({"transcript": True}, C.INVALID_MEDIA_TRANSCRIPT_PARAMS),
        ({"chat": 0}, C.INVALID_MEDIA_CHAT_PARAMS),
    ],
)
def test_what_is_no_object_is_refused(asked: Any, status: StatusCode) -> None:
    """Parameters come as an object with an object a media type."""
    with pytest.raises(Refused) as refused:
        grant(SINGLE, asked)
    assert refused.value.status == status


def test_parameters_of_other_types_are_passed_over() -> None:
    """A socket looks at the parameters of what it carries."""
    assert grant((MediaType.CHAT,), {"audio": {"codec": 99}}) == {"chat": {"content_type": 5}}


VALUES = st.none() | st.integers(-2, 40) | st.sampled_from([1000, 2000]) | st.booleans()


@given(
    st.sampled_from(list(DEFAULTS)).flatmap(
        lambda key: st.tuples(
            st.just(key), st.fixed_dictionaries({}, optional=dict.fromkeys(DEFAULTS[key], VALUES))
        )
    )
)
def test_every_grant_keeps_the_protocol(asked: tuple[str, dict[str, Any]]) -> None:
    """Whatever is asked is refused with a code, or granted in values that the protocol has."""
    key, params = asked
    try:
        params = grant((KINDS[key],), {key: params})
    except Refused:
        return
    answer = {
        "msg_type": 4,
        "protocol_version": 1,
        "sequence": 0,
        "status_code": 0,
        "reason": "",
        "payload_encrypted": False,
        "media_params": params,
    }
    assert load_protocol().problems(answer) == []
