"""What streams there are and how they do: listens to each of them for a while."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import pylsl

from bci_live.config import StreamConfig
from bci_live.errors import StreamError
from bci_live.streams.clock import local_clock
from bci_live.streams.rate import RateMeter

_OPEN_S = 2.0
_POLL_S = 0.02
_AT_ONCE = 4096
# A stream is stale after so long without a sample, and not before it missed two of its own.
_STALE_S = StreamConfig().stale_s
_STALE_PERIODS = 2
# Measurements of a clock; liblsl makes one every few seconds, so these are of the last minutes.
_OFFSETS = 60
_ABSENT = (TimeoutError, pylsl.util.TimeoutError, pylsl.util.LostError)


@dataclass(frozen=True, slots=True)
class StreamReport:
    """A stream as it announces itself, and as it was heard.

    `rate`, `measured_rate`: Hz, 0 for an irregular stream; the latter over the last seconds, None as long as too little
    came, 0 of a stream that fell silent. `age_s`: since the last sample came. `offset_ms`: of the sender's clock, and
    `offset_spread_ms`: between the least and the most that were lately measured, None before the second measurement.
    `problem`: why it was not heard.
    """

    name: str
    kind: str
    host: str
    channels: int
    rate: float
    measured_rate: float | None
    samples: int
    age_s: float | None
    offset_ms: float | None
    offset_spread_ms: float | None
    source_id: str
    uid: str
    problem: str

    @property
    def stale(self) -> bool:
        """Whether a stream with a rate fell silent; one that never sent is not meant."""
        return self.age_s is not None and is_stale(self.age_s, self.rate)


def is_stale(age_s: float, rate: float) -> bool:
    """Whether a stream of `rate` Hz whose last sample is `age_s` old fell silent; an irregular one never does."""
    return rate > 0 and age_s > max(_STALE_S, _STALE_PERIODS / rate)


class _Heard:
    """One stream that is listened to."""

    def __init__(self, info: pylsl.StreamInfo) -> None:
        self.info = info
        self.samples = 0
        self.problem = ""
        self._last: float | None = None
        self._rate = RateMeter()
        self._offsets: deque[float] = deque(maxlen=_OFFSETS)
        self._inlet = pylsl.StreamInlet(info, max_buflen=10, recover=False)
        try:
            self._inlet.open_stream(timeout=_OPEN_S)
        except _ABSENT:
            self.problem = "does not answer"

    def look(self) -> None:
        """Take what came."""
        if self.problem:
            return
        try:
            _, stamps = self._inlet.pull_chunk(timeout=0.0, max_samples=_AT_ONCE, as_numpy=True)
        except pylsl.util.LostError:
            self.problem = "is gone"
            return
        if len(stamps):
            self.samples += len(stamps)
            self._last = local_clock()
            self._rate.add(len(stamps), self._last)
        with suppress(*_ABSENT):
            offset = self._inlet.time_correction(timeout=0.001)
            # Between two measurements liblsl tells the last one again.
            if not self._offsets or offset != self._offsets[-1]:
                self._offsets.append(offset)

    def close(self) -> None:
        """Let go of it."""
        self._inlet.close_stream()

    def report(self) -> StreamReport:
        """As it was heard until now."""
        info, offsets = self.info, self._offsets
        age_s = None if self._last is None else local_clock() - self._last
        return StreamReport(
            name=info.name(),
            kind=info.type(),
            host=info.hostname(),
            channels=info.channel_count(),
            rate=info.nominal_srate(),
            measured_rate=self._measured_rate(age_s),
            samples=self.samples,
            age_s=None if age_s is None else round(age_s, 3),
            offset_ms=round(1e3 * offsets[-1], 4) if offsets else None,
            offset_spread_ms=round(1e3 * (max(offsets) - min(offsets)), 4) if len(offsets) > 1 else None,
            source_id=info.source_id(),
            uid=info.uid(),
            problem=self.problem,
        )

    def _measured_rate(self, age_s: float | None) -> float | None:
        rate = self.info.nominal_srate()
        if not rate or (age_s is not None and is_stale(age_s, rate)):
            return 0.0
        return round(self._rate.hertz, 2) or None


class Survey:
    """Listens to every stream there is, also those that come later; use it with `with`.

    Asks continuously, because a single pass of resolving misses streams.
    """

    def __enter__(self) -> Self:
        self._resolver = pylsl.ContinuousResolver()
        self._heard: dict[str, _Heard] = {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for heard in self._heard.values():
            heard.close()

    def listen(self, seconds: float) -> tuple[StreamReport, ...]:
        """Listen for so long; what is known of each stream then, by name."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            there = {info.uid(): info for info in self._resolver.results()}
            for uid in [uid for uid, heard in self._heard.items() if heard.problem and uid not in there]:
                self._heard.pop(uid).close()
            for uid, info in there.items():
                if uid not in self._heard:
                    self._heard[uid] = _Heard(info)
            for heard in self._heard.values():
                heard.look()
            time.sleep(_POLL_S)
        return tuple(sorted((heard.report() for heard in self._heard.values()), key=lambda it: (it.name, it.kind)))


def survey(seconds: float) -> tuple[StreamReport, ...]:
    """Every stream that was heard of within `seconds`.

    Raises
    ------
    StreamError
        If there is none.
    """
    with Survey() as listening:
        reports = listening.listen(seconds)
    if not reports:
        raise StreamError(
            f"No LSL stream was found within {seconds:g} s. Is the headset's program streaming, and does the firewall let "
            "LSL through (by default UDP 16571, TCP and UDP 16572-16604)?"
        )
    return reports
