"""Import what Muse recorders write as CSV: a row a sample, `timestamps`, channels, `Marker0`, perhaps `Marker1` …"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bci_live.errors import LabelError, RecordingError
from bci_live.sessions.recording import Recording, digest
from bci_live.sessions.xdf_writer import write_recording
from bci_live.streams.dejitter import Dejitter
from bci_live.types import FloatArray, Marker, StreamFacts, TimeArray

RATE = 256.0  # Hz, of every Muse headband
TIME_COLUMN = "timestamps"
AUX_COLUMN = "Right AUX"  # an input for an extra electrode, unconnected as a rule
MARKER_COLUMN = "Marker0"


@dataclass(frozen=True, slots=True)
class _Table:
    """The columns: `stamps` (n,), s; `samples` (n, channels), µV; `codes` (n,), 0 = no marker; `others`: `Marker1` …"""

    stamps: TimeArray
    channels: tuple[str, ...]
    samples: FloatArray
    codes: TimeArray
    others: Mapping[str, TimeArray]


def import_muse(files: Sequence[Path], out: Path, labels: Mapping[str, str], *, keep_aux: bool = False) -> list[Path]:
    """Write an XDF session for each CSV: `out` itself for one, else `out` with `_run-01`, `_run-02` … in its name.

    The stamps stay as they are. The original recorder snapped each marker to a sample; a marker gets the straightened
    stamp of that sample, so that live and offline alike put it on that sample again. Nothing is written unless all
    files are sound.

    Parameters
    ----------
    labels : marker number → label; a marker keeps its number as its label when this is empty
    keep_aux : keep the channel "Right AUX"

    Raises
    ------
    RecordingError
        If a file cannot be read or is no such table, or if a session to be written exists already.
    LabelError
        If a file has a marker that `labels` does not name.
    """
    out = Path(out)
    targets = [out]
    if len(files) > 1:
        targets = [out.with_name(f"{out.stem}_run-{run:02d}{out.suffix}") for run in range(1, len(files) + 1)]
    for target in targets:
        if target.suffix.lower() != ".xdf":
            raise RecordingError(
                f"'{target}' does not end in .xdf, by which a session is known: name it {target.stem}.xdf"
            )
        if target.exists():
            raise RecordingError(f"'{target}' exists already and is not overwritten: choose another name.")
    recordings = [_recording(Path(file), labels, keep_aux) for file in files]
    for target, recording in zip(targets, recordings, strict=True):
        write_recording(target, recording)
    return targets


def _recording(path: Path, labels: Mapping[str, str], keep_aux: bool) -> Recording:
    table = _read_table(path, keep_aux)
    facts = StreamFacts(
        name="Muse",
        kind="EEG",
        source_id=f"muse-{digest(path)[:12]}",
        uid="",
        host="",
        rate=RATE,
        channels=table.channels,
        units=("microvolts",) * len(table.channels),
    )
    return Recording(facts, table.samples, table.stamps, _markers(path, table, labels), path)


def _markers(path: Path, table: _Table, labels: Mapping[str, str]) -> tuple[Marker, ...]:
    rows = np.flatnonzero(table.codes)
    codes, counts = np.unique(table.codes[rows], return_counts=True)
    for code, count in zip(codes, counts, strict=True):
        if labels and f"{code:g}" not in labels:
            raise LabelError(
                f"'{path}' has {count} markers of number {code:g}, which --labels does not name: add {code:g}=NAME."
            )
    times = Dejitter(RATE).straighten(table.stamps).times
    return tuple(
        Marker(
            label=labels.get(f"{table.codes[row]:g}", f"{table.codes[row]:g}"),
            time=float(times[row]),
            stream="Muse-markers",
            detail=_detail(table, row),
        )
        for row in rows.tolist()
    )


def _detail(table: _Table, row: int) -> str:
    """What the other marker columns hold there, as JSON."""
    return json.dumps({name: float(values[row]) for name, values in table.others.items()}) if table.others else ""


def _read_table(path: Path, keep_aux: bool) -> _Table:
    try:
        with path.open(encoding="utf-8") as file:
            names = [name.strip() for name in file.readline().split(",")]
            missing = [name for name in (TIME_COLUMN, MARKER_COLUMN) if name not in names]
            if missing:
                raise RecordingError(f"'{path}' is no Muse table: it lacks {' and '.join(missing)}.")
            rows = [line for line in file if line.strip()]
            values = np.loadtxt(rows, delimiter=",", ndmin=2) if rows else np.empty((0, len(names)))
    except OSError as error:
        raise RecordingError(f"'{path}' cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"'{path}' is no Muse table: it is not a text file.") from error
    except ValueError as error:
        raise RecordingError(f"'{path}' is no Muse table: {error}.") from error
    if len(values) == 0 or values.shape[1] != len(names) or not np.isfinite(values).all():
        raise RecordingError(f"'{path}' is no Muse table: it needs rows of {len(names)} numbers under its header.")
    columns = dict(zip(names, values.T, strict=True))
    markers = [name for name in names if name.startswith("Marker")]
    channels = [name for name in names if name not in (TIME_COLUMN, *markers) and (keep_aux or name != AUX_COLUMN)]
    if not channels:
        raise RecordingError(f"'{path}' is no Muse table: it has no channel besides the markers.")
    return _Table(
        stamps=columns[TIME_COLUMN],
        channels=tuple(channels),
        samples=np.stack([columns[name] for name in channels], axis=1).astype(np.float32),
        codes=columns[MARKER_COLUMN],
        others={name: columns[name] for name in markers if name != MARKER_COLUMN},
    )
