"""A recorded session in memory, whatever file it came from."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from bci_live.errors import RecordingError
from bci_live.sessions.mne_reader import read_with_mne
from bci_live.sessions.xdf_reader import read_xdf
from bci_live.streams.arrivals import Arrivals
from bci_live.streams.dejitter import Dejitter
from bci_live.streams.kinds import why_no_rate
from bci_live.types import Chunk, FloatArray, Marker, StreamFacts, TimeArray

_log = logging.getLogger(__name__)

XDF_SUFFIXES = (".xdf", ".xdfz", ".xdf.gz")


@dataclass(frozen=True, slots=True)
class Recording:
    """EEG with its markers.

    `samples`: (n, channels), µV. `stamps`: (n,), s, as recorded: jittered, with holes, and NaN where a sample came without
    a time (never the first one). `markers`: in the order of time, on the clock of the stamps.
    """

    facts: StreamFacts
    samples: FloatArray
    stamps: TimeArray
    markers: tuple[Marker, ...]
    path: Path

    def times(self) -> tuple[TimeArray, tuple[int, ...]]:
        """The straightened stamps (n,), and where a new segment begins."""
        done = Dejitter(self.facts.rate).straighten(self.stamps)
        return done.times, done.breaks

    def arrivals(self) -> Chunk:
        """What a live inlet makes of the same samples: each once, dated, with its gaps."""
        return Arrivals(self.facts.rate, len(self.facts.channels)).take(self.samples, self.stamps, 0.0)

    def dated(self) -> Self:
        """Itself with a stamp for every sample: one without has that which a listener gives it."""
        timed = np.isfinite(self.stamps)
        return self if timed.all() else replace(self, stamps=np.where(timed, self.stamps, self.times()[0]))


def read_recording(path: Path) -> Recording:
    """Read an XDF file, or anything that `mne.io.read_raw` reads.

    Raises
    ------
    RecordingError
        If there is no such file, it is no recording, is damaged beyond reading, or holds no EEG.
    """
    path = Path(path)
    if not path.exists():
        raise RecordingError(f"There is no recording '{path}'. Check the name and the folder.")
    if path.is_dir() and not path.suffix:  # some formats are folders, but those have an ending
        raise RecordingError(f"'{path}' is a folder. Name a recording in it.")
    if path.suffix.lower() == ".csv":
        raise RecordingError(
            f"'{path}' is a table, not a recording. If a Muse headband wrote it, import it first: "
            "bci-live import muse-csv FILE --out FILE.xdf"
        )
    reader = read_xdf if path.name.lower().endswith(XDF_SUFFIXES) else read_with_mne
    facts, samples, stamps, markers = reader(path)
    unfit = why_no_rate(facts.rate)
    if unfit:
        raise RecordingError(f"'{path}' holds no EEG that can be used: {unfit}. Its header is damaged, or wrong.")
    stamps = _begun(path, stamps, facts.rate)
    in_order = tuple(sorted((m for m in markers if np.isfinite(m.time)), key=lambda marker: marker.time))
    return Recording(facts=facts, samples=samples, stamps=stamps, markers=in_order, path=path)


def _begun(path: Path, stamps: TimeArray, rate: float) -> TimeArray:
    """The stamps (n,), s, with NaN for what is none; those before the first one are counted back from it."""
    timed = np.isfinite(stamps)
    if timed.all():
        return stamps
    if not timed.any():
        raise RecordingError(f"'{path}' is damaged: its samples have no times.")
    _log.warning("'%s' has %s samples without a time; each is dated by those before it.", path, f"{(~timed).sum():,}")
    first = int(timed.argmax())
    stamps = np.where(timed, stamps, np.nan)
    stamps[:first] = stamps[first] - np.arange(first, 0, -1) / rate
    return stamps


def digest(path: Path) -> str:
    """The file's SHA-256, as hexadecimal digits: by it a decoder remembers what it was trained on.

    Raises
    ------
    RecordingError
        If the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RecordingError(f"'{path}' cannot be read: {error.strerror or error}.") from error


def digests(recording: Recording) -> tuple[str, str]:
    """SHA-256 of the file, and of its samples: saved or imported anew a recording has other bytes, but the same samples.

    Raises
    ------
    RecordingError
        If the file cannot be read.
    """
    of_file = digest(recording.path)
    samples = hashlib.sha256(np.ascontiguousarray(recording.samples).data).hexdigest()
    return of_file, samples if recording.samples.size else of_file


def check_different(recordings: Sequence[Recording]) -> tuple[tuple[str, str], ...]:
    """The `digests` of each: no two have the same samples, whatever the files are called.

    Raises
    ------
    RecordingError
        If two are the same.
    """
    first: dict[str, Path] = {}
    found = tuple(digests(recording) for recording in recordings)
    for recording, (_, samples) in zip(recordings, found, strict=True):
        same = first.setdefault(samples, recording.path)
        if same is not recording.path:
            raise RecordingError(
                f"'{same}' and '{recording.path}' are the same recording, named twice: name it once, or its trials would count "
                "twice, and be held out of what was trained on them."
            )
    return found
