"""The survey of streams while somebody looks at it: in a thread, because listening takes time."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from bci_live.live.stages import ErrorLog, Stage
from bci_live.streams.survey import StreamReport, Survey

_LISTEN_S = 0.5


class StreamWatch:
    """What streams there are, twice a second anew, as long as `wanted`. Nobody is listened to otherwise."""

    def __init__(self, errors: ErrorLog) -> None:
        self._wanted = threading.Event()
        self._survey: Survey | None = None
        self._reports: tuple[StreamReport, ...] = ()
        self._stage = Stage("looking for streams", self._step, errors, self._close)

    def __enter__(self) -> Self:
        self._stage.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wanted.set()  # a step that waits goes on at once
        self._stage.stop()

    def want(self, wanted: bool) -> None:
        """Begin to listen, or end. Beginning anew finds what one pass of resolving missed."""
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()

    def reports(self) -> tuple[StreamReport, ...]:
        """The streams, by name, as they were heard of last."""
        return self._reports

    def _step(self) -> None:
        if not self._wanted.wait(_LISTEN_S):
            self._close()
            return
        if self._survey is None:
            self._survey = Survey().__enter__()
        self._reports = self._survey.listen(_LISTEN_S)

    def _close(self) -> None:
        survey, self._survey, self._reports = self._survey, None, ()
        if survey is not None:
            survey.__exit__(None, None, None)
