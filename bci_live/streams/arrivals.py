"""From samples as they come to what the ring takes: each once, in order, dated. Live and from files alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bci_live.streams.dejitter import FLOOR_S, Dejitter
from bci_live.streams.health import HealthMeter, StreamHealth
from bci_live.types import Chunk, FloatArray, TimeArray

# A packet that is sent twice comes soon after its first.
_TWICE_WITHIN_S = 1.0
# By so much of a period at most the stamps of a chunk are corrected, so that time never goes back.
_CORRECTED_PERIODS = 0.2


class Arrivals:
    """One stream's dejitter, with what has to be left out before it and after it, and the count of all that.

    Left out are samples that came twice (same stamp, same values) and those that were overtaken: their hole is told
    already, and nothing can be put into it afterwards.
    """

    def __init__(self, rate: float, n_channels: int) -> None:
        self._dejitter = Dejitter(rate)
        self._rate, self._offset_s = rate, 0.0
        self._meter = HealthMeter(rate)
        self._kept = max(1, int(rate * _TWICE_WITHIN_S))
        self._stamps: TimeArray = np.full(self._kept, np.nan)
        self._samples: FloatArray = np.zeros((self._kept, n_channels), np.float32)
        self._count = 0
        self._newest = -np.inf

    @property
    def health(self) -> StreamHealth:
        """What was wrong until now, counted."""
        return self._meter.health

    def take(self, samples: FloatArray, stamps: TimeArray, arrived: float, offset_s: float = 0.0) -> Chunk:
        """`samples` (n, channels), µV, with their raw `stamps` (n,), s, as a chunk that may be shorter.

        `offset_s`: what brings the stamps on the local clock, as it is known now.
        """
        stamps = stamps + self._corrected(offset_s)
        in_order = bool(len(stamps) and stamps[0] > self._newest and (stamps[1:] > stamps[:-1]).all())
        twice = None if in_order else self._twice(samples, stamps)
        self._remember(samples, stamps)
        if twice is not None and twice.any():
            samples, stamps = samples[~twice], stamps[~twice]
        done = self._dejitter.straighten(stamps)
        times, breaks = done.times, done.breaks
        self._meter.add_raw(samples, stamps, 0 if twice is None else int(twice.sum()), len(done.late))
        if done.late:
            samples, times = np.delete(samples, done.late, axis=0), np.delete(times, done.late)
            breaks = tuple(index - sum(late < index for late in done.late) for index in breaks)
        self._meter.add_jumps(done.jumps, arrived)
        return Chunk(samples, times, arrived, breaks, self._dejitter.doubtful)

    def _corrected(self, offset_s: float) -> float:
        """The offset to use: a better measurement of it moves the dejitter along, or it would pass for a loss.

        One that is as far away as no jitter is comes from another clock, or from one that was set: that is a break.
        """
        change = offset_s - self._offset_s
        if self._count and abs(change) < FLOOR_S:
            most = _CORRECTED_PERIODS / self._rate
            change = min(max(change, -most), most)
            self._dejitter.move(change)
        self._offset_s += change
        return self._offset_s

    def _twice(self, samples: FloatArray, stamps: TimeArray) -> NDArray[np.bool_]:
        """Which of the new samples were there already."""
        twice = np.zeros(len(stamps), dtype=bool)
        before = np.fmax.accumulate(np.append(self._newest, stamps))[:-1]
        for index in np.flatnonzero(stamps <= before).tolist():
            since = max(0, index - self._kept)
            here = since + np.flatnonzero(stamps[since:index] == stamps[index])
            earlier = np.flatnonzero(self._stamps == stamps[index])
            ages = (self._count - 1 - earlier) % self._kept
            # As far back as within one chunk: chunking changes nothing.
            earlier = earlier[index + 1 + ages <= self._kept]
            rows = [*samples[here], *self._samples[earlier]]
            if rows and self._is_like_the_last(index, samples, stamps):
                continue
            twice[index] = any(row.tobytes() == samples[index].tobytes() for row in rows)
        return twice

    def _is_like_the_last(self, index: int, samples: FloatArray, stamps: TimeArray) -> bool:
        """Whether stamp and values are those of the sample before: a dead electrode in a packet with one stamp, no repetition."""
        last = (self._count - 1) % self._kept
        stamp, row = (stamps[index - 1], samples[index - 1]) if index else (self._stamps[last], self._samples[last])
        return bool(stamp == stamps[index] and row.tobytes() == samples[index].tobytes())

    def _remember(self, samples: FloatArray, stamps: TimeArray) -> None:
        """Into circular arrays: what is older than they are long is written over."""
        kept = min(len(stamps), self._kept)
        place = (self._count + len(stamps) - kept) % self._kept
        until_edge = min(kept, self._kept - place)
        for ring, new in ((self._stamps, stamps[len(stamps) - kept :]), (self._samples, samples[len(stamps) - kept :])):
            ring[place : place + until_edge] = new[:until_edge]
            ring[: kept - until_edge] = new[until_edge:]
        self._count += len(stamps)
        finite = stamps[np.isfinite(stamps)]
        self._newest = max(self._newest, float(finite.max(initial=-np.inf)))
