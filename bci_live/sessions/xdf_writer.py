"""Write XDF 1.0 files (https://github.com/sccn/xdf/wiki/Specifications).

A file is the magic word and then chunks `[size of length][length][tag][content]`, little-endian. What is written here
is the plain form: every sample carries its stamp, each stream its header before and its footer after the data, and
boundary chunks let a reader find its way in a damaged file.
"""

from __future__ import annotations

import errno
import os
import struct
import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import RawIOBase
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from bci_live.errors import RecordingError
from bci_live.sessions.recording import Recording
from bci_live.sessions.xdf_description import file_header, stream_footer, stream_header, xml
from bci_live.sessions.xdf_format import BOUNDARY, FORMATS, MAGIC, Tag, pack_size
from bci_live.streams.markers import marker_text
from bci_live.types import Marker, StreamFacts, TimeArray

BOUNDARY_EVERY_S = 10.0  # as the specification recommends

# More is not held back, however seldom `flush` is called.
_MOST_HELD = 1 << 20


@dataclass(frozen=True, slots=True)
class _Stream:
    """What a footer tells of a stream, so far."""

    channels: int
    channel_format: str
    count: int = 0
    first: float | None = None
    last: float | None = None


class XdfWriter:
    """An XDF file that is being written; use it with `with`.

    Only whole chunks reach the disk: when it is full, the file ends with the last one that found room, and its footers.

    Parameters
    ----------
    path : of the file, which must not exist
    reserve : bytes that are kept on the disk for the footers, in a nameless file, so that a killed writer leaves none

    Raises
    ------
    RecordingError
        If the file exists already or cannot be created; later, from whatever writes, if the disk takes no more.
    """

    def __init__(self, path: Path, reserve: int = 0) -> None:
        self.path = Path(path)
        self._streams: list[_Stream] = []
        self._on_disk: tuple[_Stream, ...] = ()
        # What is not on the disk yet: whole chunks, each with what the footers would tell after it.
        self._pending: deque[tuple[bytes, tuple[_Stream, ...]]] = deque()
        self._held = 0
        self._size = 0
        self._since_boundary: dict[int, float] = {}
        self._reserve: IO[bytes] | None = None
        try:
            self._file: RawIOBase = self.path.open("xb", buffering=0)
        except FileExistsError as error:
            raise RecordingError(
                f"'{self.path}' exists already and is not overwritten: choose another name."
            ) from error
        except OSError as error:
            raise RecordingError(
                f"'{self.path}' cannot be created: {error.strerror}. Choose another folder."
            ) from error
        self._keep_room(reserve)
        self._hold(MAGIC)
        self._chunk(Tag.FILE_HEADER, xml(file_header()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes that are on the disk."""
        return self._size

    def add_stream(self, facts: StreamFacts, channel_format: str, description: bytes | None = None) -> int:
        """Announce a stream of `channel_format` (a key of `FORMATS`, or "string"); its number names it from here on.

        `description`: the sender's own XML, where there is one.
        """
        if channel_format != "string" and channel_format not in FORMATS:
            raise ValueError(f"channel format '{channel_format}' is none of {[*FORMATS, 'string']}")
        self._streams.append(_Stream(len(facts.channels), channel_format))
        number = len(self._streams)
        self._chunk(
            Tag.STREAM_HEADER, struct.pack("<I", number) + (description or xml(stream_header(facts, channel_format)))
        )
        return number

    def write_samples(self, number: int, samples: NDArray[Any], stamps: TimeArray) -> None:
        """Append `samples` (n, channels), in the stream's unit, with their `stamps` (n,), s."""
        stream = self._streams[number - 1]
        if samples.shape != (len(stamps), stream.channels):
            raise ValueError(f"samples {samples.shape} do not fit {len(stamps)} stamps and {stream.channels} channels")
        rows = np.empty(
            len(stamps),
            dtype=[("size", "u1"), ("stamp", "<f8"), ("values", FORMATS[stream.channel_format], (stream.channels,))],
        )
        rows["size"], rows["stamp"], rows["values"] = 8, stamps, samples
        self._write(number, rows.tobytes(), stamps)

    def write_strings(self, number: int, texts: Sequence[Sequence[str | bytes]], stamps: TimeArray) -> None:
        """Append a text for each channel a stamp, to a string stream; bytes go into the file as they are."""
        rows = [
            struct.pack("<Bd", 8, stamp) + b"".join(_packed(text) for text in row)
            for row, stamp in zip(texts, stamps, strict=True)
        ]
        self._write(number, b"".join(rows), stamps)

    def write_clock_offset(self, number: int, time: float, offset: float) -> None:
        """Append a measurement: at `time` (s, sender's clock) the recorder's clock was `offset` (s) ahead."""
        self._chunk(Tag.CLOCK_OFFSET, struct.pack("<Idd", number, time, offset))

    def flush(self) -> None:
        """Hand everything to the operating system, so that a crash of this program loses nothing written so far."""
        try:
            while self._pending:
                chunk, streams = self._pending[0]
                self._write_whole(chunk)
                self._size += len(chunk)
                self._on_disk = streams
                self._pending.popleft()
        except OSError as error:
            self._pending.clear()
            self._streams = [*self._on_disk]
            self._file.truncate(self._size)
            self._file.seek(self._size)
            raise RecordingError(
                f"'{self.path}' takes no more ({error.strerror}): free some space, or record to another disk. What was "
                f"recorded until now, {self._size / 1e6:.1f} MB, is in it and whole."
            ) from error
        finally:
            self._held = 0

    def close(self) -> None:
        """Write the footers and put the file safely on the disk. A second call does nothing."""
        if self._file.closed:
            return
        with self._file:
            try:
                self.flush()
            finally:
                if self._reserve is not None:
                    self._reserve.close()
                for number, stream in enumerate(self._streams, start=1):
                    self._chunk(
                        Tag.STREAM_FOOTER,
                        struct.pack("<I", number) + xml(stream_footer(stream.count, stream.first, stream.last)),
                    )
                self.flush()
                os.fsync(self._file.fileno())

    def _keep_room(self, size: int) -> None:
        if not size:
            return
        try:
            self._reserve = tempfile.TemporaryFile(dir=self.path.parent, buffering=0)  # noqa: SIM115 - till the footers
            if self._reserve.write(bytes(size)) != size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._file.close()
            if self._reserve is not None:
                self._reserve.close()
            self.path.unlink(missing_ok=True)
            raise RecordingError(
                f"'{self.path}' cannot be created: {error.strerror}. Choose another folder."
            ) from error

    def _write(self, number: int, rows: bytes, stamps: TimeArray) -> None:
        if len(stamps) == 0:
            return
        stream, last = self._streams[number - 1], float(stamps[-1])
        self._streams[number - 1] = replace(
            stream,
            count=stream.count + len(stamps),
            first=float(stamps[0]) if stream.first is None else stream.first,
            last=last,
        )
        self._chunk(Tag.SAMPLES, struct.pack("<I", number) + pack_size(len(stamps)) + rows)
        self._mark(number, last)

    def _mark(self, number: int, stamp: float) -> None:
        """A boundary when one stream has gone on for so long since the last: clocks of two streams tell nothing of each other."""
        if self._since_boundary:
            begun = self._since_boundary.setdefault(number, stamp)
            if abs(stamp - begun) < BOUNDARY_EVERY_S:
                return
        self._chunk(Tag.BOUNDARY, BOUNDARY)
        self._since_boundary = {number: stamp}

    def _chunk(self, tag: Tag, content: bytes) -> None:
        self._hold(pack_size(len(content) + 2) + struct.pack("<H", tag) + content)

    def _hold(self, chunk: bytes) -> None:
        self._pending.append((chunk, tuple(self._streams)))
        self._held += len(chunk)
        if self._held > _MOST_HELD:
            self.flush()

    def _write_whole(self, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:
            left = left[self._file.write(left) or 0 :]


def _packed(text: str | bytes) -> bytes:
    encoded = text if isinstance(text, bytes) else text.encode(errors="replace")
    return pack_size(len(encoded)) + encoded


def write_recording(path: Path, recording: Recording) -> None:
    """Write a recording as XDF: its EEG in µV, and one string stream for each stream that its markers came from.

    Raises
    ------
    RecordingError
        If `path` exists already or cannot be created.
    """
    by_stream: dict[str, list[Marker]] = {}
    for marker in recording.markers:
        by_stream.setdefault(marker.stream or f"{recording.facts.name}-markers", []).append(marker)
    with XdfWriter(path) as writer:
        eeg = writer.add_stream(recording.facts, "float32")
        strings = {name: writer.add_stream(_marker_facts(name, recording.facts), "string") for name in by_stream}
        # All on one clock; without a measurement that says so, readers warn that they know nothing of the clocks.
        for number in (eeg, *strings.values()):
            writer.write_clock_offset(number, float(recording.stamps[0]), 0.0)
        # About a second a chunk, so that boundaries come often enough.
        step = max(1, round(recording.facts.rate))
        for start in range(0, len(recording.stamps), step):
            part = slice(start, start + step)
            writer.write_samples(eeg, recording.samples[part], recording.stamps[part])
        for name, markers in by_stream.items():
            stamps = np.array([marker.time for marker in markers])
            writer.write_strings(strings[name], [[marker_text(marker)] for marker in markers], stamps)


def _marker_facts(name: str, eeg: StreamFacts) -> StreamFacts:
    return replace(
        eeg,
        name=name,
        kind="Markers",
        source_id=f"{eeg.source_id}-markers",
        uid="",
        rate=0.0,
        channels=("marker",),
        units=("",),
        types=(),
    )
