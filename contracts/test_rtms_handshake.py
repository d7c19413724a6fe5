"""From the started webhook to the first media: who dials where, and what is said there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from mockzoom.core.codes import MediaType, MessageType
from mockzoom.core.products import ID_FIELDS
from mockzoom.judge.contract import MUST, SHOULD, Broken, contract
from mockzoom.judge.evidence import Evidence
from mockzoom.judge.stage import Stage
from mockzoom.judge.staged_stream import StagedStream

PROTOCOL = "spec/rtms-protocol.asyncapi.yaml"
T = MessageType

every_product = pytest.mark.parametrize(
    "product",
    [
        pytest.param(name, marks=pytest.mark.needs(name))
        for name in ("meeting", "webinar", "session", "contact_center")
    ],
)


def shaken(stage: Stage, product: str) -> StagedStream:
    """A stream of `product` of which every handshake was answered, whatever the answers."""
    stream = stage.begin(product)
    with suppress(Broken):
        stream.is_ready()
    seen = stream.evidence
    seen.demand(seen.told(T.SIGNALING_HAND_SHAKE_RESP), f"a signaling handshake of a {product}")
    return stream


@contract(
    "RT-101",
    MUST,
    source="Zoom's docs: working with streams",
    loses="Nothing is ever heard: a stream that nobody joins is stopped after a minute.",
    needs=("rtms",),
)
def test_it_connects_after_the_start(first_stream: Evidence) -> None:
    """A started webhook makes it open a signaling socket, within Zoom's window."""
    first_stream.demand(
        first_stream.signaling,
        "a signaling socket on the URL of the started webhook",
        f"none; webhooks: {[(w['event'], w['outcome']) for w in first_stream.webhooks('started')]}",
    )
    first_stream.keeps("rtms.connect")


@contract(
    "RT-102",
    MUST,
    source=f"{PROTOCOL}: SIGNALING_HAND_SHAKE_REQ, DATA_HAND_SHAKE_REQ",
    loses="Streams of this product are refused, with INVALID_RTMS_STREAM_ID.",
    needs=("rtms",),
    gotchas=(11,),
)
@every_product
def test_handshakes_carry_the_id_of_the_product(opening: Stage, product: str) -> None:
    """Both handshakes name what is streamed by the id that its webhooks carry."""
    stream = shaken(opening, product)
    stream.keeps("rtms.id", "rtms.stream-id")
    seen = stream.evidence
    for asked in (*seen.said(T.SIGNALING_HAND_SHAKE_REQ), *seen.said(T.DATA_HAND_SHAKE_REQ)):
        given = {asked["message"].get(name) for name in ID_FIELDS} - {None}
        wanted = stream.meeting.ids[stream.product.id_field]
        found = ", ".join(sorted(map(str, given))) or "none"
        seen.demand(given == {wanted}, f"{stream.product.id_field} {wanted}", found)


@contract(
    "RT-103",
    MUST,
    source=f"{PROTOCOL}: signature",
    loses="Streams of this product are refused, with INVALID_SIGNATURE.",
    needs=("rtms",),
    gotchas=(11,),
)
@every_product
def test_handshakes_are_signed(opening: Stage, product: str) -> None:
    """Both are signed with the client secret over client id, the product's id and stream id."""
    shaken(opening, product).keeps("rtms.signature")


@contract(
    "RT-104",
    MUST,
    source=PROTOCOL,
    loses="Zoom answers INVALID_PAYLOAD or INVALID_MESSAGE_TYPE, and nothing follows.",
    needs=("rtms",),
)
def test_messages_have_the_shape_of_the_protocol(ordinary: Evidence) -> None:
    """Every frame is a JSON object with a type that belongs on its socket, and its fields."""
    ordinary.demand(ordinary.said(T.SIGNALING_HAND_SHAKE_REQ), "a signaling handshake")
    ordinary.keeps("rtms.message", "rtms.message-type", "rtms.payload")


@contract(
    "RT-105",
    MUST,
    source=f"{PROTOCOL}: media_server.server_urls",
    loses="Media sockets are refused: the URLs are new for each stream, and one is for each type.",
    needs=("rtms",),
)
def test_it_dials_what_the_handshake_told(ordinary: Evidence) -> None:
    """Media sockets go to the URLs of the signaling handshake, after it, each for its own type."""
    ordinary.demand(ordinary.media, "a media socket on a URL of the signaling handshake")
    ordinary.keeps("rtms.url", "rtms.media-without-signaling", "rtms.media-type")


@contract(
    "RT-106",
    MUST,
    source=f"{PROTOCOL}: media_params",
    loses="The media handshake is refused: rates and codecs are numbers of a list, not hertz.",
    needs=("rtms",),
    gotchas=(24,),
)
def test_media_parameters_are_those_of_the_protocol(ordinary: Evidence) -> None:
    """What it asks for in the media handshake are values that the protocol knows."""
    ordinary.demand(ordinary.said(T.DATA_HAND_SHAKE_REQ), "a media handshake")
    ordinary.keeps("rtms.media-params")


@contract(
    "RT-107",
    MUST,
    source=f"{PROTOCOL}: CLIENT_READY_ACK",
    loses="No media flows before Zoom knows that the app is ready.",
    needs=("rtms",),
    gotchas=(16,),
)
def test_it_says_that_it_is_ready(ordinary: Evidence) -> None:
    """CLIENT_READY_ACK goes out on the signaling socket, after a media handshake."""
    acknowledged = ordinary.said(T.CLIENT_READY_ACK)
    ordinary.demand(acknowledged, "CLIENT_READY_ACK on the signaling socket")
    ordinary.keeps("rtms.ready-ack")


@contract(
    "RT-108",
    SHOULD,
    source=f"{PROTOCOL}: CLIENT_READY_ACK",
    loses="What comes after the first is noise, and on a media socket it is refused.",
    needs=("rtms",),
    gotchas=(16,),
)
def test_it_says_so_once(ordinary: Evidence) -> None:
    """CLIENT_READY_ACK goes out at most once for each media handshake, on signaling alone."""
    said = len(ordinary.said(T.CLIENT_READY_ACK))
    handshakes = len(ordinary.said(T.DATA_HAND_SHAKE_REQ))
    of_media = sum(len(ordinary.said(T.CLIENT_READY_ACK, socket=s)) for s in ordinary.media)
    ordinary.demand(said, "CLIENT_READY_ACK on signaling", "none")
    ordinary.demand(said <= handshakes, f"at most {handshakes} CLIENT_READY_ACK", "more of them")
    ordinary.demand(of_media == 0, "CLIENT_READY_ACK on signaling", "some on a media socket")


@contract(
    "RT-109",
    MUST,
    source=f"{PROTOCOL}: handshakes",
    loses="Zoom closes a socket on which nobody shakes hands.",
    needs=("rtms",),
)
def test_every_socket_shakes_hands(ordinary: Evidence) -> None:
    """Each socket that it opens is there for a handshake, which it sends."""
    for socket in ordinary.sockets:
        kind = T.SIGNALING_HAND_SHAKE_REQ if socket.is_signaling else T.DATA_HAND_SHAKE_REQ
        ordinary.demand(ordinary.said(kind, socket=socket), f"{kind.name} on {socket.name}")
    ordinary.keeps("rtms.handshake")


@contract(
    "RT-110",
    MUST,
    source="Zoom's docs: one signaling connection a stream, one media connection a type",
    loses="Each event is seen twice, and Zoom refuses the second connection.",
    needs=("rtms",),
)
def test_one_connection_a_kind(ordinary: Evidence) -> None:
    """It opens one signaling socket, and one media socket a type."""
    ordinary.keeps("rtms.duplicate")
    keys = [socket.key for socket in ordinary.sockets]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    ordinary.demand(not twice, "one socket a kind", f"several of {', '.join(twice)}")


@contract(
    "RT-111",
    MUST,
    source="RFC 6455: text and binary frames; Zoom's SDK sends JSON in binary ones",
    loses="An app that reads text frames only hears nothing, and is cut for its silence.",
    needs=("rtms",),
    gotchas=(14,),
)
def test_binary_frames_are_read(stage: Stage) -> None:
    """JSON may come in binary frames."""
    stage.fault("binary")
    stage.stream().survives()


@contract(
    "RT-112",
    MUST,
    source="RFC 6455: fragmentation",
    loses="Long messages break the app on the day on which something splits them.",
    needs=("rtms",),
    gotchas=(14,),
)
def test_fragmented_messages_are_read(stage: Stage) -> None:
    """A message may come in several frames."""
    stage.fault("fragments", bytes=40)
    stage.stream().survives()


def single_keys() -> Iterator[str]:
    for media in MediaType:
        if media is not MediaType.ALL:
            yield (media.name or "").lower()


@contract(
    "RT-113",
    MUST,
    source=f"{PROTOCOL}: media_server.server_urls",
    loses="It waits for ever for a key that a server of its app's scopes does not name.",
    needs=("rtms",),
    gotchas=(13,),
)
def test_single_media_keys_are_enough(stage: Stage) -> None:
    """The handshake may name a URL for each media type, and none for all."""
    stage.fault("offer", keys=",".join(single_keys()))
    stage.stream()


@contract(
    "RT-114",
    SHOULD,
    source=f"{PROTOCOL}: media_server.server_urls",
    loses="It waits for ever where all media is on one URL.",
    needs=("rtms", "all-in-one"),
    gotchas=(13,),
)
def test_the_key_for_all_media_is_enough(stage: Stage) -> None:
    """The handshake may name one URL for all media, and no other."""
    stage.fault("offer", keys="all")
    stage.stream()


@contract(
    "RT-115",
    SHOULD,
    source="Zoom's docs: server_urls, separated by commas",
    loses="It dials one long URL that leads nowhere.",
    needs=("rtms", "url-list"),
    gotchas=(12,),
)
def test_server_urls_may_be_a_list(stage: Stage) -> None:
    """Where server_urls holds several URLs it dials one, and if nobody is there another."""
    trap = stage.trap()
    stage.fault("webhook_loss", times=1)
    stream = stage.begin()
    stage.deliver(stream.started(server_urls=f"{trap.url},{stream.stream.server_urls}"))
    stream.is_ready()


@contract(
    "RT-116",
    SHOULD,
    source="Zoom's docs: keep-alives on every socket; its own SDK answers after the handshake",
    loses="A slow handshake is taken for a dead app.",
    needs=("rtms", "early-keep-alive"),
    gotchas=(15,),
)
def test_keep_alives_are_answered_before_the_handshake(stage: Stage) -> None:
    """A keep-alive that comes before the answer to the handshake is echoed, too."""
    stage.fault("stop_answering", socket="signaling", msg_type=T.SIGNALING_HAND_SHAKE_REQ, times=1)
    stream = stage.begin()
    window_s = stage.window_s("connect_window")
    stream.until("a handshake", lambda seen: seen.said(T.SIGNALING_HAND_SHAKE_REQ), window_s)
    waiting, before = stream.evidence.signaling[-1], stream.evidence.last_id
    stream.send({"msg_type": T.KEEP_ALIVE_REQ, "sequence": 1, "timestamp": 1_700_000_000_000})
    stream.until(
        "the keep-alive echoed",
        lambda seen: seen.answered(waiting, before),
        stage.window_s("keep_alive"),
    )


@contract(
    "RT-117",
    MUST,
    source="Zoom's changelog: fields are added without notice",
    loses="It breaks on the day on which Zoom adds a field to a message.",
    needs=("rtms",),
    gotchas=(27,),
)
def test_unknown_fields_are_tolerated(stage: Stage) -> None:
    """Every message, handshakes and media too, may hold fields that nobody has told of."""
    stage.fault("extra_field")
    stream = stage.stream()
    stream.talk()
    stream.survives()


@contract(
    "RT-118",
    MUST,
    source="spec/rtms-events.openapi.yaml: payloads are flat",
    loses="It takes ids and URLs from where Zoom does not put them, and joins nothing.",
    needs=("rtms",),
    gotchas=(10,),
)
def test_the_payload_is_read_flat(stage: Stage) -> None:
    """Ids and server_urls are fields of the payload itself, not of an object in it."""
    trap = stage.trap()
    stage.fault("webhook_loss", times=1)
    stream = stage.begin()
    decoy = {stream.product.id_field: "decoy", "id": "1", "server_urls": trap.url}
    stage.deliver(stream.started(object={**decoy, "rtms_stream_id": "decoy"}))
    stream.is_ready()
    stream.evidence.demand(not trap.calls, "payload.server_urls dialled", "payload.object's")
