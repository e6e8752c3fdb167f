"""XDF 1.0 on the level of chunks, for writer and reader (https://github.com/sccn/xdf/wiki/Specifications)."""

from __future__ import annotations

import struct
import uuid
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


def sound_chunks(data: bytes) -> bytes:
    """The file without the chunks that are cut off, lie about their length or come before their stream's header.

    A reader that believes a damaged length or count reserves memory without bound or breaks off. Here such a chunk is
    left out, and where the next one is not to be found the search goes on after the next boundary chunk, as the
    specification intends.

    Raises
    ------
    ValueError
        If this is no XDF file.
    """
    if not data.startswith(MAGIC):
        raise ValueError("the file does not begin with 'XDF:'")
    kept = [MAGIC]
    row_bytes: dict[bytes, int] = {}
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
        if _is_sound(data[content:end], row_bytes):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _is_sound(chunk: bytes, row_bytes: dict[bytes, int]) -> bool:
    """Whether a reader can take the chunk (tag and content) at its word.

    `row_bytes` gathers, by stream, the fewest bytes that one of its samples takes.
    """
    tag, stream = int.from_bytes(chunk[:2], "little"), chunk[2:6]
    try:
        if tag == Tag.FILE_HEADER:
            ET.fromstring(chunk[2:])
        elif tag == Tag.STREAM_HEADER:
            row_bytes[stream] = _row_bytes(chunk[6:])
        elif tag == Tag.SAMPLES:
            count, rows_at = unpack_size(chunk, 6)
            return stream in row_bytes and count * row_bytes[stream] <= len(chunk) - rows_at
        elif tag == Tag.CLOCK_OFFSET:
            return stream in row_bytes and len(chunk) == struct.calcsize("<HIdd")
        elif tag == Tag.STREAM_FOOTER:
            ET.fromstring(chunk[6:])
            return stream in row_bytes
        return True
    except (ValueError, ET.ParseError):
        return False


def _row_bytes(header: bytes) -> int:
    """The fewest bytes of one sample: a byte for the stamp's size, then the values (two bytes hold an empty text)."""
    info = ET.fromstring(header.decode("utf-8", "replace"))
    channels = int(info.findtext("channel_count", ""))
    channel_format = info.findtext("channel_format", "")
    if channels < 0 or (channel_format != "string" and channel_format not in FORMATS):
        raise ValueError("no such stream can be")
    return 1 + channels * (2 if channel_format == "string" else FORMATS[channel_format].itemsize)
