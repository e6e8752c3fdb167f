"""Windows without markers: one is cut every so many seconds, whatever was shown."""

from __future__ import annotations

from collections.abc import Callable

import pylsl

from bci_live.live.protocols import MarkerSource
from bci_live.types import Marker

# No label of any catalogue: what was shown is not known.
LABEL = "(no marker)"
STREAM = "sliding window"


class SlidingMarkers:
    """The markers of `source`, and, while `every_s` is set, one of our own at such intervals."""

    def __init__(self, source: MarkerSource, clock: Callable[[], float]) -> None:
        self._source, self._clock = source, clock
        self.every_s: float | None = None
        self._last = -float("inf")

    @property
    def info(self) -> pylsl.StreamInfo | None:
        """The marker stream, None as long as it is waited for."""
        return self._source.info

    def pop(self) -> list[Marker]:
        """The markers since the last call."""
        markers, every, now = self._source.pop(), self.every_s, self._clock()
        if every is not None and now - self._last >= every:
            # In step, as long as nothing held it up.
            self._last = self._last + every if now - self._last < 2 * every else now
            markers.append(Marker(LABEL, now, STREAM))
        return markers

    def pop_dropped(self) -> int:
        """How many were dropped since the last call, because too many were waiting."""
        return self._source.pop_dropped()

    def trouble(self) -> str:
        """Why no markers come; where windows slide, none are needed."""
        return "" if self.every_s is not None else self._source.trouble()


def is_sliding(marker: Marker) -> bool:
    """Whether it is none of a marker stream's."""
    return (marker.label, marker.stream) == (LABEL, STREAM)
