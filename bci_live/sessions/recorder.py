"""Records LSL streams into one XDF file: everything as it was sent, with the senders' own stamps and clock offsets."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pylsl

from bci_live.errors import RecordingError, StreamError
from bci_live.sessions.xdf_format import FORMATS
from bci_live.sessions.xdf_writer import XdfWriter
from bci_live.streams.discovery import facts
from bci_live.streams.returning import ReturnWatch

FLUSH_EVERY_S = 0.5
OFFSET_EVERY_S = 5.0
# liblsl holds so much of a stream for us while the disk is slow: nothing is lost before that.
HELD_S = 360
# Less is what a disk does now and then, and nothing to be told of.
_SLOW_DISK_S = 10.0
_OPEN_S = 10.0
# In passing, while others are recorded.
_LOOK_S = 0.001
_AT_ONCE = 4096
# A stream with a rate that sends nothing for so long is told of.
_SILENT_S = 2.0
# For the footers when the disk is full: some hundred bytes a stream, however long it was.
_RESERVE = 1 << 18
_FORMATS = {
    pylsl.cf_float32: "float32",
    pylsl.cf_double64: "double64",
    pylsl.cf_string: "string",
    pylsl.cf_int32: "int32",
    pylsl.cf_int16: "int16",
    pylsl.cf_int8: "int8",
    pylsl.cf_int64: "int64",
}


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """How a recorded stream is doing. `problem`: why nothing comes of it, or not all; empty while all is well."""

    name: str
    samples: int
    problem: str = ""
    kind: str = ""


class _Asked:
    """A stream that has not answered yet; liblsl asks it on its own."""

    def __init__(self, info: pylsl.StreamInfo, now: float) -> None:
        self.info, self.since = info, now
        self.inlet = pylsl.StreamInlet(info, max_buflen=HELD_S, recover=True)

    def answer(self, timeout: float) -> pylsl.StreamInfo | None:
        """Its full description, once samples can come, too; None if it tells neither within `timeout` s each."""
        with suppress(TimeoutError, pylsl.util.TimeoutError, pylsl.util.LostError):
            described = self.inlet.info(timeout=timeout)
            self.inlet.open_stream(timeout=timeout)
            return described
        return None

    @property
    def unheard(self) -> StreamProgress:
        """What is told of it when it is given up."""
        name = self.info.name()
        problem = (
            f"The stream '{name}' on {self.info.hostname()} was announced but does not answer. Is it still running?"
        )
        return StreamProgress(name, 0, problem, self.info.type())


class _Recorded:
    """One stream on its way into the file. `described`: what it answered."""

    def __init__(self, asked: _Asked, described: pylsl.StreamInfo, writer: XdfWriter) -> None:
        info = asked.info
        self.name, self.kind = info.name(), info.type()
        self._writer, self._inlet = writer, asked.inlet
        self._format = _FORMATS[info.channel_format()]
        known = facts(described)
        self._number = writer.add_stream(known, self._format, described.as_xml().encode(errors="replace"))
        self._next_offset = 0.0
        self._return = ReturnWatch(info, self._inlet, known)
        self._regular = info.nominal_srate() > 0
        self._refused = 0
        self._gone = ""
        self._over = False
        self.samples = 0

    def pull(self) -> None:
        """Write what came since the last call."""
        more = not self._gone
        while more:
            try:
                samples, stamps = self._inlet.pull_chunk(timeout=0.0, max_samples=_AT_ONCE, as_numpy=True)
            except pylsl.util.LostError:
                self._gone = f"The stream '{self.name}' is gone and cannot be recovered, because it has no source id."
                return
            self._return.heed(came=len(stamps) > 0, looks_in_silence_s=_SILENT_S)
            if self._return.refused:
                self._refused += len(stamps)
                return
            if self._format == "string":
                self._writer.write_strings(self._number, samples.tolist(), stamps)
            else:
                self._writer.write_samples(self._number, samples, stamps)
            self.samples += len(stamps)
            more = len(stamps) == _AT_ONCE

    @property
    def problem(self) -> str:
        """Why nothing comes, or not all."""
        if self._gone or self._return.error:
            return self._gone or self._return.error
        if self._over and self._regular and not self.samples:
            return f"The stream '{self.name}' sent no sample while it was recorded. Is its headset switched on?"
        silent_s = self._return.silent_s
        if silent_s > _SILENT_S and (self._regular or self._return.gone):
            return f"The stream '{self.name}' has sent nothing for {silent_s:.0f} s."
        if self._refused:
            return f"{self._refused:,} samples of '{self.name}' are not in the file: it had come back differently."
        return ""

    def measure_offset(self, now: float) -> None:
        """Write the sender's clock offset when it is time for it; what cannot be measured is not written."""
        if now < self._next_offset:
            return
        with suppress(TimeoutError, pylsl.util.TimeoutError, pylsl.util.LostError):
            offset = self._inlet.time_correction(timeout=0.001)
            self._writer.write_clock_offset(self._number, pylsl.local_clock() - offset, offset)
            self._next_offset = now + OFFSET_EVERY_S

    def close(self) -> None:
        """Let go of the stream."""
        self._over = True
        self._return.close()
        self._inlet.close_stream()


class Recorder:
    """A running recording; call `step` a few times a second, from one thread. On leaving everything that came is written.

    Parameters
    ----------
    streams : what to record, as `discovery.find_streams` gives it
    path : of the XDF file, which must not exist
    clock : when to flush and to measure, s

    Raises
    ------
    StreamError
        If a stream does not answer. There is no file then.
    RecordingError
        If the file cannot be created; from `step` and on leaving, if the disk takes no more. The file is whole then.
    """

    def __init__(
        self, streams: Sequence[pylsl.StreamInfo], path: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._infos, self._path, self._clock = streams, path, clock
        self._next_flush = 0.0
        self._taken = math.inf
        self._longest_s = 0.0
        self._asked: list[_Asked] = []
        self._streams: list[_Recorded] = []
        self._unheard: list[StreamProgress] = []

    def __enter__(self) -> Self:
        self._writer = XdfWriter(self._path, _RESERVE)
        with ExitStack() as undoing:
            undoing.callback(self._path.unlink)  # what holds nothing would take a run's number
            with ExitStack() as opening:
                opening.enter_context(self._writer)
                opening.callback(self._let_go)
                for info in self._infos:
                    self.add(info)
                    self._take_answers(_OPEN_S)
                    if self._asked:
                        raise StreamError(self._asked[0].unheard.problem)
                self._writer.flush()
                self._taken = self._clock()
                self._closing = opening.pop_all()
            undoing.pop_all()
        return self

    def add(self, info: pylsl.StreamInfo) -> None:
        """Record one more stream as soon as it answers; `progress` tells if it does not. The others go on meanwhile."""
        self._asked.append(_Asked(info, self._clock()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._closing:
            if not isinstance(error, RecordingError):  # a full disk takes no more
                self._pull()

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._writer.size

    def progress(self) -> tuple[StreamProgress, ...]:
        """Of each stream that has answered, and of those that were given up."""
        told = (StreamProgress(it.name, it.samples, it.problem, it.kind) for it in self._streams)
        return (*told, *self._unheard)

    @property
    def trouble(self) -> str:
        """What a slow disk does to the recording, for other threads to ask while `step` waits for it; empty when all is well."""
        behind_s = self._clock() - self._taken
        if max(behind_s, self._longest_s) > HELD_S:
            return (
                f"The disk held the recording up for {max(behind_s, self._longest_s):.0f} s, and no more than {HELD_S} s are "
                "kept for it: what came before these is not in the file. Record to a faster disk."
            )
        if behind_s > _SLOW_DISK_S:
            return (
                f"The disk is slow: the recording is {behind_s:.0f} s behind. Nothing is lost yet; after {HELD_S} s it would "
                "be. Record to a faster disk."
            )
        return ""

    def step(self) -> None:
        """Write what came in since the last step; now and then the clock offsets, and all of it to the disk."""
        self._pull()
        now = self._clock()
        self._take_answers(_LOOK_S)
        for asked in [it for it in self._asked if now - it.since > _OPEN_S]:
            self._asked.remove(asked)
            self._unheard.append(asked.unheard)
        for stream in self._streams:
            stream.measure_offset(now)
        if now >= self._next_flush:
            self._writer.flush()
            self._next_flush = now + FLUSH_EVERY_S

    def _take_answers(self, timeout: float) -> None:
        """Begin with those that answer, waiting at most `timeout` s for each."""
        for asked in [*self._asked]:
            described = asked.answer(timeout)
            if described is not None:
                self._asked.remove(asked)
                self._streams.append(_Recorded(asked, described, self._writer))

    def _pull(self) -> None:
        now = self._clock()
        for stream in self._streams:
            stream.pull()
        self._longest_s = max(self._longest_s, self._clock() - self._taken)
        self._taken = now

    def _let_go(self) -> None:
        self._asked.clear()
        for stream in self._streams:
            stream.close()


def bytes_per_second(streams: Sequence[pylsl.StreamInfo]) -> float:
    """What the streams will take on the disk: stamps and values. Streams without a rate take next to nothing."""
    return float(
        sum(
            info.nominal_srate() * (9 + info.channel_count() * FORMATS[_FORMATS[info.channel_format()]].itemsize)
            for info in streams
            if info.channel_format() != pylsl.cf_string
        )
    )


def check_space(folder: Path, needed: float) -> None:
    """Whether the disk of `folder`, which need not exist yet, has room for `needed` bytes.

    Raises
    ------
    RecordingError
        If it has not.
    """
    there = next(it for it in (folder, *folder.absolute().parents) if it.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise RecordingError(
            f"The planned recording needs {needed / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are free on the disk of "
            f"'{folder}'. Free some space, choose another --out, or record for a shorter time with --seconds."
        )
