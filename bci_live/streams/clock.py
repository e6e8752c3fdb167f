"""The local LSL clock, and the offset of a sender's clock to it."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from statistics import median

import pylsl

local_clock = pylsl.local_clock

_EVERY_S = 5.0
_KEPT = 12
# Two measurements in a row that agree and are so far from those before: the sender's clock was set anew.
_STEP_S = 0.1


class ClockOffset:
    """The sender's clock offset, measured every few seconds; the median of the last minute, so one bad probe moves nothing."""

    def __init__(self, inlet: pylsl.StreamInlet) -> None:
        self._inlet = inlet
        self._measured: deque[float] = deque(maxlen=_KEPT)
        self._next = 0.0

    def seconds(self, timeout: float = 0.0) -> float:
        """What to add to the sender's stamps, s; 0 until it could be measured. Waits at most `timeout` for a new measurement."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY_S
            # Between a lost outlet and its return there is nothing to measure: the old offset holds.
            with suppress(TimeoutError, pylsl.util.TimeoutError, pylsl.util.LostError):
                self._measured.append(self._inlet.time_correction(timeout=timeout or 0.001))
                self._forget_another_clock()
        return median(self._measured) if self._measured else 0.0

    def _forget_another_clock(self) -> None:
        if len(self._measured) < 3:
            return
        *before, last, newest = self._measured
        if abs(newest - last) < _STEP_S < min(abs(it - median(before)) for it in (last, newest)):
            self._measured.clear()
            self._measured.extend((last, newest))
