"""What a session's pictures add up to: the average response of each class, and how often the top label was right."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bci_live.live.sliding import is_sliding
from bci_live.types import Marker, Missed, MissedReason, Reconstruction

_Z95 = 1.959964
_MOST_TRIALS = 5000
# Decoded, but without a finished picture: whether the top label was right is not judged.
UNJUDGED = (MissedReason.UNSURE, MissedReason.INTERRUPTED)
# Of the trace's largest, a peak is so much at least; two are so far apart.
_PEAK_SHARE = 0.3
_APART_S = 0.05


@dataclass(frozen=True, slots=True)
class Average:
    """The mean `response` (channels, times), µV, of so many `trials` of a label, or of all together."""

    label: str
    response: NDArray[np.float64]
    trials: int


class Averages:
    """Takes a session's history again and again and adds each picture of a marker once."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.right: list[bool] = []
        self.unjudged: Counter[MissedReason] = Counter()  # beside those of `right`, which are judged
        self.version = 0  # another whenever something was added, or all of it begins anew
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._last: Marker | None = None
        self._last_missed: Missed | None = None
        self._counted: frozenset[Marker] = frozenset()

    def add(self, history: tuple[Reconstruction, ...], labels: Iterable[str]) -> bool:
        """The finished pictures, oldest first; whether any of them was new. `labels`: those whose truth is known."""
        known = frozenset(labels)
        new: list[Reconstruction] = []
        for reconstruction in reversed(history):
            if reconstruction.decoding.epoch.marker == self._last:
                break
            new.append(reconstruction)
        for reconstruction in reversed(new):
            self._add(reconstruction, known)
        self.version += bool(new)
        return bool(new)

    def add_missed(self, missed: tuple[Missed, ...], labels: Iterable[str]) -> None:
        """The recent ones, oldest first: of those that are new, what abstained or was interrupted is counted."""
        known, before = frozenset(labels), self.unjudged.total()
        for it in reversed(missed):
            if it is self._last_missed:
                break
            if it.reason in UNJUDGED and it.marker.label in known and it.marker not in self._counted:
                self.unjudged[it.reason] += 1
        self._last_missed = missed[-1] if missed else None
        self.version += self.unjudged.total() > before

    def average(self, label: str | None = None) -> NDArray[np.float64] | None:
        """(channels, times), µV, of one class, or of all together; None before the first."""
        sums = [self._sums[label]] if label in self._sums else list(self._sums.values()) if label is None else []
        count = self.counts.total() if label is None else self.counts[label]
        return np.sum(sums, axis=0) / count if sums else None

    def all(self) -> tuple[Average, ...]:
        """That of all trials together, then those of the classes, the commonest first; none before the first."""
        together = self.average()
        if together is None:
            return ()
        classes = [Average(it, self._sums[it] / trials, trials) for it, trials in self.counts.most_common()]
        return (Average("all", together, self.counts.total()), *classes)

    @property
    def accuracy(self) -> tuple[int, int] | None:
        """How many of the pictures whose truth is known had it on top; None before the first."""
        return (sum(self.right), len(self.right)) if self.right else None

    def restart(self, before: Iterable[Marker] = ()) -> None:
        """Begin anew. `before`: markers whose pictures belong to what was, even where they are still being drawn."""
        self._counted = frozenset(before)
        self.version += 1
        self.counts.clear()
        self.right.clear()
        self.unjudged.clear()
        self._sums.clear()

    def _add(self, reconstruction: Reconstruction, known: frozenset[str]) -> None:
        epoch = reconstruction.decoding.epoch
        self._last, label = epoch.marker, epoch.marker.label
        if is_sliding(epoch.marker) or epoch.marker in self._counted:
            return
        self._sums[label] = self._sums.get(label, 0.0) + epoch.trial.astype(np.float64)
        self.counts[label] += 1
        if label in known:
            self.right.append(reconstruction.decoding.top == label)
            del self.right[:-_MOST_TRIALS]


def interval(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); 0 to 1 where nothing is known."""
    if not of:
        return 0.0, 1.0
    share, weight = right / of, _Z95**2 / of
    middle = (share + weight / 2) / (1 + weight)
    half = _Z95 * math.sqrt(share * (1 - share) / of + weight / of / 4) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def peaks(average: NDArray[np.float64], times: NDArray[np.float64], most: int = 3) -> list[int]:
    """The places in time at which the electrodes differ most after the onset, in order of time.

    `average`: (channels, times), µV. What is compared is the global field power, the electrodes' standard deviation
    (Lehmann and Skrandies 1980).
    """
    power = average.std(axis=0)
    inside = np.arange(1, len(power) - 1)
    tops = inside[(power[inside] >= power[inside - 1]) & (power[inside] > power[inside + 1]) & (times[inside] > 0)]
    chosen: list[int] = []
    for place in sorted(tops.tolist(), key=lambda it: -power[it]):
        if power[place] >= _PEAK_SHARE * power.max() and all(
            abs(times[place] - times[it]) >= _APART_S for it in chosen
        ):
            chosen.append(place)
    return sorted(chosen[:most])
