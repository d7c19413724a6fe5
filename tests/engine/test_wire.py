"""What is between the server and a socket: packets held back, their order, and the line's rate."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from picows import WSTransport
from rig import START_MS, FakeClock, in_loop, rig

from mockzoom.core.active_faults import Faults
from mockzoom.core.faults import NoKeepAlive, StopAnswering
from mockzoom.core.messages import encode
from mockzoom.core.wire_faults import (
    Bandwidth,
    Binary,
    Delay,
    Fragments,
    Huge,
    Jitter,
    Reorder,
    Silence,
)
from mockzoom.engine import line as lines
from mockzoom.engine.journal import Journal
from mockzoom.engine.pacer import Pacer
from mockzoom.engine.wire import Wire

KEEP_ALIVE = {"msg_type": 12, "sequence": 1, "timestamp": 2}
ANSWER = {"msg_type": 13, "sequence": 1, "timestamp": 2}


def frame(number: int, size: int = 0) -> dict[str, Any]:
    return {"msg_type": 14, "content": {"timestamp": number, "data": "x" * size}}


class Line:
    """One socket of a stream, and when each message left on it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.journal = Journal(self.clock)
        self.faults = Faults(1)
        self.left: list[tuple[int, bytes]] = []
        self.frames: list[tuple[int, bool]] = []
        self.wire = Wire(
            "s",
            patience_ms=10_000,
            clock=self.clock,
            pacer=Pacer(self.clock, self.journal),
            journal=self.journal,
            faults=self.faults,
        )
        self.wire.attach(1, "audio", cast(WSTransport, self))
        self.underlying_transport = self

    def send(self, kind: int, data: bytes, last: bool) -> None:
        self.frames.append((int(kind), last))
        self.left.append((self.clock.now_ms() - START_MS, data))

    def send_reuse_external_bytearray(
        self, kind: int, data: bytearray, offset: int, last: bool
    ) -> None:
        self.frames.append((int(kind), last))
        self.left.append((self.clock.now_ms() - START_MS, bytes(data[offset:])))

    def get_extra_info(self, _: str) -> None:
        return None

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        self.left.append((self.clock.now_ms() - START_MS, b"cut"))

    def say(self, *numbers: int, every_ms: int = 0, size: int = 0) -> None:
        for number in numbers:
            self.wire.send(1, frame(number, size))
            self.clock.advance(every_ms)

    @property
    def times(self) -> list[int]:
        return [at_ms for at_ms, _ in self.left]

    @property
    def numbers(self) -> list[int]:
        sent = {encode(frame(number)).encode(): number for number in range(100)}
        return [sent[data] for _, data in self.left]


@in_loop
async def test_without_faults_nothing_waits() -> None:
    """What is sent leaves at once, as it is."""
    line = Line()
    line.say(1, 2, every_ms=20)
    assert line.left == [(0, encode(frame(1)).encode()), (20, encode(frame(2)).encode())]


@in_loop
async def test_a_message_may_come_in_binary_frames_and_in_several() -> None:
    """The first frame says of which kind it is, the last one that it is the last."""
    line = Line()
    line.say(1)
    line.faults.add(Binary())
    line.say(1)
    line.faults.add(Fragments(bytes=20))
    line.say(1)
    whole = encode(frame(1)).encode()
    assert line.frames[:2] == [(1, True), (2, True)]
    kinds, ends = zip(*line.frames[2:], strict=True)
    assert (kinds[0], set(kinds[1:])) == (2, {0})
    assert (set(ends[:-1]), ends[-1]) == ({False}, True)
    parts = [data for _, data in line.left[2:]]
    assert b"".join(parts) == whole
    assert max(map(len, parts)) == 20


@in_loop
async def test_text_is_sent_as_it_is_and_faults_know_what_it_says() -> None:
    """The same comes out of a message and of its text, with a fault and without."""
    line = Line()
    text = encode(frame(1)).encode()
    line.wire.line(1).send(text)
    line.faults.add(Delay(ms=20, msg_type=14))
    line.wire.line(1).send(text)
    line.clock.advance(20)
    assert line.left == [(0, text), (20, text)]


@in_loop
async def test_a_delay_is_kept_to_the_millisecond() -> None:
    """Each message leaves as much later as was asked."""
    line = Line()
    line.faults.add(Delay(ms=300))
    line.say(1, 2, 3, every_ms=20)
    line.clock.advance(1_000)
    assert line.times == [300, 320, 340]
    assert line.numbers == [1, 2, 3]


@in_loop
async def test_jitter_keeps_the_order() -> None:
    """Delays differ from message to message, and none overtakes another."""
    line = Line()
    line.faults.add(Jitter(ms=100))
    line.say(*range(50), every_ms=20)
    line.clock.advance(1_000)
    assert line.numbers == list(range(50))
    late = [at_ms - 20 * number for number, at_ms in enumerate(line.times)]
    assert len(set(late)) > 20
    assert all(0 <= ms <= 100 for ms in late)


@pytest.mark.parametrize("rate", [300, 16_000, 48_700, 1_000_000])
@in_loop
async def test_a_line_carries_what_it_can(rate: int) -> None:
    """A flood leaves at the line's rate, in order, within a millisecond of a message's share."""
    line = Line()
    line.faults.add(Bandwidth(bytes_per_s=rate))
    line.say(*range(100))
    line.clock.advance(3_600_000)
    assert line.numbers == list(range(100))
    carried = 0
    for at_ms, data in line.left:
        carried += len(data)
        assert -0.01 <= at_ms - carried * 1000 / rate <= 1.01


@in_loop
async def test_what_fits_the_line_is_not_late_for_long() -> None:
    """Below its rate a message takes as long as its bytes do, and the line is free again."""
    line = Line()
    line.faults.add(Bandwidth(bytes_per_s=10_000))
    line.say(1, 2, 3, every_ms=1_000)
    size = len(encode(frame(1)))
    assert line.times == [-(-size // 10) + second for second in (0, 1_000, 2_000)]


@in_loop
async def test_letters_count_as_bytes() -> None:
    """Text outside ASCII is as long as it is on the wire."""
    line = Line()
    line.faults.add(Bandwidth(bytes_per_s=1_000))
    line.wire.send(1, {"msg_type": 17, "content": {"data": "ä" * 1_000}})
    line.clock.advance(10_000)
    assert line.times[0] > 2_000


@in_loop
async def test_a_fault_lifted_while_packets_wait_keeps_the_order() -> None:
    """What was held back comes first; who speaks later waits behind it, and then no longer."""
    line = Line()
    number = line.faults.add(Delay(ms=300))
    line.say(1, 2)
    line.faults.lift(number)
    line.say(3, every_ms=300)
    line.say(4)
    assert line.numbers == [1, 2, 3, 4]
    assert line.times == [300, 300, 300, 300]
    line.say(5)
    assert line.times[-1] == 300


@in_loop
async def test_nobody_overtakes_what_is_due_at_the_same_time() -> None:
    """A message that is sent when the held one is due, but has not left, comes after it."""
    line = Line()
    line.faults.add(Delay(ms=300, times=1))
    line.say(1)
    line.clock._now_ms += 300  # the timer is late
    line.say(2)
    line.clock.advance(0)
    assert line.numbers == [1, 2]


@in_loop
async def test_reordered_media_is_overtaken() -> None:
    """Some of it, by what comes within the time; all of it arrives."""
    line = Line()
    line.faults.add(Reorder(ms=50))
    line.say(*range(40), every_ms=20)
    line.clock.advance(1_000)
    assert sorted(line.numbers) == list(range(40))
    assert line.numbers != list(range(40))


@in_loop
async def test_a_line_that_is_far_too_narrow_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held back is bounded; then the connection ends, and nothing of it comes any more."""
    monkeypatch.setattr(lines, "_MAX_HELD_BYTES", 10_000)
    line = Line()
    line.faults.add(Bandwidth(bytes_per_s=1))
    line.say(*range(20), size=1_000)
    assert line.left == [(0, b"cut")]
    assert [entry.fields["happened"] for entry in line.journal] == ["cut: too much held back"]
    line.clock.advance(3_600_000)
    assert len(line.left) == 1


@in_loop
async def test_what_is_held_back_dies_with_its_socket() -> None:
    """Also when another socket has the number meanwhile."""
    line = Line()
    line.faults.add(Delay(ms=300))
    line.say(1)
    line.wire.detach(1)
    line.clock.advance(1_000)
    assert line.left == []
    line.wire.send(1, KEEP_ALIVE)
    assert line.wire.hears(1, ANSWER)
    assert not line.wire.spares_keep_alive(1)


@pytest.mark.parametrize(
    ("fault", "disturbed"),
    [
        (Silence(), True),
        (Silence(msg_type=14), False),
        (Delay(ms=9_000), False),
        (Delay(ms=10_000), True),
        (Huge(bytes=10), False),
    ],
)
@in_loop
async def test_a_line_is_disturbed_when_a_question_does_not_get_through(
    fault: Any, disturbed: bool
) -> None:
    """Lost or later than an app has time to answer; it is over once the app is heard again."""
    line = Line()
    line.faults.add(fault)
    line.wire.send(1, frame(1))
    assert not line.wire.disturbed(1)
    line.wire.send(1, KEEP_ALIVE)
    assert line.wire.disturbed(1) is line.wire.disturbed(None) is disturbed
    assert not line.wire.disturbed(2)
    assert line.wire.hears(1, ANSWER)
    assert not line.wire.disturbed(1)


@in_loop
async def test_a_deaf_line_is_disturbed() -> None:
    """What the app says is lost, as long as it is on."""
    line = Line()
    line.faults.add(StopAnswering(times=1))
    line.faults.add(NoKeepAlive())
    assert not line.wire.hears(1, ANSWER)
    assert line.wire.disturbed(1)
    assert line.wire.hears(1, ANSWER)
    assert not line.wire.disturbed(1)
    assert line.wire.spares_keep_alive(1)


@in_loop
async def test_messages_are_whole_however_slow_the_reader() -> None:
    """What waits in the server's memory is not touched by what is sent after it."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join()
        (socket,) = stream.machine.media_sockets
        sizes = [3_000_000, 3_000_000, 2_000_000, 10, 10, 5_000_000, 10, *[8_000] * 100, 9_000, 10]
        sent = [frame(number, size) for number, size in enumerate(sizes)]
        for message in sent:
            stream.wire.send(socket.conn, message)
        await conn.until(lambda: len(conn.audio) == len(sizes), "all frames")
        assert conn.of(14) == sent


@in_loop
async def test_who_answers_no_ping_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it is waited for, one ping is under way, whose end surprises nobody."""
    monkeypatch.setattr(lines, "_PONG_S", 0.01)
    asked: list[asyncio.Future[list[float]]] = []

    async def measure_roundtrip_time(_: int) -> list[float]:
        asked.append(asyncio.get_running_loop().create_future())
        return await asyncio.shield(asked[-1])

    line = Line()
    monkeypatch.setattr(line, "measure_roundtrip_time", measure_roundtrip_time, raising=False)
    await line.wire.read(1)
    await line.wire.read(1)
    [pong] = asked
    pong.set_exception(ConnectionResetError())
    del pong
    asked.clear()
    await line.wire.read(2)  # there is no such socket
    for _ in range(5):
        await asyncio.sleep(0)
    assert caplog.records == []
    answered = asyncio.create_task(line.wire.read(1))
    for _ in range(5):
        await asyncio.sleep(0)
    asked[0].set_result([0.0])
    await answered
