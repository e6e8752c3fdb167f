"""Read XDF files through pyxdf, which brings the streams on one clock; damaged chunks are taken out before."""

from __future__ import annotations

import gzip
import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import pyxdf

from bci_live.errors import RecordingError
from bci_live.sessions.xdf_format import sound_chunks
from bci_live.streams.kinds import names_markers, why_no_eeg, why_no_markers
from bci_live.streams.markers import parse_marker
from bci_live.streams.units import microvolts_per
from bci_live.types import FloatArray, Marker, StreamFacts, TimeArray, channel_types

# What pyxdf raises on files that are not as they should be: its bare error, or that of whatever it stumbled over.
_PYXDF_ERRORS = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, ParseError, RuntimeError, TypeError, ValueError
)  # fmt: skip

# More samples were never counted; Python refuses to read numbers of any length.
_MOST_DIGITS = 18

_log = logging.getLogger(__name__)

_Stream = dict[str, Any]


def read_xdf(path: Path) -> tuple[StreamFacts, FloatArray, TimeArray, tuple[Marker, ...]]:
    """The EEG stream's facts, samples (n, channels) in µV and stamps (n,) in s, and the markers of all marker streams.

    The stamps are those of the file, put on one clock by its clock offsets, but not straightened. Of several EEG
    streams the longest is taken, and a warning logged; another one if the file lacks some of what was written.

    Raises
    ------
    RecordingError
        If the file is no XDF file, is damaged beyond reading, or holds no EEG.
    """
    streams, damage = _load(path)
    eeg = [stream for stream in streams if _is_eeg(stream)]
    if not eeg:
        hint = f" It is damaged: {damage}." if damage else ""
        raise RecordingError(f"'{path}' holds no EEG with samples at a regular rate. {_listed(streams)}{hint}")
    if damage:
        _log.warning("'%s' is damaged, and not all of it is read: %s.", path, damage)
    chosen = max(eeg, key=lambda stream: len(stream["time_stamps"]))
    if len(eeg) > 1:
        _log.warning("'%s' holds %d EEG streams; the longest, '%s', is taken.", path, len(eeg), _text(chosen, "name"))
    facts, factors = _facts(chosen)
    with np.errstate(over="ignore", invalid="ignore"):  # a damaged value may be larger than any EEG
        samples = (np.asarray(chosen["time_series"], dtype=np.float64) * factors).astype(np.float32)
    _told_ignored(path, streams)
    markers = [marker for stream in streams if _is_marker(stream) for marker in _markers(stream)]
    return facts, samples, np.asarray(chosen["time_stamps"], dtype=np.float64), tuple(markers)


def _load(path: Path) -> tuple[list[_Stream], str]:
    """The streams, and in words what is missing of them; empty for a whole file."""
    opener = gzip.open if path.suffix == ".xdfz" or path.suffixes[-2:] == [".xdf", ".gz"] else open
    try:
        with opener(path, "rb") as file:
            data = file.read()
        sound = sound_chunks(data)
        with _quiet(logging.getLogger("pyxdf")), np.errstate(all="ignore"):
            streams, _ = pyxdf.load_xdf(io.BytesIO(sound.data), dejitter_timestamps=False)
    except OSError as error:
        raise RecordingError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    except _PYXDF_ERRORS as error:
        raise RecordingError(f"'{path}' is no XDF recording or is damaged: {error}.") from error
    missing = sum(max(0, _announced(stream) - len(stream["time_stamps"])) for stream in streams)
    told = [f"{sound.left_out:,} of {len(data):,} bytes are left out"] if sound.left_out else []
    told += [f"{missing:,} samples that it once held are missing"] if missing else []
    return list(streams), " and ".join(told)


def _announced(stream: _Stream) -> int:
    """How many samples the footer tells of; 0 where there is none, or none that can be read."""
    info = stream.get("footer", {}).get("info")
    count = _leaf(info, "sample_count") if isinstance(info, dict) else ""
    return int(count) if count.isdecimal() and len(count) <= _MOST_DIGITS else 0


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep from the user what a library logs about a file: tracebacks among it, on a file that it then reads."""
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _text(stream: _Stream, key: str) -> str:
    values = stream["info"].get(key) or [""]
    return str(values[0] or "")


def _rate(stream: _Stream) -> float:
    return float(_text(stream, "nominal_srate") or 0)


def _is_eeg(stream: _Stream) -> bool:
    return _unfit(stream) is None and len(stream["time_stamps"]) > 0


def _unfit(stream: _Stream) -> str | None:
    """Why it is no EEG stream."""
    text = _text(stream, "channel_format") == "string"
    return why_no_eeg(_text(stream, "type"), _rate(stream), int(_text(stream, "channel_count") or 0), text=text)


def _is_marker(stream: _Stream) -> bool:
    """What is one live, and texts of a marker type with a rate, as in the specification's own example."""
    kind, text = _text(stream, "type"), _text(stream, "channel_format") == "string"
    return why_no_markers(kind, _rate(stream), text=text) is None or (text and names_markers(kind))


def _told_ignored(path: Path, streams: Sequence[_Stream]) -> None:
    """Log a warning of streams that look as if they held markers, but are not read as such."""
    for stream in streams:
        looks_so = _rate(stream) == 0 or names_markers(_text(stream, "type"))
        if looks_so and len(stream["time_stamps"]) and not _is_marker(stream):
            _log.warning("'%s': %s Its samples are not read as markers.", path, _listed([stream]))


def _listed(streams: Sequence[_Stream]) -> str:
    if not streams:
        return "It holds no stream at all."
    told = [
        f"'{_text(s, 'name')}' ({_text(s, 'type') or 'no type'}, "
        f"{_text(s, 'channel_count')} × {len(s['time_stamps'])} samples{_told_unfit(s)})"
        for s in streams
    ]
    return f"It holds {', '.join(told)}."


def _told_unfit(stream: _Stream) -> str:
    """What an EEG stream lacks; that another stream is none, its type says."""
    unfit = _unfit(stream) if _text(stream, "type").lower() == "eeg" else None
    return f"; {unfit}" if unfit else ""


def _facts(stream: _Stream) -> tuple[StreamFacts, TimeArray]:
    """What the stream says of itself, and the factors (channels,) that make µV of its values."""
    count = int(_text(stream, "channel_count"))
    desc = _branch(stream["info"], "desc")
    entries = [entry if isinstance(entry, dict) else {} for entry in _branch(desc, "channels").get("channel", [])]
    entries = (entries + [{}] * count)[:count]
    announced = [_leaf(entry, "unit") for entry in entries]
    factors = np.array([microvolts_per(unit) for unit in announced])
    facts = StreamFacts(
        name=_text(stream, "name"),
        kind=_text(stream, "type"),
        source_id=_text(stream, "source_id"),
        uid=_text(stream, "uid"),
        host=_text(stream, "hostname"),
        rate=_rate(stream),
        channels=tuple(_leaf(entry, "label") or f"Ch{number}" for number, entry in enumerate(entries, start=1)),
        units=tuple(unit if factor == 1 else "microvolts" for unit, factor in zip(announced, factors, strict=True)),
        replay=_leaf(desc, "replay") == "true",
        simulated=_leaf(desc, "simulated") == "true",
        types=channel_types(_text(stream, "type"), [_leaf(entry, "type") for entry in entries]),
        head=_leaf(desc, "head"),
    )
    return facts, factors


def _markers(stream: _Stream) -> Iterator[Marker]:
    """A marker's label is its first channel: senders of several put codes of their own into the others."""
    name = _text(stream, "name")
    for row, stamp in zip(stream["time_series"], stream["time_stamps"], strict=True):
        if len(row):  # a damaged header may announce no channel
            yield parse_marker(row[0], float(stamp), name)


def _branch(parent: dict[str, Any], key: str) -> dict[str, Any]:
    """pyxdf gives each element as a list of dicts, or of None and texts when it is empty."""
    values = parent.get(key) or [{}]
    return values[0] if isinstance(values[0], dict) else {}


def _leaf(parent: dict[str, Any], key: str) -> str:
    values = parent.get(key) or [""]
    return values[0].strip() if isinstance(values[0], str) else ""
