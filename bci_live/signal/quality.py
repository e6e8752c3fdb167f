"""Channels that carry no EEG: flat, at the rail, or not a number; now, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bci_live.types import FloatArray

Fault = Literal["flat", "railed", "NaN"]

# No electrode on a head is so quiet: amplifiers alone make more noise.
FLAT_UV = 0.1
# So much of the stretch at its very highest or lowest value is no signal but a limit …
RAILED_SHARE = 0.05
_FEWEST_RAILED = 3
# … if that value is so much more frequent than the one next to it. The crests of a sine in coarse steps are 2.4 times
# as frequent (the arcsine distribution); a limit gathers all that would lie beyond it.
_HEAPED = 4.0
# An amplitude so many times the median channel's is the electrode's own.
LOUD = 8.0
# The stretch in which a running stream is judged.
BLOCK_S = 1.0
# A channel at fault for more of a recording than this is not worth the epochs that it would cost.
DEAD_SHARE = 0.5


def faults(samples: FloatArray, channels: Sequence[str]) -> dict[str, Fault]:
    """The channels that are not sound in `samples` (n, channels), µV, and what they are: one word each."""
    if len(samples) < 2:
        return {}
    highest, lowest = samples.max(axis=0), samples.min(axis=0)
    with np.errstate(invalid="ignore"):
        span = highest - lowest
    often = max(_FEWEST_RAILED, RAILED_SHARE * len(samples))
    at_limit = np.maximum((samples == highest).sum(axis=0), (samples == lowest).sum(axis=0))
    found: dict[str, Fault] = {}
    for index in np.flatnonzero(~((span >= FLAT_UV) & (span < np.inf)) | (at_limit >= often)).tolist():
        if not np.isfinite(span[index]):
            found[channels[index]] = "NaN"
        elif span[index] < FLAT_UV:
            found[channels[index]] = "flat"
        elif _is_railed(samples[:, index], often):
            found[channels[index]] = "railed"
    return found


def in_words(found: Mapping[str, Fault], most: int = 3) -> str:
    """`faults` in words: "Oz is flat, Fz is railed and 2 others"."""
    words = {"flat": "is flat", "railed": "is at its amplifier's limit", "NaN": "is not a number"}
    named = ", ".join(f"{name} {words[fault]}" for name, fault in list(found.items())[:most])
    others = len(found) - most
    return named + (f" and {others} other{'s' * (others > 1)}" if others > 0 else "")


def dead_channels(samples: FloatArray, channels: Sequence[str], rate: float) -> dict[str, Fault]:
    """The channels that are at fault for most of a recording, `samples` (n, channels), µV, at `rate` Hz, and what they mostly are."""
    meter = FaultMeter(channels, rate)
    for block in _blocks(samples, meter.block):
        meter.add(block)
    return {name: times.mostly for name, times in meter.times.items() if times.total_s > DEAD_SHARE * meter.watched_s}


@dataclass(frozen=True, slots=True)
class FaultTimes:
    """For how long a channel was at fault.

    `seconds`: of each fault. `now`: what it is in the newest block, None when sound. `lasting_s`: for how long without a break.
    """

    seconds: Mapping[Fault, float] = field(default_factory=dict)
    now: Fault | None = None
    lasting_s: float = 0.0

    @property
    def total_s(self) -> float:
        """At fault in any way."""
        return sum(self.seconds.values())

    @property
    def mostly(self) -> Fault:
        """The fault that it had for longest."""
        return max(self.seconds, key=lambda fault: self.seconds[fault])

    def later(self, fault: Fault | None, seconds: float) -> FaultTimes:
        """After `seconds` more, in which it was at `fault` or sound."""
        if fault is None:
            return replace(self, now=None, lasting_s=0.0)
        added = {**self.seconds, fault: self.seconds.get(fault, 0.0) + seconds}
        return FaultTimes(added, fault, self.lasting_s + seconds)


class FaultMeter:
    """Adds up, over blocks of a second, how long each channel was at fault. `times`: of the channels that ever were.

    Parameters
    ----------
    rate : Hz
    """

    def __init__(self, channels: Sequence[str], rate: float) -> None:
        self._channels, self._rate = channels, rate
        self.block = max(2, round(BLOCK_S * rate))
        self.watched_s = 0.0
        self.times: dict[str, FaultTimes] = {}

    def add(self, samples: FloatArray) -> None:
        """The next `block` of samples (n, channels), µV."""
        seconds = len(samples) / self._rate
        found = faults(samples, self._channels)
        self.watched_s += seconds
        # A new mapping each time: others may be reading the last one.
        self.times = {
            name: self.times.get(name, FaultTimes()).later(found.get(name), seconds)
            for name in dict.fromkeys([*self.times, *found])
        }


def _blocks(samples: FloatArray, size: int) -> Iterator[FloatArray]:
    """Whole blocks; of a recording that is shorter than one, all there is."""
    for start in range(0, max(1, len(samples) - size + 1), size):
        yield samples[start : start + size]


def _is_railed(values: NDArray[np.float32], often: float) -> bool:
    """Whether its highest or its lowest value, which is there `often`, is one at which all that would lie beyond is gathered."""
    _, counts = np.unique(values, return_counts=True)
    if len(counts) == 2:  # from one limit to the other
        return True
    return any(
        limit >= often and limit > _HEAPED * beside
        for limit, beside in ((counts[0], counts[1]), (counts[-1], counts[-2]))
    )
