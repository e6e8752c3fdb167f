"""Write XDF 1.0 files (https://github.com/sccn/xdf/wiki/Specifications).

A file is the magic word and then chunks `[size of length][length][tag][content]`, little-endian. What is written here
is the plain form: every sample carries its stamp, each stream its header before and its footer after the data, and
boundary chunks let a reader find its way in a damaged file.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from bci_live.errors import RecordingError
from bci_live.sessions.recording import Recording
from bci_live.sessions.xdf_format import BOUNDARY, FORMATS, MAGIC, Tag, pack_size
from bci_live.streams.markers import marker_text
from bci_live.types import Marker, StreamFacts, TimeArray

BOUNDARY_EVERY_S = 10.0  # as the specification recommends

# XML 1.0 has no way to write these, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class _Stream:
    channels: int
    channel_format: str
    count: int = 0
    first: float | None = None
    last: float | None = None
    offsets: list[tuple[float, float]] = field(default_factory=list)


class XdfWriter:
    """An XDF file that is being written; use it with `with`.

    Raises
    ------
    RecordingError
        If the file exists already or cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._streams: list[_Stream] = []
        self._boundary_at: float | None = None
        try:
            self._file: BinaryIO = self.path.open("xb")
        except FileExistsError as error:
            raise RecordingError(
                f"'{self.path}' exists already and is not overwritten: choose another name."
            ) from error
        except OSError as error:
            raise RecordingError(
                f"'{self.path}' cannot be created: {error.strerror}. Choose another folder."
            ) from error
        self._file.write(MAGIC)
        header = ET.Element("info")
        _child(header, "version", "1.0")
        _child(header, "datetime", datetime.now(UTC).astimezone().isoformat(timespec="seconds"))
        self._chunk(Tag.FILE_HEADER, _xml(header))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add_stream(self, facts: StreamFacts, channel_format: str) -> int:
        """Announce a stream of `channel_format` (a key of `FORMATS`, or "string"); its number names it from here on."""
        if channel_format != "string" and channel_format not in FORMATS:
            raise ValueError(f"channel format '{channel_format}' is none of {[*FORMATS, 'string']}")
        self._streams.append(_Stream(len(facts.channels), channel_format))
        number = len(self._streams)
        self._chunk(Tag.STREAM_HEADER, struct.pack("<I", number) + _xml(_stream_header(facts, channel_format)))
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

    def write_strings(self, number: int, texts: Sequence[str], stamps: TimeArray) -> None:
        """Append one text a stamp, to a string stream of one channel."""
        encoded = [text.encode(errors="replace") for text in texts]
        rows = [
            struct.pack("<Bd", 8, stamp) + pack_size(len(text)) + text
            for text, stamp in zip(encoded, stamps, strict=True)
        ]
        self._write(number, b"".join(rows), stamps)

    def write_clock_offset(self, number: int, time: float, offset: float) -> None:
        """Append a measurement: at `time` (s, sender's clock) the recorder's clock was `offset` (s) ahead."""
        self._streams[number - 1].offsets.append((time, offset))
        self._chunk(Tag.CLOCK_OFFSET, struct.pack("<Idd", number, time, offset))

    def flush(self) -> None:
        """Hand everything to the operating system, so that a crash of this program loses nothing written so far."""
        self._file.flush()

    def close(self) -> None:
        """Write the footers and put the file safely on the disk. A second call does nothing."""
        if self._file.closed:
            return
        with self._file:
            for number, stream in enumerate(self._streams, start=1):
                self._chunk(Tag.STREAM_FOOTER, struct.pack("<I", number) + _xml(_stream_footer(stream)))
            self._file.flush()
            os.fsync(self._file.fileno())

    def _write(self, number: int, rows: bytes, stamps: TimeArray) -> None:
        if len(stamps) == 0:
            return
        self._chunk(Tag.SAMPLES, struct.pack("<I", number) + pack_size(len(stamps)) + rows)
        stream = self._streams[number - 1]
        stream.count += len(stamps)
        stream.first = float(stamps[0]) if stream.first is None else stream.first
        stream.last = float(stamps[-1])
        if self._boundary_at is None or abs(stream.last - self._boundary_at) >= BOUNDARY_EVERY_S:
            self._chunk(Tag.BOUNDARY, BOUNDARY)
            self._boundary_at = stream.last

    def _chunk(self, tag: Tag, content: bytes) -> None:
        self._file.write(pack_size(len(content) + 2) + struct.pack("<H", tag) + content)


def _child(parent: ET.Element, tag: str, text: str = "") -> ET.Element:
    element = ET.SubElement(parent, tag)
    element.text = _NOT_XML.sub("", text)
    return element


def _xml(element: ET.Element) -> bytes:
    text: bytes = ET.tostring(element, encoding="utf-8", xml_declaration=True)
    return text


def _stream_header(facts: StreamFacts, channel_format: str) -> ET.Element:
    """The stream's description, under the names that LSL gives them."""
    info = ET.Element("info")
    _child(info, "name", facts.name)
    _child(info, "type", facts.kind)
    _child(info, "channel_count", str(len(facts.channels)))
    _child(info, "nominal_srate", repr(float(facts.rate)))
    _child(info, "channel_format", channel_format)
    _child(info, "source_id", facts.source_id)
    _child(info, "hostname", facts.host)
    _child(info, "uid", facts.uid)
    desc = _child(info, "desc")
    channels = _child(desc, "channels")
    for label, unit in zip(facts.channels, facts.units, strict=True):
        channel = _child(channels, "channel")
        _child(channel, "label", label)
        _child(channel, "unit", unit)
        _child(channel, "type", facts.kind)
    for flag in ("replay", "simulated"):
        if getattr(facts, flag):
            _child(desc, flag, "true")
    return info


def _stream_footer(stream: _Stream) -> ET.Element:
    info = ET.Element("info")
    if stream.first is not None and stream.last is not None:
        _child(info, "first_timestamp", repr(stream.first))
        _child(info, "last_timestamp", repr(stream.last))
    _child(info, "sample_count", str(stream.count))
    offsets = _child(info, "clock_offsets")
    for time, value in stream.offsets:
        offset = _child(offsets, "offset")
        _child(offset, "time", repr(time))
        _child(offset, "value", repr(value))
    return info


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
        # About a second a chunk, so that boundaries come often enough.
        step = max(1, round(recording.facts.rate))
        for start in range(0, len(recording.stamps), step):
            part = slice(start, start + step)
            writer.write_samples(eeg, recording.samples[part], recording.stamps[part])
        for name, markers in by_stream.items():
            stamps = np.array([marker.time for marker in markers])
            writer.write_strings(strings[name], [marker_text(marker) for marker in markers], stamps)


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
    )
