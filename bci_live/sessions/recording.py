"""A recorded session in memory, whatever file it came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bci_live.errors import RecordingError
from bci_live.sessions.mne_reader import read_with_mne
from bci_live.sessions.xdf_reader import read_xdf
from bci_live.streams.arrivals import Arrivals
from bci_live.streams.dejitter import Dejitter
from bci_live.types import Chunk, FloatArray, Marker, StreamFacts, TimeArray

XDF_SUFFIXES = (".xdf", ".xdfz", ".xdf.gz")


@dataclass(frozen=True, slots=True)
class Recording:
    """EEG with its markers.

    `samples`: (n, channels), µV. `stamps`: (n,), s, as recorded: jittered, with holes. `markers`: in the order of time,
    on the clock of the stamps.
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
    if not np.isfinite(stamps).all():
        raise RecordingError(f"'{path}' is damaged: it has samples without a time.")
    in_order = tuple(sorted((m for m in markers if np.isfinite(m.time)), key=lambda marker: marker.time))
    return Recording(facts=facts, samples=samples, stamps=stamps, markers=in_order, path=path)


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
