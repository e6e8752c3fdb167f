"""What is wrong with a stream's samples and stamps, counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bci_live.types import FloatArray, TimeArray

# Stamps that jump so much further than time went by meanwhile were not lost samples: the sender's clock was set.
_STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """Counts since the stream was opened.

    `lost`: samples missing in its gaps, by their stamps. `clock_steps`: times that the sender's clock was set.
    `repeated`, `backwards`: stamps equal to the one before, or earlier (packets of some headsets have both, and are
    straightened). `not_numbers`: values that are NaN or infinite.
    """

    lost: int = 0
    clock_steps: int = 0
    repeated: int = 0
    backwards: int = 0
    not_numbers: int = 0


class HealthMeter:
    """Looks at each chunk once; `health` is the result so far."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._last_stamp, self._last_time, self._last_arrived = -np.inf, -np.inf, -np.inf
        self.health = StreamHealth()

    def add(
        self, samples: FloatArray, stamps: TimeArray, times: TimeArray, breaks: tuple[int, ...], arrived: float
    ) -> None:
        """A chunk: `samples` (n, channels), raw `stamps` (n,), straightened `times` (n,), indices of its `breaks`."""
        steps = np.diff(stamps, prepend=self._last_stamp)
        jumps = np.diff(times, prepend=self._last_time)[list(breaks)]
        set_anew = (jumps < 0) | (jumps > arrived - self._last_arrived + _STEP_S)
        missing = np.round(jumps[~set_anew] * self._rate) - 1
        before = self.health
        self.health = replace(
            before,
            lost=before.lost + int(missing.clip(0).sum()),
            clock_steps=before.clock_steps + int(set_anew.sum()),
            repeated=before.repeated + int((steps == 0).sum()),
            backwards=before.backwards + int((steps < 0).sum()),
            not_numbers=before.not_numbers + int(samples.size - np.isfinite(samples).sum()),
        )
        self._last_stamp, self._last_time, self._last_arrived = float(stamps[-1]), float(times[-1]), arrived
