"""`mockzoom demo`: a whole RTMS meeting on this machine, watched, recorded and checked.

The mock and the reference receiver run in one process but meet only over HTTP and WebSockets.
What the receiver recorded is then held against what the meeting spoke, read back from the files as
any other program would read them.
"""

from __future__ import annotations

import json
import time
import wave
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from itertools import chain, count, cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockzoom.cli.options import media_option, seed_option
from mockzoom.cli.terminal import footed
from mockzoom.errors import ContractBroken

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mockzoom.core.meeting import Utterance
    from mockzoom.handles import Meeting, Stream
    from mockzoom.receiver.receiver import Receiver
    from mockzoom.receiver.streams import StreamStatus
    from mockzoom.server import MockZoom

__all__ = ["demo"]

_DIALOGUE = (
    ("Alice", "Good morning, Bob. Can you hear me?"),
    ("Bob", "Loud and clear. Is this meeting real?"),
    ("Alice", "Not at all. There is no network behind us, only this machine."),
    ("Bob", "And who is listening?"),
    ("Alice", "A small receiver. It writes down every word we say."),
    ("Bob", "Then I will mind my language. Did it ask for our permission?"),
    ("Alice", "It proved that it knows the secret. That is all Zoom wants to know."),
    ("Bob", "Fine. Shall we leave before somebody streams us?"),
)

_PEOPLE = ("Alice", "Bob")

_PATIENCE_S = 10


@click.command()
@click.option(
    "--seconds",
    default=12.0,
    show_default=True,
    type=click.FloatRange(min=1, max=3600),
    help="About how long Alice and Bob talk.",
)
@media_option
@seed_option
@click.option(
    "--recordings",
    default="recordings",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the receiver records: a folder per stream.",
)
def demo(seconds: float, media: dict[str, list[str]], seed: int | None, recordings: Path) -> None:
    """Watch a complete meeting happen, offline.

    A receiver validates its URL, takes a signed webhook, connects, hears Alice and Bob and reads
    what they say.  Status 0 only when everything spoken was recorded and nobody broke a rule.
    """
    stage = _Stage()
    script = _programme(media) if media else _script(seconds)
    with stage.lit():
        meeting = _play(stage, script, seed, _fresh(recordings))
    checks = list(_checks(meeting))
    stage.summarise(meeting, checks)
    failed = [check.name for check in checks if not check.held]
    if failed:
        raise ContractBroken(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}")


# --- the meeting ------------------------------------------------------------------------------


@dataclass
class _Recorded:
    """What was spoken, what the receiver noticed, and where it put it."""

    spoken: list[Utterance]
    status: StreamStatus
    webhooks: list[str]
    findings: list[str]
    seed: int


@dataclass(frozen=True)
class _Turn:
    """Somebody says a text, or plays files."""

    name: str
    text: str = ""
    files: tuple[str, ...] = ()


def _programme(media: dict[str, list[str]]) -> list[_Turn]:
    """Everybody who has files plays them, one after the other."""
    return [_Turn(_known(name), files=tuple(files)) for name, files in media.items()]


def _known(name: str) -> str:
    """As the demo writes it: ``alice`` is Alice."""
    return next((own for own in _PEOPLE if own.casefold() == name.casefold()), name)


def _script(seconds: float) -> list[_Turn]:
    """As many turns of the dialogue as fit into `seconds`, but each has a word."""
    from mockzoom.core.speech import speaking_ms

    turns: list[_Turn] = []
    total_ms = 0
    for name, text in cycle(_DIALOGUE):
        total_ms += speaking_ms(text)
        if total_ms > seconds * 1000 and len(turns) >= 2:
            break
        turns.append(_Turn(name, text))
    return turns


def _fresh(recordings: Path) -> Path:
    """A folder that no other run has recorded to: with the same seed the streams' ids are equal."""
    started = recordings / f"demo-{time.strftime('%Y%m%d-%H%M%S')}"
    again = (started.with_name(f"{started.name}-{number}") for number in count(2))
    return next(folder for folder in chain([started], again) if not folder.exists())


def _play(stage: _Stage, script: list[_Turn], seed: int | None, recordings: Path) -> _Recorded:
    from mockzoom.receiver.receiver import Receiver
    from mockzoom.server import MockZoom

    with ExitStack() as running:
        mock = running.enter_context(MockZoom(seed=seed))
        receiver = running.enter_context(
            Receiver(
                mock.credentials,
                recordings=recordings,
                on_event=stage.heard,
                video=any(turn.files for turn in script),
            )
        )
        stage.say("mock", f"RTMS server on {mock.rtms_url}, seed {mock.seed}")
        stage.say("receiver", f"listening on {receiver.url}")
        try:
            return _meet(stage, script, mock, receiver)
        except TimeoutError as error:
            raise ContractBroken(f"the meeting did not come to its end: {error}") from error


def _meet(stage: _Stage, script: list[_Turn], mock: MockZoom, receiver: Receiver) -> _Recorded:
    mock.subscribe(receiver.url)
    stage.say("mock", "the receiver proved that it knows the secret token")
    people = list(dict.fromkeys([*_PEOPLE, *(turn.name for turn in script)]))
    meeting = mock.meeting("The mockzoom demo", participants=people)
    stage.say("mock", f"meeting {meeting.key} begins, {' and '.join(people)} are in it")
    stream = meeting.start_rtms()
    stream.wait_ready(_PATIENCE_S)
    stage.say("mock", "signaling and media handshakes are done, media may flow")
    spoken = _talk(stage, script, meeting, stream)
    stage.say("mock", "the meeting ends")
    stream.stop()
    stream.wait_ended(_PATIENCE_S)
    status = receiver.wait_ended(stream.rtms_stream_id, _PATIENCE_S)
    findings = [str(finding) for finding in mock.findings] + stage.findings
    return _Recorded(spoken, status, stage.webhooks, findings, mock.seed)


def _talk(stage: _Stage, script: list[_Turn], meeting: Meeting, stream: Stream) -> list[Utterance]:
    spoken: list[Utterance] = []
    for turn in script:
        if turn.files:
            utterance = meeting.play(turn.name, *turn.files)
        else:
            utterance = meeting.say(turn.name, turn.text)
        spoken.append(utterance)
        stage.speaks(turn.name, stream)
        stream.wait_spoken(utterance.duration_ms / 1000 + _PATIENCE_S)
    return spoken


# --- what must have come of it ----------------------------------------------------------------


@dataclass(frozen=True)
class _Check:
    name: str
    held: bool
    found: str


def _checks(meeting: _Recorded) -> Iterator[_Check]:
    told = [name.partition("_")[2] for name in meeting.webhooks]
    yield _Check("webhooks", told == ["started", "stopped"], ", ".join(meeting.webhooks) or "none")
    yield from _audio_checks(meeting)
    said = [
        (utterance.participant.user_name, line.text)
        for utterance in meeting.spoken
        for line in utterance.lines()
    ]
    read = _transcript(meeting.status.folder)
    yield _Check("transcript", read == said, f"{len(read)} of {len(said)} lines, in order")
    found = "; ".join(meeting.findings) or "nobody broke a rule"
    yield _Check("contract", not meeting.findings, found)


def _audio_checks(meeting: _Recorded) -> Iterator[_Check]:
    spoken_ms: dict[str, int] = defaultdict(int)
    for utterance in meeting.spoken:
        if utterance.audible:
            spoken_ms[utterance.participant.user_name] += utterance.duration_ms
    recorded_ms = _recorded_ms(meeting.status.folder)
    frame_ms = meeting.status.granted.get("audio", {}).get("send_rate", 0)
    for name, expected_ms in spoken_ms.items():
        found_ms = recorded_ms.get(name, 0)
        yield _Check(
            f"audio of {name}",
            abs(found_ms - expected_ms) <= frame_ms,
            f"{found_ms / 1000:.2f} s recorded of {expected_ms / 1000:.2f} s spoken",
        )


def _recorded_ms(folder: Path) -> dict[str, float]:
    """Milliseconds of sound in the WAV files of each participant."""
    found: dict[str, float] = defaultdict(float)
    for track in _summary(folder).get("tracks", []):
        with wave.open(str(folder / track["file"])) as wav:
            found[track["user_name"]] += wav.getnframes() / wav.getframerate() * 1000
    return found


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / "stream.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _transcript(folder: Path) -> list[tuple[str, str]]:
    path = folder / "transcript.jsonl"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = [json.loads(line) for line in text.splitlines()]
    return [(line["user_name"], line["text"]) for line in lines]


# --- the show ---------------------------------------------------------------------------------

_COLOURS = {"mock": "cyan", "receiver": "magenta", "Alice": "green", "Bob": "yellow"}


@dataclass
class _Stage:
    """What is shown, and what was heard on the way; `heard` is called on the receiver's thread."""

    webhooks: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    _speaker: str = ""
    _stream: Stream | None = None

    def __post_init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False, soft_wrap=True)
        self._began = time.monotonic()

    def lit(self) -> AbstractContextManager[None]:
        """In a terminal, a line at the bottom lives while the meeting does."""
        return footed(self._console, self._footer)

    def say(self, who: str, text: str) -> None:
        from rich.text import Text

        line = Text(f"{time.monotonic() - self._began:6.2f} s  ", style="dim")
        line.append(f"{who:9}", style=f"not dim {_COLOURS.get(who, 'bold')}")
        line.append(text, style="not dim")
        self._console.print(line)

    def speaks(self, name: str, stream: Stream) -> None:
        self._speaker, self._stream = name, stream

    def heard(self, kind: str, fields: dict[str, Any]) -> None:
        """What the receiver says of itself."""
        match kind:
            case "webhook":
                self.webhooks.append(fields["event"])
                self.say("receiver", f"took the webhook {fields['event']}")
            case "transcript":
                content = fields["content"]
                self.say(content["user_name"], content["data"])
            case "joined" | "reconnecting":
                self.say("receiver", kind)
            case "finding":
                self.findings.append(f"{fields['check']}: found {fields['actual']}")
            case "ended":
                self.say("receiver", f"left: {fields['ending']}")

    def summarise(self, meeting: _Recorded, checks: list[_Check]) -> None:
        self._console.print()
        for path in sorted(meeting.status.folder.glob("*")):
            self._console.print(f"recorded  {path}", markup=False)
        self._console.print()
        for check in checks:
            mark, colour = ("ok", "green") if check.held else ("FAILED", "red")
            self._console.print(f"[{colour}]{mark:8}[/]  {check.name}: ", end="")
            self._console.print(check.found, markup=False)
        self._console.print(f"\nThe same again: mockzoom demo --seed {meeting.seed}", style="dim")

    def _footer(self) -> RenderableType:
        from rich.text import Text

        if self._stream is None:
            return Text("")
        frames = self._stream.sent.get("audio", 0)
        return Text(f"          {self._speaker} speaks … {frames} audio frames sent", style="dim")
