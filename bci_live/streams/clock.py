"""The local LSL clock, and the offset of a sender's clock to it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import combinations
from statistics import median

import pylsl

local_clock = pylsl.local_clock

_EVERY_S = 5.0
_KEPT = 12
# Over a shorter time two measurements tell nothing of a drift.
_BASELINE_S = 15.0
# Two measurements in a row that agree and are so far from those before: the sender's clock was set anew.
_STEP_S = 0.1


class ClockOffset:
    """The sender's clock offset, measured every few seconds, and its drift: a line through the last minute.

    Its slope is the median of those between any two measurements (Theil and Sen), its height the median of what is left,
    so one bad probe moves nothing; and two clocks that drift apart are followed, where a median alone would lag by half
    a minute.
    """

    def __init__(self, inlet: pylsl.StreamInlet, clock: Callable[[], float] = time.monotonic) -> None:
        self._inlet, self._clock = inlet, clock
        self._measured: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._next = 0.0
        self._height = self._slope = 0.0

    def seconds(self, timeout: float = 0.0) -> float:
        """What to add to the sender's stamps, s; 0 until it could be measured. Waits at most `timeout` for a new measurement."""
        now = self._clock()
        if now >= self._next:
            self._next = now + _EVERY_S
            # Between a lost outlet and its return there is nothing to measure: the old line holds.
            with suppress(TimeoutError, pylsl.util.TimeoutError, pylsl.util.LostError):
                self._measured.append((now, self._inlet.time_correction(timeout=timeout or 0.001)))
                self._forget_another_clock()
                self._fit()
        return self._height + self._slope * now

    def of_another_clock(self, timeout: float) -> float:
        """The same for a sender that was started anew, whose clock may be another: what was measured before counts no more."""
        before = [*self._measured]
        self._measured.clear()
        self._next = 0.0
        offset = self.seconds(timeout)
        if not self._measured:
            self._measured.extend(before)
        return offset

    def _fit(self) -> None:
        slopes = [
            (later[1] - sooner[1]) / (later[0] - sooner[0])
            for sooner, later in combinations(self._measured, 2)
            if later[0] - sooner[0] >= _BASELINE_S
        ]
        self._slope = median(slopes) if slopes else 0.0
        self._height = median(offset - self._slope * at for at, offset in self._measured)

    def _forget_another_clock(self) -> None:
        if len(self._measured) < 3:
            return
        *before, last, newest = self._measured
        usual = median(offset for _, offset in before)
        if abs(newest[1] - last[1]) < _STEP_S < min(abs(it[1] - usual) for it in (last, newest)):
            self._measured.clear()
            self._measured.extend((last, newest))
