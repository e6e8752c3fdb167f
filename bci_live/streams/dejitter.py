"""Straightens time stamps that arrive in jittered packets, and tells lost samples from jitter."""

from __future__ import annotations

import math

import numpy as np

from bci_live.types import TimeArray

# Memory of the tracking loop: long against packet jitter, short against a warming oscillator.
MEMORY_S = 10.0
# A residual beyond the larger of these is no jitter: samples were lost, or the sender's clock stepped.
FLOOR_S = 0.02
FIRST_FLOOR_S = 0.075
JITTERS = 10.0
# A smaller loss hides in the jitter, but shifts every stamp after it to one side: residuals that for so long are all
# beyond the larger of these are a loss, too. (Muse packets: never all beyond 5 ms for 0.15 s without one.)
SHIFT_S = 0.25
SHIFT_FLOOR_S = 0.003
SHIFT_JITTERS = 2.5
# By so much jitter may grow from none at all.
_LEAST_S = 1e-4


class Dejitter:
    """A second-order tracking loop over one stream's stamps; every sample moves it, so chunking changes nothing.

    Unlike a recursion that counts samples across a loss (liblsl's `proc_dejitter`), a residual that is many times the usual
    one begins a new segment at the new stamp; residuals that stay on one side begin one, too, a moment after the loss.
    State: time and period of the last sample, mean absolute residual, and the residuals since they are on one side.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._period = 1.0 / rate if rate else 0.0
        self._time = 0.0
        self._seen = 0
        self._in_segment = 0
        self._jitter = 0.0
        self._shifted = 0
        self._shift = 0.0

    def straighten(self, stamps: TimeArray) -> tuple[TimeArray, tuple[int, ...]]:
        """The straightened times of the next stamps (n,), s, and the indices at which a new segment begins.

        An irregular stream (rate 0) keeps its stamps.
        """
        if not self._rate:
            return np.array(stamps, dtype=np.float64), ()
        times = np.empty(len(stamps), dtype=np.float64)
        breaks = []
        for index, stamp in enumerate(stamps.tolist()):
            if self._advance(stamp):
                breaks.append(index)
            times[index] = self._time
        return times, tuple(breaks)

    def _advance(self, stamp: float) -> bool:
        """Take one stamp; True when it begins a new segment after others were seen."""
        self._seen += 1
        predicted = self._time + self._period
        # One stamp that is no number must not spoil all that follow.
        residual = stamp - predicted if math.isfinite(stamp) else 0.0
        if self._seen == 1 or abs(residual) > self._limit():
            self._time, self._in_segment = predicted + residual, 1
            self._shifted, self._shift = 0, 0.0
            return self._seen > 1
        if self._is_shifted(residual):
            self._time, self._in_segment = predicted + self._shift / self._shifted, self._shifted
            self._shifted, self._shift = 0, 0.0
            return True
        self._in_segment += 1
        # A growing average until the memory is full, then a constant gain; the period follows critically damped.
        memory = MEMORY_S * self._rate
        gain = 1.0 / min(self._in_segment, memory)
        # Times stay ordered whatever a packet's first stamps do.
        self._time = max(predicted + gain * residual, self._time + 0.25 * self._period)
        if self._in_segment > memory:
            self._period += 0.25 * gain * gain * residual
        # What may be a loss must not pass for jitter: after many of them nothing would be a loss any more.
        strayed = (
            abs(residual) if self._seen <= self._rate else min(abs(residual), SHIFT_JITTERS * self._jitter + _LEAST_S)
        )
        self._jitter += (strayed - self._jitter) / min(self._seen, memory)
        return False

    def _is_shifted(self, residual: float) -> bool:
        """Whether the residuals have been clearly on one side for so long that samples must have been lost."""
        if abs(residual) <= max(SHIFT_FLOOR_S, SHIFT_JITTERS * self._jitter):
            self._shifted, self._shift = 0, 0.0
            return False
        if residual * self._shift < 0:
            self._shifted, self._shift = 0, 0.0
        self._shifted += 1
        self._shift += residual
        settled = self._seen > self._rate and self._in_segment > SHIFT_S * self._rate
        return settled and self._shifted >= SHIFT_S * self._rate

    def _limit(self) -> float:
        floor = FLOOR_S if self._seen > self._rate else FIRST_FLOOR_S
        return max(floor, JITTERS * self._jitter)
