"""Straightens time stamps that arrive in jittered packets, and tells lost samples from jitter."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bci_live.types import TimeArray

# Memory of the tracking loop once it has settled: long against packet jitter, short against a warming oscillator.
MEMORY_S = 10.0
# How far a stream's true rate usually is from the announced one, and how jittered stamps are to begin with (packets of a
# dozen samples, 5 ms each): by these the loop learns the rate within seconds, but not from the first packets.
RATE_OFF = 0.002
FIRST_VARIANCE_S2 = 12 * 0.005**2
# A residual beyond the larger of these is no jitter: samples were lost, or the sender's clock stepped.
FLOOR_S = 0.02
FIRST_FLOOR_S = 0.075
JITTERS = 10.0
# A smaller loss hides in the jitter, but shifts every stamp after it to one side: residuals that for so long are in the
# mean beyond the larger of these, and none of them less than half as far, are a loss, too. The floor is half a period,
# half of what the loss of one sample shifts, and no more than 3 ms. (Muse packets: never all beyond 5 ms for 0.15 s
# without one.)
SHIFT_S = 0.25
SHIFT_FLOOR_S = 0.003
SHIFT_PERIODS = 0.5
SHIFT_JITTERS = 2.5
# By so much jitter may grow from none at all.
_LEAST_S = 1e-4
# A packet that was overtaken fills a hole of at most so long, within as long after it.
_OVERTAKEN_S = 0.5


@dataclass(frozen=True, slots=True)
class Straightened:
    """What became of n stamps.

    `times`: (n,), s. `breaks`: where new segments begin; both ends of a stretch in which a small loss was not yet told
    from jitter, whose beginning may lie in stamps of before (a negative index). `jumps`: of each break, by how much more
    than a period the time goes on there, s. `late`: those that were overtaken by others, which belong into a hole that
    is told already, and those without a time before the first that has one.
    """

    times: TimeArray
    breaks: tuple[int, ...] = ()
    jumps: tuple[float, ...] = ()
    late: tuple[int, ...] = ()


class Dejitter:
    """A Kalman filter for the time and the period of one stream's samples; every sample moves it, so chunking changes nothing.

    Unlike a recursion that counts samples across a loss (liblsl's `proc_dejitter`), a residual that is many times the usual
    one begins a new segment at the new stamp; residuals that stay on one side begin one, too, a moment after the loss.
    Covariances are in units of the stamps' variance; the period's own wandering is such that the gain settles at
    1/memory (a tracking filter with constant gain; Kalata 1984).
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._period = 1.0 / rate if rate else 0.0
        self._time = 0.0
        self._seen = 0
        self._in_segment = 0
        self._jitter = 0.0
        self._shifted = 0
        self._shift = self._held = self._held_period = 0.0
        self._hole = (math.inf, -math.inf)
        self._tt, self._tp = 0.0, 0.0
        self._pp = (RATE_OFF * self._period) ** 2 / FIRST_VARIANCE_S2
        self._wander = 0.25 / (MEMORY_S * rate) ** 4 if rate else 0.0

    @property
    def doubtful(self) -> int:
        """How many of the last stamps may lie behind a loss that is not told from jitter yet."""
        return self._shifted

    def straighten(self, stamps: TimeArray) -> Straightened:
        """Take the next stamps (n,), s. An irregular stream (rate 0) keeps its stamps."""
        if not self._rate:
            return Straightened(np.array(stamps, dtype=np.float64))
        times = np.empty(len(stamps), dtype=np.float64)
        breaks: list[int] = []
        jumps: list[float] = []
        late: list[int] = []
        for index, stamp in enumerate(stamps.tolist()):
            if not self._seen and not math.isfinite(stamp):  # nothing tells yet when it was
                late.append(index)
                times[index] = stamp
                continue
            self._seen += 1
            predicted = self._time + self._period
            # One stamp that is no number must not spoil all that follow.
            residual = stamp - predicted if math.isfinite(stamp) else 0.0
            if abs(residual) > self._limit() or self._seen == 1:
                if self._is_overtaken(stamp):
                    late.append(index)
                    times[index] = stamp
                    continue
                if self._seen > 1:
                    if self._shifted:  # what came before it belongs behind the same hole, or is as doubtful
                        breaks.append(index - self._shifted)
                        jumps.append(0.0)
                    breaks.append(index)
                    jumps.append(residual)
                    self._hole = (predicted, stamp) if 0 < residual < _OVERTAKEN_S else (math.inf, -math.inf)
                self._begin(stamp, 1)
            elif self._is_shifted(predicted, residual):
                breaks += [index - self._shifted + 1, index]
                jumps += [self._shift / self._shifted, 0.0]
                self._period = self._held_period
                self._begin(self._held + self._shift / self._shifted, self._shifted)
            else:
                self._follow(predicted, residual)
            times[index] = self._time
        return Straightened(times, tuple(breaks), tuple(jumps), tuple(late))

    def move(self, seconds: float) -> None:
        """The clock that the stamps are of is corrected by so much from now on."""
        self._time += seconds
        self._held += seconds

    def _begin(self, time: float, stamps: int) -> None:
        """A new segment at `time`, which is the mean of so many stamps. What is known of the period stays."""
        self._time, self._in_segment = time, stamps
        self._tt, self._tp = 1.0 / stamps, 0.0
        self._shifted, self._shift = 0, 0.0

    def _follow(self, predicted: float, residual: float) -> None:
        self._in_segment += 1
        tp = self._tp + self._pp
        tt = self._tt + self._tp + tp
        gain, period_gain = tt / (tt + 1), tp / (tt + 1)
        # Times stay ordered whatever a packet's first stamps do.
        self._time = max(predicted + gain * residual, self._time + 0.25 * self._period)
        self._period += period_gain * residual
        self._tt, self._tp, self._pp = gain, period_gain, self._pp - period_gain * tp + self._wander
        # What may be a loss must not pass for jitter: after many of them nothing would be a loss any more.
        strayed = abs(residual)
        if self._seen > self._rate:
            strayed = min(strayed, SHIFT_JITTERS * self._jitter + _LEAST_S)
        self._jitter += (strayed - self._jitter) / min(self._seen, MEMORY_S * self._rate)

    def _is_shifted(self, predicted: float, residual: float) -> bool:
        """Whether stamps have been clearly on one side for so long that samples must have been lost.

        Of where the loop was when that began, since it follows a loss as it follows all else.
        """
        unmoved = self._held + self._held_period if self._shifted else predicted
        away = predicted + residual - unmoved
        clearly = self._clearly()
        if self._shifted and (away * self._shift < 0 or abs(away) <= 0.5 * clearly):
            self._shifted, self._shift = 0, 0.0
            unmoved, away = predicted, residual
        if not self._shifted:
            if abs(away) <= clearly:
                return False
            self._held_period = self._period
        self._held = unmoved
        self._shifted += 1
        self._shift += away
        settled = self._seen > self._rate and self._in_segment > SHIFT_S * self._rate
        return settled and self._shifted >= SHIFT_S * self._rate and abs(self._shift) > clearly * self._shifted

    def _clearly(self) -> float:
        return max(min(SHIFT_FLOOR_S, SHIFT_PERIODS / self._rate), SHIFT_JITTERS * self._jitter)

    def _is_overtaken(self, stamp: float) -> bool:
        """Whether the stamp lies in the hole that was just told, and not long after it."""
        begin, end = self._hole
        half = 0.5 * self._period
        return begin - half < stamp < end - half and self._time - end < _OVERTAKEN_S

    def _limit(self) -> float:
        floor = FLOOR_S if self._seen > self._rate else FIRST_FLOOR_S
        return max(floor, JITTERS * self._jitter)
