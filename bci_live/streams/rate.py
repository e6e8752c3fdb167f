"""How fast a stream really is, now."""

from __future__ import annotations

from collections import deque


class RateMeter:
    """Samples a second over the last few seconds: `hertz`, 0 as long as half a second was not heard."""

    def __init__(self, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._arrivals: deque[tuple[float, int]] = deque()
        self._total = 0
        self.hertz = 0.0

    def add(self, samples: int, arrived: float) -> None:
        """So many came at the time `arrived`, s."""
        self._total += samples
        self._arrivals.append((arrived, self._total))
        while arrived - self._arrivals[0][0] > self._seconds:
            self._arrivals.popleft()
        since, then = self._arrivals[0]
        if arrived - since > 0.5:
            self.hertz = (self._total - then) / (arrived - since)
