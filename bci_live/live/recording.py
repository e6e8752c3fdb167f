"""REC: a recorder in a thread of its own, beside the running session."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import pylsl

from bci_live.errors import BciError, StreamError
from bci_live.live.snapshot import RecordingRequest, RecordingStatus
from bci_live.sessions.naming import new_recording
from bci_live.sessions.record import PLANNED_S, SPARE_BYTES, STEP_S
from bci_live.sessions.recorder import Recorder, bytes_per_second, check_space
from bci_live.streams.discovery import carries_eeg, find_streams, tells_markers

_JOIN_S = 15.0
_FIND_S = 2.0


class AllStreams:
    """Called, the EEG and marker streams that there were at the first call.

    Raises
    ------
    StreamError
        If there is no EEG.
    """

    def __init__(self) -> None:
        self._found: list[pylsl.StreamInfo] = []

    def __call__(self) -> list[pylsl.StreamInfo]:
        if not self._found:
            streams = find_streams(_FIND_S)
            eeg = [info for info in streams if carries_eeg(info)]
            if not eeg:
                raise StreamError("There is no EEG stream to record. Let the headset's program stream.")
            self._found = eeg + [info for info in streams if tells_markers(info)]
        return self._found


class LiveRecording:
    """Records what `streams` names, also those that it names later, until `stop`.

    It has inlets of its own: what becomes of the session's does not touch the file.
    """

    def __init__(
        self,
        request: RecordingRequest,
        streams: Callable[[], Sequence[pylsl.StreamInfo]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request, self._streams, self._clock = request, streams, clock
        self._stopping = threading.Event()
        self._recorder: Recorder | None = None
        self._begin = 0.0
        self._status: RecordingStatus | None = None
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._thread.join(_JOIN_S)

    def stop(self) -> None:
        """End it soon, with all that has come until now in the file."""
        self._stopping.set()

    @property
    def running(self) -> bool:
        """Whether something is still written."""
        return self._thread.is_alive()

    @property
    def problem(self) -> str:
        """Why it could not begin, or had to end; empty otherwise."""
        return self._problem

    def status(self) -> RecordingStatus | None:
        """How it does; None as long as it has no file. Its own thread may be waiting for the disk, which is told."""
        status, recorder = self._status, self._recorder
        if status is None or recorder is None or not status.running:
            return status
        problem = " ".join(filter(None, (recorder.trouble, status.problem)))
        return replace(status, seconds=self._clock() - self._begin, problem=problem)

    def _run(self) -> None:
        try:
            self._record()
        except BciError as error:
            self._problem = str(error)
        except Exception as error:
            self._problem = f"{type(error).__name__} in the recording: {error}. What came before is in the file."
            raise
        finally:
            if self._status is not None:
                size = self._status.path.stat().st_size
                problem = " ".join(filter(None, (self._problem, self._recorder.trouble if self._recorder else "")))
                self._status = replace(self._status, running=False, size=size, problem=problem)

    def _record(self) -> None:
        request, wanted = self._request, list(self._streams())
        check_space(request.folder, bytes_per_second(wanted) * PLANNED_S + SPARE_BYTES)
        path = new_recording(request.folder, request.subject, request.session, request.task)
        self._begin = self._clock()
        self._recorder = recorder = Recorder(wanted, path, self._clock)
        try:
            with recorder:
                self._status = self._told(recorder, path)
                known = {info.uid() for info in wanted}
                while not self._stopping.wait(STEP_S):
                    for info in self._streams():
                        if info.uid() not in known:
                            known.add(info.uid())
                            recorder.add(info)
                    recorder.step()
                    self._status = self._told(recorder, path)
        finally:  # on leaving, what had come meanwhile was written, too
            if self._status is not None:
                self._status = self._told(recorder, path)

    def _told(self, recorder: Recorder, path: Path) -> RecordingStatus:
        progress, free = recorder.progress(), shutil.disk_usage(path.parent).free
        problem = " ".join(it.problem for it in progress if it.problem)
        return RecordingStatus(path, True, self._clock() - self._begin, recorder.size, free, progress, problem)
