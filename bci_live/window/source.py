"""What the window asks, ten or thirty times a second, and what it commands."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from bci_live.live.controls import DrawingChoice, ModelChoice
from bci_live.live.remembered import StreamChoice
from bci_live.live.snapshot import LiveSnapshot, RecordingRequest, RecordingStatus, ReplayStatus, SignalPart
from bci_live.streams.survey import StreamReport
from bci_live.types import Chunk


class SnapshotSource(Protocol):
    """A session as the window sees it, perhaps still loading. Every call returns at once."""

    def snapshot(self) -> LiveSnapshot | None:
        """The state now; None while the session loads."""
        ...

    def signal(self, seconds: float) -> Chunk | None:
        """The last `seconds` of EEG; None while the session loads."""
        ...

    def signal_since(self, count: int, seconds: float) -> SignalPart | None:
        """What came after the session's first `count` samples, the newest `seconds` at most; None while it loads."""
        ...

    def progress(self) -> str:
        """What is being done now, in words, while the session loads."""
        ...

    def problem(self) -> str | None:
        """Why there is no session, with the remedy; None while all is well."""
        ...


class StreamPicker(Protocol):
    """The streams there are, and which of them are taken."""

    def choosing(self) -> bool:
        """Whether there is no session because it is not clear which streams are meant."""
        ...

    def watch_streams(self, wanted: bool) -> None:
        """Begin to listen to all streams, or end it."""
        ...

    def streams(self) -> tuple[StreamReport, ...]:
        """What was heard of them."""
        ...

    def chosen(self) -> StreamChoice:
        """Those that are taken, or were the last time."""
        ...

    def connect(self, choice: StreamChoice) -> str:
        """Take these; or why not, in a sentence."""
        ...

    def play_demo(self) -> None:
        """Replay the session that ships, instead of a stream."""
        ...


class RecordingControl(Protocol):
    """REC."""

    def record(self, request: RecordingRequest) -> None:
        """Begin."""
        ...

    def stop_recording(self) -> None:
        """End."""
        ...

    def recording(self) -> RecordingStatus | None:
        """The one that runs, or the last."""
        ...

    def recording_problem(self) -> str:
        """Why it did not begin, or ended; empty when all is well."""
        ...


class ReplayControl(Protocol):
    """The transport of a replay."""

    def replay(self) -> ReplayStatus | None:
        """Where it is; None where there is none."""
        ...

    def pause(self, paused: bool) -> None:
        """Rest, or go on."""
        ...

    def seek(self, at_s: float) -> None:
        """Go on there."""
        ...

    def play_again(self) -> None:
        """Begin anew with one that has ended."""
        ...

    def loop(self, loop: bool) -> None:
        """Begin anew at the end, or not."""
        ...


class ModelControl(Protocol):
    """How pictures are drawn, and by which models."""

    def drawing(self) -> DrawingChoice:
        """How they are drawn now."""
        ...

    def draw_with(self, choice: DrawingChoice) -> None:
        """Draw so from the next picture on."""
        ...

    def models(self) -> ModelChoice:
        """Which models are used."""
        ...

    def load(self, choice: ModelChoice) -> None:
        """Begin anew with these once they are loaded."""
        ...

    def loading(self) -> bool:
        """Whether chosen models are not there yet."""
        ...

    def devices(self) -> tuple[str, ...]:
        """What they can be loaded to."""
        ...

    def model_problem(self) -> str:
        """Why the last choice was not taken; empty when all is well."""
        ...


class SessionSource(
    SnapshotSource,
    StreamPicker,
    RecordingControl,
    ReplayControl,
    ModelControl,
    AbstractContextManager[object],
    Protocol,
):
    """All that the window needs. It begins to load when it is entered."""
