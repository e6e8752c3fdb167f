"""A thread per stream that pulls what comes in, dates it, and keeps it for others to read."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np
import pylsl

from bci_live.errors import StreamError
from bci_live.streams.arrivals import Arrivals
from bci_live.streams.clock import ClockOffset, local_clock
from bci_live.streams.discovery import facts
from bci_live.streams.health import StreamHealth
from bci_live.streams.markers import parse_marker
from bci_live.streams.rate import RateMeter
from bci_live.streams.returning import ReturnWatch
from bci_live.streams.ring import RingBuffer
from bci_live.streams.units import microvolts_per
from bci_live.types import Marker, StreamFacts

_PULL_S = 0.1
_OPEN_S = 10.0
_CLOSE_S = 5.0
# The longest wait for the offset of an outlet that was started anew, perhaps on another machine.
_ANOTHER_CLOCK_S = 1.0
_MOST_SAMPLES = 4096
# More than the epocher lets wait, which ends each marker by itself: so only who never asks loses markers unseen.
_MOST_MARKERS = 40_000
# A stimulus program may be silent for long; after so long it is looked whether it is still there, and believed gone
# when it did not answer so often.
_MARKER_SILENCE_S = 5.0
_GONE = 2


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """How a stream is doing.

    `age_s`: of the last chunk, None before the first. `measured_rate`: Hz over the last seconds. `refused`: samples of a
    stream that came back differently.
    """

    samples: int
    breaks: int
    age_s: float | None
    measured_rate: float
    offset_s: float
    stale: bool
    health: StreamHealth = field(default_factory=StreamHealth)
    refused: int = 0
    error: str = ""


class _Inlet(ABC):
    """Opens a stream and runs a thread that pulls from it. The thread ends before the inlet is closed."""

    _BUFFERED = 60  # s, in liblsl, should the thread be held up

    def __init__(self, info: pylsl.StreamInfo, clock: Callable[[], float]) -> None:
        self._clock, self.info = clock, info
        self._inlet = pylsl.StreamInlet(info, max_buflen=self._BUFFERED, recover=True)
        try:
            self.facts: StreamFacts = facts(self._inlet.info(timeout=_OPEN_S))
            self._inlet.open_stream(timeout=_OPEN_S)
        except (TimeoutError, pylsl.util.TimeoutError, pylsl.util.LostError) as error:
            raise StreamError(
                f"The stream '{info.name()}' on {info.hostname()} was announced but does not answer ({error}). Is it still running?"
            ) from error
        self._return = ReturnWatch(info, self._inlet, self.facts)
        self._offset = ClockOffset(self._inlet)
        self._offset_s = self._offset.seconds(timeout=2.0)
        self._error = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"inlet-{self.facts.name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_S)
        # A pull from an outlet that is gone can block for ever inside liblsl; closing under it would crash.
        if not self._thread.is_alive():
            self._return.close()
            self._inlet.close_stream()

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._pull()
                self._offset_s = self._offset.seconds()
        except pylsl.util.LostError:
            self._error = (
                f"The stream '{self.facts.name}' is gone and cannot be recovered, because it has no source id."
            )
        finally:
            if not (self._closing.is_set() or self._error):  # a bug, whose traceback is on its way to the log
                self._error = f"Reading the stream '{self.facts.name}' broke off. Start the program again."

    @abstractmethod
    def _pull(self) -> None:
        """Take in what has come."""


class EegInlet(_Inlet):
    """EEG into a ring buffer, in µV, at straightened times of the local clock."""

    def __init__(
        self,
        info: pylsl.StreamInfo,
        ring_seconds: float = 60.0,
        clock: Callable[[], float] = local_clock,
        stale_s: float = 1.0,
    ) -> None:
        super().__init__(info, clock)
        n_channels = len(self.facts.channels)
        self.ring = RingBuffer(n_channels, self.facts.rate, ring_seconds)
        self._arrivals = Arrivals(self.facts.rate, n_channels)
        self._scale = np.array([microvolts_per(unit) for unit in self.facts.units], dtype=np.float32)
        self._buffer = np.empty((_MOST_SAMPLES, n_channels), dtype=np.float32)
        self._rate = RateMeter()
        self._stale_s = stale_s
        self._opened = clock()
        self._refused = 0
        # Values of other formats come as lists: liblsl fills a buffer of its own format alone.
        self._direct = info.channel_format() == pylsl.cf_float32

    def status(self) -> StreamStatus:
        """A snapshot for the display."""
        last = self.ring.last_arrival
        now = self._clock()
        age = None if last is None else max(0.0, now - last)
        return StreamStatus(
            samples=self.ring.count,
            breaks=self.ring.breaks_seen,
            age_s=age,
            measured_rate=self._rate.hertz,
            offset_s=self._offset_s,
            stale=now - (self._opened if last is None else last) > self._stale_s,
            health=self._arrivals.health,
            refused=self._refused,
            error=self._error or self._return.error,
        )

    def _pull(self) -> None:
        # Blocks for one sample and then takes what else is there: waiting for a full chunk would be a delay.
        first, stamps = self._take(_PULL_S, 1, 0)
        returned = self._return.heed(came=bool(first))
        if not first:
            return
        if returned:
            self._offset_s = self._offset.of_another_clock(_ANOTHER_CLOCK_S)
        more, others = self._take(0.0, _MOST_SAMPLES - 1, 1)
        if self._return.refused:
            self._refused += first + more
            return
        arrived = self._clock()
        samples = self._buffer[: first + more] * self._scale
        self.ring.write(self._arrivals.take(samples, np.array([*stamps, *others]), arrived, self._offset_s))
        self._rate.add(first + more, arrived)

    def _take(self, timeout: float, most: int, place: int) -> tuple[int, list[float]]:
        target = self._buffer[place : place + most]
        if self._direct:
            _, stamps = self._inlet.pull_chunk(timeout=timeout, max_samples=most, dest_obj=target)
        else:
            values, stamps = self._inlet.pull_chunk(timeout=timeout, max_samples=most)
            if stamps:
                target[: len(stamps)] = values
        return len(stamps or ()), list(stamps or ())


class MarkerInlet(_Inlet):
    """Markers, strings or numbers, in the order of their arrival."""

    # Hundreds. What liblsl cannot hold it drops without a word, and a flood may come faster than it is read.
    _BUFFERED = 360

    def __init__(self, info: pylsl.StreamInfo, clock: Callable[[], float] = local_clock) -> None:
        super().__init__(info, clock)
        self._waiting: deque[Marker] = deque()
        self._lock = threading.Lock()
        self._dropped = 0
        self._dropped_told = 0
        self._unreadable = 0

    def pop(self) -> list[Marker]:
        """The markers since the last call."""
        with self._lock:
            markers = list(self._waiting)
            self._waiting.clear()
        return markers

    def pop_dropped(self) -> int:
        """How many were dropped since the last call, because too many were waiting."""
        with self._lock:
            dropped = self._dropped - self._dropped_told
            self._dropped_told = self._dropped
        return dropped

    def _pull(self) -> None:
        try:
            values, stamp = self._inlet.pull_sample(timeout=_PULL_S)
        except UnicodeDecodeError:
            self._unreadable += 1
            return
        returned = self._return.heed(came=values is not None, looks_in_silence_s=_MARKER_SILENCE_S)
        if values is None:
            return
        if returned:
            self._offset_s = self._offset.of_another_clock(_ANOTHER_CLOCK_S)
        if not math.isfinite(stamp):
            self._unreadable += 1
            return
        marker = parse_marker(values[0], stamp + self._offset_s, self.facts.name)
        with self._lock:
            if len(self._waiting) < _MOST_MARKERS:
                self._waiting.append(marker)
            else:
                self._dropped += 1

    def trouble(self) -> str:
        """Why no more markers come, and which were lost: too many at once, or no UTF-8. Empty when all is well."""
        told = []
        if self._dropped:
            told.append(f"{self._dropped} were dropped, because {_MOST_MARKERS:,} were waiting already")
        if self._unreadable:
            told.append(f"{self._unreadable} could not be read, because they are no UTF-8 or have no time")
        lost = f"Markers of '{self.facts.name}': {'; '.join(told)}." if told else ""
        gone = (
            f"The marker stream '{self.facts.name}' is gone: for {self._return.silent_s:.0f} s nothing has come of it, and its "
            "sender does not answer. It is taken again when it comes back."
            if self._return.gone >= _GONE
            else ""
        )
        return " ".join(filter(None, (self._error, gone or self._return.error, lost)))
