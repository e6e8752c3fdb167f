"""The last minute of a stream: one writer, any readers, one short lock, and it knows its gaps."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bci_live.types import Chunk, FloatArray, MissedReason


@dataclass(frozen=True, slots=True)
class Window:
    """A contiguous stretch. `samples`: (n, channels). `onset`: time of the onset sample. `arrived`: of the last one."""

    samples: FloatArray
    onset: float
    arrived: float


class RingBuffer:
    """Fixed circular arrays, addressed by the running count of samples. Not lock-free: torn reads are worse than 5 µs.

    Channels lie side by side in memory, as epochs have them: a window is a copy of whole stretches, not of single values.
    """

    def __init__(self, n_channels: int, rate: float, seconds: float) -> None:
        self.rate = rate
        self.capacity = max(int(rate * seconds), 1)
        # Filled, not `zeros`, which takes memory only when it is written to: then a session could run out of it half-way.
        self._samples = np.full((n_channels, self.capacity), 0, dtype=np.float32)
        self._times = np.full(self.capacity, 0, dtype=np.float64)
        self._count = 0
        self._segments: deque[int] = deque([0])
        self._ends: deque[int] = deque()
        self._arrivals: deque[float] = deque()
        self._doubtful = 0
        self._breaks_seen = 0
        self._went_back = 0
        self._changed = threading.Condition()

    @property
    def count(self) -> int:
        """How many samples were ever written."""
        return self._count

    @property
    def breaks_seen(self) -> int:
        """How many times the stream was interrupted."""
        return self._breaks_seen

    @property
    def went_back(self) -> int:
        """How many times the stamps went back over an interruption: then one time means two samples."""
        return self._went_back

    @property
    def last_arrival(self) -> float | None:
        """When the newest chunk came in, s; None before the first."""
        with self._changed:
            return self._arrivals[-1] if self._arrivals else None

    def write(self, chunk: Chunk) -> None:
        """Append a chunk; what is older than the ring is long is forgotten."""
        n = len(chunk.times)
        if not n:
            return
        with self._changed:
            kept = min(n, self.capacity)
            first = self._count + n - kept
            place = first % self.capacity
            until_edge = min(kept, self.capacity - place)
            for ring, new in ((self._samples, chunk.samples[n - kept :].T), (self._times, chunk.times[n - kept :])):
                ring[..., place : place + until_edge] = new[..., :until_edge]
                ring[..., : kept - until_edge] = new[..., until_edge:]
            steps = self._steps(chunk)
            self._went_back += sum(step <= 0 for step in steps)
            self._breaks_seen += sum(not 0.5 <= step * self.rate <= 1.5 for step in steps)
            self._segments.extend(max(0, self._count + index) for index in chunk.breaks)
            self._doubtful = chunk.doubtful
            self._count += n
            self._ends.append(self._count)
            self._arrivals.append(chunk.arrived)
            self._forget()
            self._changed.notify_all()

    def window(self, time: float, before: int, after: int) -> Window | MissedReason | None:
        """The stretch from `before` samples before the sample nearest to `time` until `after` samples from it on.

        None while it is not complete, or may turn out to hold a gap; GAP when it touches an interruption; TOO_OLD when
        (part of) it is no longer, or was never, in the ring.
        """
        with self._changed:
            found = self._segment_at(time)
            if not isinstance(found, tuple):
                return found
            start, end = found
            onset = self._nearest(time, start, end)
            oldest = max(0, self._count - self.capacity)
            if onset - before < max(start, oldest):
                return MissedReason.GAP if start > oldest else MissedReason.TOO_OLD
            if onset + after > end:
                return None if end == self._count else MissedReason.GAP
            if onset + after > self._count - self._doubtful:
                return None
            samples = self._copy(self._samples, onset - before, onset + after).T
            arrived = self._arrivals[bisect_left(self._ends, onset + after)]
            return Window(samples, float(self._times[onset % self.capacity]), arrived)

    def latest(self, seconds: float) -> Chunk:
        """A copy of the newest `seconds`, for the display."""
        count = self._count
        return self.between(count - int(seconds * self.rate), count)

    def between(self, start: int, end: int) -> Chunk:
        """A copy of the samples from running index `start` until before `end`, as far as the ring still holds them."""
        with self._changed:
            start = max(0, start, self._count - self.capacity)
            end = min(end, self._count)
            breaks = tuple(segment - start for segment in self._segments if start < segment < end)
            arrived = self._arrivals[-1] if self._arrivals else 0.0
            samples, times = (self._copy(ring, start, end) for ring in (self._samples, self._times))
            return Chunk(samples.T, times, arrived, breaks)

    def wait_newer(self, than_count: int, timeout: float) -> int:
        """Block until more samples than `than_count` were written, at most `timeout` seconds; returns the count."""
        with self._changed:
            self._changed.wait_for(lambda: self._count > than_count, timeout)
            return self._count

    def _steps(self, chunk: Chunk) -> list[float]:
        """From the sample before each break in the chunk to the one after it, s."""
        last = self._times[(self._count - 1) % self.capacity] if self._count else -np.inf
        return [chunk.times[it] - (chunk.times[it - 1] if it else last) for it in chunk.breaks if it >= 0]

    def _segment_at(self, time: float) -> tuple[int, int] | MissedReason | None:
        """First and end index of the newest segment that holds `time`."""
        if not self._count:
            return None
        oldest = max(0, self._count - self.capacity)
        half = 0.5 / self.rate
        end = self._count
        for start in reversed(self._segments):
            first = max(start, oldest)
            if time > self._times[(end - 1) % self.capacity] + half:
                return None if end == self._count else MissedReason.GAP
            if time >= self._times[first % self.capacity] - half:
                return start, end
            end = start
            if end <= oldest:
                break
        return MissedReason.TOO_OLD

    def _nearest(self, time: float, start: int, end: int) -> int:
        first = max(start, self._count - self.capacity, 0)
        index = first + bisect_left(range(end - first), time, key=lambda i: self._times[(first + i) % self.capacity])
        if index == end:
            return end - 1
        if index > first:
            below, above = self._times[(index - 1) % self.capacity], self._times[index % self.capacity]
            if time - below <= above - time:
                return index - 1
        return index

    def _copy(self, ring: NDArray[Any], start: int, end: int) -> NDArray[Any]:
        place, n = start % self.capacity, max(0, end - start)
        until_edge = min(n, self.capacity - place)
        return np.concatenate([ring[..., place : place + until_edge], ring[..., : n - until_edge]], axis=-1)

    def _forget(self) -> None:
        oldest = self._count - self.capacity
        while len(self._segments) > 1 and self._segments[1] <= oldest:
            self._segments.popleft()
        while self._ends[0] <= oldest:
            self._ends.popleft()
            self._arrivals.popleft()
