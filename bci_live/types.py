"""The messages between the stages: one frozen type per arrow of the data's way.

Each message keeps the one it was made from, so a picture always knows its marker, its EEG and its latency.
All times are seconds of the local LSL clock (`pylsl.local_clock`), all amplitudes are microvolts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
TimeArray = NDArray[np.float64]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples as they came in.

    `samples`: (n, channels), µV. `times`: (n,), s. `breaks`: indices into this chunk at which a new
    contiguous segment begins because samples were lost before it or the sender's clock stepped; a negative one lies in
    chunks before. `doubtful`: of how many of the last samples it is not known yet whether such a break is before them.
    `arrived`: when the chunk came in, s.
    """

    samples: FloatArray
    times: TimeArray
    arrived: float
    breaks: tuple[int, ...] = ()
    doubtful: int = 0


@dataclass(frozen=True, slots=True)
class Marker:
    """A stimulus was shown. `label` names it, `detail` holds what else the sender told of it (JSON or empty)."""

    label: str
    time: float
    stream: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Epoch:
    """The prepared window around a marker.

    `data`: (channels, times), filtered, in µV, at the decoder's rate; `single`: this trial's own, where `data` is the mean
    of `trials` ones. `onset`: time of the sample nearest to the marker.
    `arrived`: when the window's last sample came in. `ready`: when the epoch was cut.
    `filled`: the channels that carried no EEG and were filled in from the others.
    """

    data: FloatArray
    onset: float
    marker: Marker
    arrived: float
    ready: float
    trials: int = 1
    filled: tuple[str, ...] = ()
    single: FloatArray | None = None

    @property
    def trial(self) -> FloatArray:
        """(channels, times), µV: this trial alone."""
        return self.data if self.single is None else self.single


class MissedReason(StrEnum):
    """Why a marker got no picture."""

    GAP = "gap"
    LATE = "late"
    ARTEFACT = "artefact"
    TOO_OLD = "too_old"
    DROPPED = "dropped"
    INTERRUPTED = "interrupted"
    TWICE = "twice"
    UNSURE = "unsure"
    UNKNOWN_LABEL = "unknown_label"
    ERROR = "error"


class _Scored:
    """Has `scores`: label → calibrated probability."""

    __slots__ = ()
    scores: Mapping[str, float]

    @property
    def top(self) -> str:
        """The most probable label."""
        return max(self.scores, key=lambda label: self.scores[label])

    @property
    def confidence(self) -> float:
        """The probability of the most probable label."""
        return max(self.scores.values())


@dataclass(frozen=True, slots=True)
class Guess(_Scored):
    """What can be told from the beginning of a window, while the rest of it is still to come.

    `scores`: label → calibrated probability. `until_s`: where the beginning ends, s after the onset. `epoch`: the
    window until there. `made`: s.
    """

    scores: Mapping[str, float]
    until_s: float
    epoch: Epoch
    made: float

    @property
    def after_ms(self) -> float:
        """Made so long after the beginning's last sample had arrived."""
        return (self.made - self.epoch.arrived) * 1000


@dataclass(frozen=True, slots=True)
class Decoding(_Scored):
    """What the decoder reads of an epoch.

    `saliency`: (h, w, 3) in 0…1. `embedding`: (tokens, width) in the diffusion pipeline's text space.
    `latent`: (channels, h, w) scaled VAE latent, or None. `scores`: label → calibrated probability. `made`: s.
    `abstained`: trials read with so little confidence were no better than guessed, on runs left out of the training.
    """

    saliency: FloatArray
    embedding: FloatArray
    latent: FloatArray | None
    scores: Mapping[str, float]
    epoch: Epoch
    made: float
    abstained: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """A marker that got no picture, and why. `detail` is a sentence for the user. `guesses`: made before that."""

    marker: Marker
    reason: MissedReason
    detail: str = ""
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """A picture, finished when `step == steps`. `image`: (h, w, 3). `made`: s.

    `repeated`: not drawn, but that of before, because what was read since hardly moved. `strength`, `initial`: how much was
    drawn anew, and over what.
    """

    image: Picture
    step: int
    steps: int
    seed: int
    decoding: Decoding
    made: float
    repeated: bool = False
    strength: float = 1.0
    initial: str = "grey"


def channel_types(kind: str, types: Sequence[str]) -> tuple[str, ...]:
    """`StreamFacts.types`: what the channels say of themselves, or nothing where that is no more than the stream's kind."""
    told = tuple(type_ or kind for type_ in types)
    return told if any(type_.lower() != kind.lower() for type_ in told) else ()


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a stream says of itself.

    `kind` is its LSL type (EEG, Markers, …), `rate` is in Hz (0 = irregular), `units` are as announced, one a channel.
    `types`: of each channel (EEG, EOG, TRIGGER, …), or nothing where all are of the stream's kind.
    `replay` and `simulated` come from the stream's own description: the badge in the window tells them. So does `head`,
    which simulated head it is, as `simulation.identity` tells it.
    """

    name: str
    kind: str
    source_id: str
    uid: str
    host: str
    rate: float
    channels: tuple[str, ...]
    units: tuple[str, ...]
    replay: bool = False
    simulated: bool = False
    types: tuple[str, ...] = ()
    head: str = ""

    @property
    def channel_types(self) -> tuple[str, ...]:
        """Of each channel, in lower case: eeg, eog, ecg, …"""
        return tuple(type_.lower() for type_ in self.types or (self.kind,) * len(self.channels))

    @property
    def eeg_channels(self) -> tuple[str, ...]:
        """The names of those that are EEG; of all, where none says that it is."""
        named = tuple(name for name, it in zip(self.channels, self.channel_types, strict=True) if it == "eeg")
        return named or self.channels
