"""What is wrong with a stream's samples and stamps, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bci_live.types import FloatArray, TimeArray

# Stamps that jump so much further than time went by meanwhile were not lost samples: the sender's clock was set. Less is
# what radio delays a packet by, so a smaller step is counted as a loss.
_STEP_S = 0.3


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """Counts since the stream was opened.

    `lost`: samples missing in its gaps, by their stamps. `clock_steps`: times that the sender's clock was set.
    `twice`: samples that came a second time, `late`: those that were overtaken by others; both are left out.
    `repeated`, `backwards`: stamps equal to the one before, or earlier (packets of some headsets have both, and are
    straightened). `not_numbers`: values that are NaN or infinite.
    """

    lost: int = 0
    clock_steps: int = 0
    twice: int = 0
    late: int = 0
    repeated: int = 0
    backwards: int = 0
    not_numbers: int = 0


class HealthMeter:
    """Looks at each chunk once; `health` is the result so far."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._last_stamp, self._last_arrived = -np.inf, -np.inf
        self.health = StreamHealth()

    def add_raw(self, samples: FloatArray, stamps: TimeArray, twice: int, late: int) -> None:
        """What came: `samples` (n, channels) with raw `stamps` (n,); how many more came twice, how many of these late."""
        with np.errstate(invalid="ignore", over="ignore"):  # stamps and values of infinity
            steps = np.diff(stamps, prepend=self._last_stamp)
            sound = np.isfinite(samples.sum())  # cheaper than to look at each; mostly they are all numbers
        self._last_stamp = float(stamps[-1]) if len(stamps) else self._last_stamp
        if sound and not (twice or late) and (steps > 0).all():
            return
        before = self.health
        self.health = replace(
            before,
            twice=before.twice + twice,
            late=before.late + late,
            repeated=before.repeated + int((steps == 0).sum()),
            backwards=before.backwards + int((steps < 0).sum()),
            not_numbers=before.not_numbers + int(samples.size - np.isfinite(samples).sum()),
        )

    def add_jumps(self, jumps: Sequence[float], arrived: float) -> None:
        """By how much more than a period the time went on at each interruption, s, in what came at `arrived`."""
        longest = arrived - self._last_arrived + _STEP_S
        self._last_arrived = arrived
        if not jumps:
            return
        set_anew = [jump for jump in jumps if not 0 <= jump <= longest]
        before = self.health
        self.health = replace(
            before,
            lost=before.lost + sum(round(jump * self._rate) for jump in jumps if 0 <= jump <= longest),
            clock_steps=before.clock_steps + len(set_anew),
        )
