"""The session of a headset that no decoder fits yet: its signal to be looked at, checked, and recorded to train one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import pylsl

from bci_live.config import StreamConfig
from bci_live.live.channel_watch import ChannelWatch
from bci_live.live.parts import part_since
from bci_live.live.snapshot import Counts, LiveSnapshot, SignalPart
from bci_live.live.stages import ErrorLog, Stage
from bci_live.streams.awaited import AwaitedMarkers, MarkerSearch
from bci_live.streams.clock import local_clock
from bci_live.streams.inlet import EegInlet
from bci_live.types import Chunk, Marker, MissedReason

_RECENT_MARKERS = 200
# An error that did not come again for so long need not be shown any more.
_SHOWN_S = 60.0


class SignalSession:
    """EEG and markers, and nothing that reads them. Open it with `with`.

    `why`: what the user is told as long as it is so.

    Raises
    ------
    StreamError
        On entering, if the stream does not answer.
    """

    def __init__(
        self,
        eeg: pylsl.StreamInfo,
        markers: MarkerSearch,
        config: StreamConfig,
        why: str,
        clock: Callable[[], float] = local_clock,
    ) -> None:
        self._info, self._config, self._why, self._clock = eeg, config, why, clock
        self._markers = AwaitedMarkers(markers, clock)
        self._recent: deque[Marker] = deque(maxlen=_RECENT_MARKERS)
        self._seen = self._dropped = 0
        self._lock = threading.Lock()
        self._errors, self._began = ErrorLog(), clock()
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._eeg = opening.enter_context(
                EegInlet(self._info, self._config.ring_s, self._clock, self._config.stale_s)
            )
            opening.enter_context(self._markers)
            self._channels = ChannelWatch(self._eeg, needed=())
            stage = Stage("watching the signal", self._step, self._errors)
            stage.start()
            opening.callback(stage.stop)
            self._closing = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @property
    def silent_s(self) -> float:
        """For how long nothing has come, s."""
        return self._eeg.status().age_s or 0.0

    def streams(self) -> list[pylsl.StreamInfo]:
        """What it listens to: the EEG, and the markers as soon as they are there."""
        return [info for info in (self._eeg.info, self._markers.info) if info is not None]

    def signal(self, seconds: float) -> Chunk:
        """The newest `seconds` of EEG."""
        return self._eeg.ring.latest(seconds)

    def signal_since(self, count: int, seconds: float) -> SignalPart:
        """`part_since`: what of the EEG came after the first `count` samples, the newest `seconds` at most."""
        return part_since(self._eeg.ring, count, seconds)

    def snapshot(self) -> LiveSnapshot:
        """The state now: of what a decoder would tell there is nothing."""
        status = self._eeg.status()
        stream_errors = tuple(it for it in (status.error, self._markers.trouble()) if it)
        told = (self._why, *stream_errors)
        with self._lock:
            markers, counts = tuple(self._recent), Counts(self._seen, missed={MissedReason.DROPPED: self._dropped})
        return LiveSnapshot(
            facts=self._eeg.facts,
            status=status,
            phase="watching",
            decoding=None,
            reconstruction=None,
            last_outcome=None,
            counts=counts,
            latency={},
            errors=told + self._errors.recent(),
            present_errors=told + self._errors.recent(within_s=_SHOWN_S),
            history=(),
            markers=markers,
            faults=self._channels.now,
            fault_times=self._channels.times,
            began=self._began,
            stream_errors=stream_errors,
        )

    def _step(self) -> None:
        """Take in the markers that came, and judge the next second of the signal when it is there."""
        came, dropped = self._markers.pop(), self._markers.pop_dropped()
        with self._lock:
            self._seen += len(came) + dropped
            self._dropped += dropped
            self._recent.extend(came)
        self._channels.step()
