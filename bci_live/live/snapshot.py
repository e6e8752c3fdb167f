"""What the window reads, ten times a second: the state of a session at one moment, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bci_live.config import EpochConfig
from bci_live.signal.quality import FaultTimes
from bci_live.streams.inlet import StreamStatus
from bci_live.types import Chunk, Decoding, Guess, Marker, Missed, MissedReason, Reconstruction, StreamFacts

if TYPE_CHECKING:
    from bci_live.sessions.recorder import StreamProgress

# While it is "watching", no decoder fits the headset.
Phase = Literal["warming", "waiting", "live", "watching", "ended"]


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds after the window's last sample had arrived."""

    epoch_ms: float
    saliency_ms: float
    first_image_ms: float
    image_ms: float


@dataclass(frozen=True, slots=True)
class Shown:
    """A marker that got its picture. `guesses`: made while its window filled."""

    reconstruction: Reconstruction
    timings: Timings
    guesses: tuple[Guess, ...] = ()

    @property
    def marker(self) -> Marker:
        """The marker that the picture belongs to."""
        return self.reconstruction.decoding.epoch.marker


Outcome = Shown | Missed


@dataclass(frozen=True, slots=True)
class Counts:
    """Every marker is counted once it came in, and once more when it was shown or missed.

    `unread`: outcomes that were let go before anybody read them, because too many waited. `filled_epochs`: in which channels
    were filled in from the others; `filled`: how often which.
    """

    markers: int = 0
    shown: int = 0
    missed: Mapping[MissedReason, int] = field(default_factory=dict)
    unread: int = 0
    filled_epochs: int = 0
    filled: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LatencyStatus:
    """Of one stage, ms: the last one, the median and the 95th percentile of the recent ones."""

    last: float
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """The session now. `errors`: since its beginning; `present_errors`: those that a user should see now, of which
    `stream_errors` tell of its streams.

    `reconstruction` may be unfinished. `markers` and `missed`: the recent ones. `epoch`: the decoder's, for the shade in
    the signal. `faults`: channels that carry no EEG now, and what they are; `fault_times`: for how long these and others
    did not. `note`: what the user should know of how the stream is used. `guess`: the newest, until something newer is
    decoded, or its marker ends without. `channels`: the decoder's, as in its epochs. `pipeline`: what draws. `began`: s of
    the session's clock; another session has another.
    """

    facts: StreamFacts | None
    status: StreamStatus | None
    phase: Phase
    decoding: Decoding | None
    reconstruction: Reconstruction | None
    last_outcome: Outcome | None
    counts: Counts
    latency: Mapping[str, LatencyStatus]
    errors: tuple[str, ...]
    present_errors: tuple[str, ...]
    history: tuple[Reconstruction, ...]
    markers: tuple[Marker, ...]
    labels: tuple[str, ...] = ()
    epoch: EpochConfig = field(default_factory=EpochConfig)
    missed: tuple[Missed, ...] = ()
    note: str = ""
    simulated_decoder: bool = False
    guess: Guess | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    fault_times: Mapping[str, FaultTimes] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    pipeline: str = ""
    began: float = 0.0
    stream_errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignalPart:
    """A stretch of the signal. `first`: how many samples the session had before it."""

    first: int
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class ReplayStatus:
    """Where a replay is: s from the recording's beginning, and to its end."""

    at_s: float
    end_s: float
    paused: bool
    loop: bool
    ended: bool


@dataclass(frozen=True, slots=True)
class RecordingRequest:
    """Where to, under which BIDS names."""

    folder: Path = Path("recordings")
    subject: str = "01"
    session: str = "01"
    task: str = "pictures"


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """A recording under way, or that has ended: `problem` says why, if not because it was told to.

    `seconds`: since its beginning. `size`: bytes on the disk. `free`: bytes that the disk still has.
    """

    path: Path
    running: bool
    seconds: float
    size: int
    free: int
    streams: tuple[StreamProgress, ...]
    problem: str = ""


def badge(facts: StreamFacts | None, stale: bool = False, simulated_decoder: bool = False) -> str:
    """LIVE, REPLAY, SIMULATED · REPLAY …, and STALE when nothing comes in (then nothing is LIVE): never left unsaid.

    A decoder that was trained on a simulated head says nothing of a real one: that is said, too.
    """
    if facts is None:
        return "NO STREAM"
    words = (["SIMULATED"] if facts.simulated else []) + (["REPLAY"] if facts.replay else [])
    words = [*words, "STALE"] if stale else words or ["LIVE"]
    return " · ".join([*words, "SIMULATED DECODER"] if simulated_decoder and not facts.simulated else words)
