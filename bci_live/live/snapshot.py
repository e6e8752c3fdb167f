"""What the window reads, ten times a second: the state of a session at one moment, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bci_live.config import EpochConfig
from bci_live.streams.inlet import StreamStatus
from bci_live.types import Decoding, Marker, Missed, MissedReason, Reconstruction, StreamFacts

Phase = Literal["warming", "waiting", "live", "ended"]


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds after the window's last sample had arrived."""

    epoch_ms: float
    saliency_ms: float
    first_image_ms: float
    image_ms: float


@dataclass(frozen=True, slots=True)
class Shown:
    """A marker that got its picture."""

    reconstruction: Reconstruction
    timings: Timings

    @property
    def marker(self) -> Marker:
        """The marker that the picture belongs to."""
        return self.reconstruction.decoding.epoch.marker


Outcome = Shown | Missed


@dataclass(frozen=True, slots=True)
class Counts:
    """Every marker is counted once it came in, and once more when it was shown or missed.

    `unread`: outcomes that were let go before anybody read them, because too many waited.
    """

    markers: int = 0
    shown: int = 0
    missed: Mapping[MissedReason, int] = field(default_factory=dict)
    unread: int = 0


@dataclass(frozen=True, slots=True)
class LatencyStatus:
    """Of one stage, ms: the last one, the median and the 95th percentile of the recent ones."""

    last: float
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """The session now. `errors`: since its beginning; `present_errors`: those that a user should see now.

    `reconstruction` may be unfinished. `accuracy`: (right, of) where the truth is known. `markers` and
    `missed`: the recent ones. `epoch`: the decoder's, for the shade in the signal. `faults`: channels that carry no EEG
    now, and what they are. `note`: what the user should know of how the stream is used.
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
    accuracy: tuple[int, int] | None
    history: tuple[Reconstruction, ...]
    markers: tuple[Marker, ...]
    labels: tuple[str, ...] = ()
    epoch: EpochConfig = field(default_factory=EpochConfig)
    missed: tuple[Missed, ...] = ()
    note: str = ""
    simulated_decoder: bool = False
    faults: Mapping[str, str] = field(default_factory=dict)


def badge(facts: StreamFacts | None, stale: bool = False, simulated_decoder: bool = False) -> str:
    """LIVE, REPLAY, SIMULATED · REPLAY …, and STALE when nothing comes in (then nothing is LIVE): never left unsaid.

    A decoder that was trained on a simulated head says nothing of a real one: that is said, too.
    """
    if facts is None:
        return "NO STREAM"
    words = (["SIMULATED"] if facts.simulated else []) + (["REPLAY"] if facts.replay else [])
    words = [*words, "STALE"] if stale else words or ["LIVE"]
    return " · ".join([*words, "SIMULATED DECODER"] if simulated_decoder and not facts.simulated else words)
