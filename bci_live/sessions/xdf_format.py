"""XDF 1.0 on the level of chunks, for writer and reader (https://github.com/sccn/xdf/wiki/Specifications)."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

MAGIC = b"XDF:"
BOUNDARY = uuid.UUID("43A546DC-CBF5-410F-B30E-D5467383CBE4").bytes

FORMATS: dict[str, np.dtype[Any]] = {
    "int8": np.dtype("i1"),
    "int16": np.dtype("<i2"),
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
    "float32": np.dtype("<f4"),
    "double64": np.dtype("<f8"),
}


class Tag(IntEnum):
    """What a chunk holds."""

    FILE_HEADER = 1
    STREAM_HEADER = 2
    SAMPLES = 3
    CLOCK_OFFSET = 4
    BOUNDARY = 5
    STREAM_FOOTER = 6


def pack_size(value: int) -> bytes:
    """A length or a count in XDF's variable-length form."""
    if value < 2**8:
        return struct.pack("<BB", 1, value)
    if value < 2**32:
        return struct.pack("<BI", 4, value)
    return struct.pack("<BQ", 8, value)


def unpack_size(data: bytes, at: int) -> tuple[int, int]:
    """The length at `at`, and where the next field begins. ValueError when there is none."""
    width = data[at] if at < len(data) else 0
    if width not in (1, 4, 8) or at + 1 + width > len(data):
        raise ValueError("no length here")
    return int.from_bytes(data[at + 1 : at + 1 + width], "little"), at + 1 + width


@dataclass(frozen=True, slots=True)
class Sound:
    """What can be trusted of a file. `data`: it, as a file again. `left_out`: bytes of the original that are not in it."""

    data: bytes
    left_out: int


def sound_chunks(data: bytes) -> Sound:
    """The file without the chunks that are cut off, lie about their length or rows, or come before their stream's header.

    A reader that believes a damaged length or count reserves memory without bound, breaks off or invents samples. Here
    such a chunk is left out, and where the next one is not to be found the search goes on after the next boundary
    chunk, as the specification intends.

    Raises
    ------
    ValueError
        If this is no XDF file.
    """
    if not data.startswith(MAGIC):
        raise ValueError("the file does not begin with 'XDF:'")
    kept = [MAGIC]
    rows: dict[bytes, _Row] = {}
    at = len(MAGIC)
    while at < len(data):
        try:
            size, content = unpack_size(data, at)
            end = content + size
            if size < 2 or end > len(data):
                raise ValueError("the chunk's length is wrong")
        except ValueError:
            boundary = data.find(BOUNDARY, at)
            if boundary < 0:
                break
            at = boundary + len(BOUNDARY)
            continue
        if _is_sound(data[content:end], rows):
            kept.append(data[at:end])
        at = end
    sound = b"".join(kept)
    return Sound(sound, len(data) - len(sound))


def _is_sound(chunk: bytes, rows: dict[bytes, _Row]) -> bool:
    """Whether a reader can take the chunk (tag and content) at its word. `rows` gathers how each stream's samples look."""
    tag, stream = int.from_bytes(chunk[:2], "little"), chunk[2:6]
    try:
        if tag == Tag.FILE_HEADER:
            ET.fromstring(chunk[2:])
        elif tag == Tag.STREAM_HEADER:
            if stream in rows:  # of another stream, whose number was damaged
                return False
            rows[stream] = _row(chunk[6:])
        elif tag == Tag.SAMPLES:
            return stream in rows and rows[stream].fill(chunk)
        elif tag == Tag.CLOCK_OFFSET:
            return stream in rows and len(chunk) == struct.calcsize("<HIdd")
        elif tag == Tag.STREAM_FOOTER:
            ET.fromstring(chunk[6:])
            return stream in rows
        return True
    except (ValueError, ET.ParseError):
        return False


@dataclass(frozen=True, slots=True)
class _Row:
    """How a sample lies in a chunk: a byte for the stamp's size (8, or 0 without one), the stamp, the values.

    `value_bytes`: of a number; None where each value is a text behind its length.
    """

    channels: int
    value_bytes: int | None

    def fill(self, chunk: bytes) -> bool:
        """Whether the rows of a sample chunk end where it ends: one wrong size shifts all that come after it."""
        count, at = unpack_size(chunk, 6)
        fewest = 1 + self.channels * (2 if self.value_bytes is None else self.value_bytes)  # an empty text takes two
        if count * fewest > len(chunk) - at:  # before the walk, which would take as long as a count that lies
            return False
        if (len(chunk) - at) == count * (fewest + 8) and self.value_bytes is not None:
            sizes = np.frombuffer(chunk, np.uint8, offset=at)[:: fewest + 8]
            if (sizes == 8).all():  # as nearly every program writes them
                return True
        for _ in range(count):
            at = self._end(chunk, at)
        return at == len(chunk)

    def _end(self, chunk: bytes, at: int) -> int:
        """Where the row that begins at `at` ends. ValueError when none begins there."""
        if at >= len(chunk) or chunk[at] not in (0, 8):
            raise ValueError("no stamp has this size")
        at += 1 + chunk[at]
        if self.value_bytes is not None:
            return at + self.channels * self.value_bytes
        for _ in range(self.channels):
            length, begin = unpack_size(chunk, at)
            at = begin + length
        return at


def _row(header: bytes) -> _Row:
    info = ET.fromstring(header.decode("utf-8", "replace"))
    channels = int(info.findtext("channel_count", ""))
    channel_format = info.findtext("channel_format", "")
    if channels < 0 or (channel_format != "string" and channel_format not in FORMATS):
        raise ValueError("no such stream can be")
    return _Row(channels, None if channel_format == "string" else FORMATS[channel_format].itemsize)
