"""Counts frames: how many, how evenly, what they cost, how old what they show is."""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass, field

import numpy as np

# What the first frames cost is not what the others do: fonts, caches, the first layout.
WARM_UP_S = 3.0


@dataclass
class FrameMeter:
    """Of one widget. `begin` when the window stands, `asked` before new samples are fetched, `painted` after each frame."""

    # Eight bytes each: in an hour there are 200,000, and memory is watched.
    _painted: array[float] = field(default_factory=lambda: array("d"))
    _lags: array[float] = field(default_factory=lambda: array("d"))
    _asked: float = 0.0
    _asked_before: float = 0.0
    _begin: float = 0.0
    _thread_s: float = 0.0
    _process_s: float = 0.0

    def begin(self) -> None:
        """Forget what was; the calling thread is the one that draws."""
        self._painted, self._lags = array("d"), array("d")
        self._begin = time.perf_counter()
        self._thread_s, self._process_s = time.thread_time(), time.process_time()

    def asked(self) -> None:
        """New samples are about to be fetched."""
        self._asked_before, self._asked = self._asked, time.perf_counter()

    def painted(self) -> None:
        """A frame is drawn, with all samples that had come when they were asked for last."""
        now = time.perf_counter()
        self._painted.append(now)
        # What is new in this frame came after the question before: so old is it at most.
        self._lags.append(now - self._asked_before)

    def figures(self) -> dict[str, float]:
        """`frame_ms_*`: from one frame to the next. `sample_ms_p95`: from a sample's arrival until it is drawn, at most.

        `cpu_percent`: of one core, the thread that draws; `process_cpu_percent` has decoding and diffusion, too.
        """
        took = time.perf_counter() - self._begin
        between = np.diff(self._painted) * 1000
        return {
            "fps": round(len(self._painted) / took, 1),
            "frame_ms_median": round(float(np.median(between)), 1),
            "frame_ms_p95": round(float(np.percentile(between, 95)), 1),
            "sample_ms_p95": round(float(np.percentile(self._lags, 95)) * 1000, 1),
            "cpu_percent": round(100 * (time.thread_time() - self._thread_s) / took, 1),
            "process_cpu_percent": round(100 * (time.process_time() - self._process_s) / took, 1),
        }
