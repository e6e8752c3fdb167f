"""The marker stream, whenever it comes: a stimulus program is often started after everything else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import pylsl

from bci_live.errors import StreamError
from bci_live.streams.clock import local_clock
from bci_live.streams.discovery import find_markers
from bci_live.streams.inlet import MarkerInlet
from bci_live.types import Marker

_LOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class MarkerSearch:
    """Which marker stream is waited for: by name, by source id, or the only one there is."""

    name: str | None = None
    source_id: str | None = None


class AwaitedMarkers:
    """A `MarkerInlet` from the moment on at which its stream is there; before that it says what is missing."""

    def __init__(self, search: MarkerSearch, clock: Callable[[], float] = local_clock) -> None:
        self._search, self._clock = search, clock
        self._inlet: MarkerInlet | None = None
        self._missing = "No marker stream is there yet."
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._look, name="marker-search", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join(2 * _LOOK_S)
        if self._inlet is not None:
            self._inlet.__exit__(kind, error, trace)

    @property
    def info(self) -> pylsl.StreamInfo | None:
        """The stream, once it is there."""
        return self._inlet.info if self._inlet else None

    def pop(self) -> list[Marker]:
        """The markers since the last call."""
        return self._inlet.pop() if self._inlet else []

    def pop_dropped(self) -> int:
        """How many were dropped since the last call, because too many were waiting."""
        return self._inlet.pop_dropped() if self._inlet else 0

    def trouble(self) -> str:
        """Which stream is missing, or what is wrong with it; empty when all is well."""
        if self._inlet is not None:
            return self._inlet.trouble()
        return f"{self._missing} Nothing tells yet when a picture is shown; the stream is taken as soon as it comes."

    def _look(self) -> None:
        while not self._closing.is_set():
            try:
                info = find_markers(self._search.name, _LOOK_S, self._search.source_id)
                inlet = MarkerInlet(info, self._clock)
            except StreamError as error:
                self._missing = str(error)
                continue
            if not self._closing.is_set():
                self._inlet = inlet.__enter__()
            return
