"""What a listener got of what was sent: arithmetic on the sender's counters."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from bci_live.evaluation.streaming.sender import SenderPlan
from bci_live.types import FloatArray

WINDOW_S = (-0.1, 0.5)
# A listener's first and last moments are not asked for: what it connects to is already running.
_SPARE_S = 0.3
# At most so far may the first sample lie from the marker's: to which of two samples a stamp between them belongs is taste.
_ONSET_SLACK = 1


@dataclass(frozen=True, slots=True)
class Listened:
    """An epoch as a listener got it: its first two channels (2, times), raw, and when it was there, s of the local clock."""

    counters: FloatArray
    available: float


def window_samples(rate: float) -> tuple[int, int]:
    """Samples before the onset, and from it on."""
    return round(-WINDOW_S[0] * rate), round(WINDOW_S[1] * rate)


def expected_onsets(plan: SenderPlan, since: float, until: float) -> list[int]:
    """The counts of the marked samples whose window lies between two moments, s of the LSL clock."""
    last = int((until - plan.begin - _SPARE_S - WINDOW_S[1]) * plan.rate)
    first = int((since - plan.begin + _SPARE_S - WINDOW_S[0]) * plan.rate)
    return [count for count in range(0, last, plan.stride) if count >= first]


def score(plan: SenderPlan, onsets: Sequence[int], epochs: Sequence[Listened]) -> dict[str, Any]:
    """The figures of one listener: `overhead` is from the push of an epoch's last sample until the epoch was there."""
    before, after = window_samples(plan.rate)
    wanted = set(onsets)
    overheads: list[float] = []
    wrong, seen = 0, set[int]()
    for epoch in epochs:
        counts = epoch.counters[0]
        nearest = round(float(counts[0] + before) / plan.stride) * plan.stride
        if nearest not in wanted or nearest in seen:
            continue
        seen.add(nearest)
        shift = counts[0] - (nearest - before)
        exact = np.arange(before + after) + counts[0]
        wrong += len(counts) if abs(shift) > _ONSET_SLACK else int((counts != exact[: len(counts)]).sum())
        overheads.append(1e3 * (epoch.available - plan.begin - float(epoch.counters[1, -1])))
    figures = np.array(overheads) if overheads else np.array([np.nan])
    return {
        "epochs_expected": len(wanted),
        "epochs_got": len(seen),
        "wrong_samples": wrong,
        "overhead_ms_median": round(float(np.median(figures)), 3),
        "overhead_ms_p95": round(float(np.percentile(figures, 95)), 3),
        "overhead_ms_max": round(float(figures.max()), 3),
    }


@dataclass(frozen=True, slots=True)
class ListenerPlan:
    """What a listener is told: what is sent, how long it listens, for how long Python is held up in the middle, s."""

    sender: SenderPlan
    seconds: float
    hog_s: float = 0.0

    def to_json(self) -> str:
        """One argument of a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        values = json.loads(text)
        return cls(**values | {"sender": SenderPlan(**values["sender"])})


class Usage:
    """The processor time that this process takes from here on, and how far its memory grows."""

    def __init__(self) -> None:
        self._cpu, self._wall, self._memory = time.process_time(), time.perf_counter(), _most_memory_mb()

    def figures(self) -> dict[str, float]:
        """`cpu_percent` of one core; `memory_mb`, the most that was held, and by how much that grew."""
        share = (time.process_time() - self._cpu) / (time.perf_counter() - self._wall)
        most = _most_memory_mb()
        return {
            "cpu_percent": round(100 * share, 1),
            "memory_mb": round(most, 1),
            "memory_grown_mb": round(most - self._memory, 1),
        }


def _most_memory_mb() -> float:
    try:
        import resource
    except ImportError:  # not on Windows
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10
