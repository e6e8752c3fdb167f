"""EEG samples → the lowest and highest value in each column of pixels, in a ring: arithmetic, no Qt."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bci_live.types import FloatArray, TimeArray


class Changed(NamedTuple):
    """The columns from `first` until before `end` are to be drawn anew; counted since time 0."""

    first: int
    end: int


class ColumnRing:
    """The last `seconds` in `width` columns, each with the lowest and highest value of every channel.

    No spike is lost and no point is drawn in vain. The line from sample to sample is part of the columns that it crosses, so
    that neighbours touch whatever the rate. Columns are anchored to the absolute time: a peak keeps its shape while it
    scrolls. Across a break there is no line, and columns without samples are NaN.

    `low`, `high`: (channels, width), µV; a column counted since time 0 lies at its number modulo `width`.
    `newest`: the time of the newest sample, s, None before the first. `last`: its column.
    """

    def __init__(self, channels: int, width: int, seconds: float) -> None:
        self.width = max(width, 1)
        self.column_s = seconds / self.width
        self.low = np.full((channels, self.width), np.nan, np.float32)
        self.high = self.low.copy()
        self.newest: float | None = None
        self.last = 0
        self._before: FloatArray | None = None

    def clear(self) -> None:
        """Forget everything."""
        self.low[:], self.high[:] = np.nan, np.nan
        self.newest, self._before = None, None

    def column(self, time: float) -> int:
        """The column that `time`, s, lies in."""
        return int(np.floor(time / self.column_s))

    def order(self) -> NDArray[np.intp]:
        """Where the columns lie, oldest first."""
        return np.arange(self.last + 1 - self.width, self.last + 1) % self.width

    def add(self, samples: FloatArray, times: TimeArray, breaks: tuple[int, ...] = ()) -> Changed:
        """Append `samples` (n, channels), µV, at `times` (n,), s, with a break before each index of `breaks`.

        Where the sender's clock went back, all that was before is forgotten: it would be drawn over.
        """
        starts = [0, *(index for index in breaks if 0 < index < len(times)), len(times)]
        begun: int | None = None
        for start, end in itertools.pairwise(starts):
            if start == end:
                continue
            joined = start not in breaks
            if self.newest is not None and times[start] <= self.newest:
                self.clear()
                begun, joined = None, False
            first = self._add_segment(samples[start:end], times[start:end], joined)
            begun = first if begun is None else min(begun, first)
        oldest = self.last + 1 - self.width
        return Changed(self.last + 1, self.last + 1) if begun is None else Changed(max(begun, oldest), self.last + 1)

    def _add_segment(self, samples: FloatArray, times: TimeArray, joined: bool) -> int:
        """Returns the first column that changed."""
        newest, before = self.newest, self._before
        if joined and newest is not None and before is not None:
            samples, times = np.concatenate([before, samples]), np.concatenate([[newest], times])
        numbers = np.floor(times / self.column_s).astype(np.int64)
        first, last = int(numbers[0]), int(numbers[-1])
        changed = first
        if newest is None:
            self.last = first - 1
        if last > self.last:
            changed = min(first, self.last + 1)
            entered = np.arange(max(self.last + 1, last + 1 - self.width), last + 1) % self.width
            self.low[:, entered], self.high[:, entered] = np.nan, np.nan
            self.last = last
        low, high = extremes(samples, times, numbers, self.column_s)
        kept = min(len(low), self.width)
        places = np.arange(last + 1 - kept, last + 1) % self.width
        self.low[:, places] = np.fmin(self.low[:, places], low[-kept:].T)
        self.high[:, places] = np.fmax(self.high[:, places], high[-kept:].T)
        self.newest, self._before = float(times[-1]), samples[-1:].copy()
        return changed


def extremes(
    samples: FloatArray, times: TimeArray, numbers: NDArray[np.int64], column_s: float
) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest value of the line through `samples` in each column from the first to the last: (columns, channels).

    To and from what is no number there is no line; its column has what numbers there are, NaN where there are none.
    """
    first, last = int(numbers[0]), int(numbers[-1])
    starts = np.flatnonzero(np.diff(numbers, prepend=first - 1))
    low = np.full((last + 1 - first, samples.shape[1]), np.inf, np.float32)
    high = -low
    low[numbers[starts] - first] = np.fmin.reduceat(samples, starts, axis=0)
    high[numbers[starts] - first] = np.fmax.reduceat(samples, starts, axis=0)
    if last > first:
        edges = np.arange(first + 1, last + 1) * column_s
        after = np.clip(np.searchsorted(times, edges), 1, len(times) - 1)
        share = ((edges - times[after - 1]) / (times[after] - times[after - 1]))[:, None].astype(np.float32)
        crossing = samples[after - 1] * (1 - share) + samples[after] * share
        for side in (slice(1, None), slice(None, -1)):  # the line leaves one column where it enters the next
            low[side] = np.fmin(low[side], crossing)
            high[side] = np.fmax(high[side], crossing)
    empty = np.isinf(low)
    low[empty] = high[empty] = np.nan
    return low, high
