"""When each sample and each marker of a recording is due in a replay: arithmetic, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import pairwise

import numpy as np

from bci_live.errors import RecordingError
from bci_live.sessions.recording import Recording
from bci_live.types import TimeArray

# A marker whose time lies outside the EEG is sent at most so long before or after it.
MARKER_TAIL_S = 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is due when, in seconds since the beginning of a pass.

    `first`: the first sample played, `offset_s` after the recording's beginning. `samples`: (n - first,), when each
    sample is due, never falling. `markers`: the index of each marker played with when it is due.
    """

    first: int
    offset_s: float
    samples: TimeArray
    markers: tuple[tuple[int, float], ...]

    @property
    def length_s(self) -> float:
        """From the first sample to the last."""
        return float(self.samples[-1])

    @property
    def end_s(self) -> float:
        """From the recording's beginning to the last sample."""
        return self.offset_s + self.length_s

    def steps(self, chunk: int) -> Iterator[tuple[float, slice | int]]:
        """In the order of time: samples (a slice of at most `chunk`, due with its last one) and markers (an index)."""
        ends = [*range(chunk, len(self.samples), chunk), len(self.samples)]
        starts = range(0, len(self.samples), chunk)
        chunks = (
            (float(self.samples[end - 1]), slice(self.first + start, self.first + end))
            for start, end in zip(starts, ends, strict=True)
        )
        markers = ((due, index) for index, due in self.markers)
        return merge(chunks, markers, key=lambda step: step[0])


def make_schedule(recording: Recording, start_s: float = 0.0, lead_s: float = 0.0) -> Schedule:
    """Play `recording`, all of it dated, from `start_s` seconds after its beginning on; its samples from `lead_s` earlier on.

    Raises
    ------
    RecordingError
        If the recording is over before that.
    """
    times, breaks = recording.times()
    samples = _sample_deadlines(recording.stamps, breaks, 1 / recording.facts.rate)
    begin = int(np.searchsorted(samples, start_s))
    if begin == len(samples):
        raise RecordingError(
            f"'{recording.path}' lasts {samples[-1]:.1f} s and cannot start at {start_s:g} s: choose an earlier start."
        )
    first = int(np.searchsorted(samples, max(0.0, start_s - lead_s)))
    marker_times = np.array([marker.time for marker in recording.markers])
    markers = _marker_deadlines(marker_times, times, samples)
    origin = samples[first]
    # By the sample that is nearest to it, a marker belongs to what is skipped or to what is played.
    played = np.flatnonzero(markers >= samples[begin]) if begin else np.arange(len(markers))
    due = np.clip(markers[played] - origin, 0.0, samples[-1] - origin + MARKER_TAIL_S)
    order = np.argsort(due, kind="stable")
    return Schedule(
        first, float(origin), samples[first:] - origin, tuple((int(played[i]), float(due[i])) for i in order)
    )


def _sample_deadlines(stamps: TimeArray, breaks: tuple[int, ...], period: float) -> TimeArray:
    """A sample is due at its stamp, but not before its predecessor: packets stay packets, no stamp lies in the future.

    Where the stamps jump, a hole takes its time; a step back in the sender's clock takes none.
    """
    due = np.empty_like(stamps)
    bounds = [0, *breaks, len(stamps)]
    end_due, end_stamp = 0.0, stamps[0]
    for start, stop in pairwise(bounds):
        reached = np.maximum.accumulate(stamps[start:stop])
        pause = max(period, reached[0] - end_stamp) if start else 0.0
        due[start:stop] = end_due + pause + (reached - reached[0])
        end_due, end_stamp = due[stop - 1], reached[-1]
    return due


def _marker_deadlines(marker_times: TimeArray, times: TimeArray, due: TimeArray) -> TimeArray:
    """A marker is due with the sample nearest in straightened time, or as long before or after that as it lies off."""
    by_time = np.argsort(times, kind="stable")
    right = np.clip(np.searchsorted(times[by_time], marker_times), 0, len(times) - 1)
    left = np.maximum(right - 1, 0)
    nearer_left = marker_times - times[by_time[left]] <= times[by_time[right]] - marker_times
    nearest = by_time[np.where(nearer_left, left, right)]
    return due[nearest] + (marker_times - times[nearest])
