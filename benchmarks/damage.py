"""What is read of a damaged XDF file: cut off at every byte of its last 64 KiB, and with 2,000 single bits flipped.

Every sample that is read is looked for in the sound file. A flipped bit may spoil the one sample that it lies in, whose
chunk was touched; all others must be there bit for bit, with their stamps and in their order. What is not is invented.

`python benchmarks/damage.py [--file recordings/demo.xdf] [--seconds 4]` prints one JSON line. It takes minutes.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from rich.progress import track

from bci_live.errors import RecordingError
from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.xdf_writer import write_recording

TAIL = 65_536
FLIPS = 2_000


@dataclass
class Tally:
    """How the readings of damaged files ended.

    `lost`: of each file that was read, the share of the samples that it did not give. `invented`: how many files gave
    samples that are not the sound file's, besides those that were spoiled.
    """

    read: int = 0
    refused: int = 0
    invented: int = 0
    tracebacks: list[str] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    slowest_s: float = 0.0

    def figures(self) -> dict[str, object]:
        lost = np.array(self.lost or [0.0])
        return {
            "read": self.read,
            "refused_with_a_sentence": self.refused,
            "with_invented_samples": self.invented,
            "tracebacks": len(self.tracebacks),
            "first_tracebacks": self.tracebacks[:3],
            "samples_lost_median": round(float(np.median(lost)), 4),
            "samples_lost_p95": round(float(np.percentile(lost, 95)), 4),
            "slowest_s": round(self.slowest_s, 3),
        }


def strange(read: Recording, original: Recording) -> int:
    """How many of the samples that were read are not the original's, with their stamps and in their order."""
    places = {row: place for place, row in enumerate(_rows(original))}
    there = [places[row] for row in _rows(read) if row in places]
    in_order = np.count_nonzero(np.diff(there, prepend=-1) > 0)
    return len(read.stamps) - int(in_order)


def _rows(recording: Recording) -> list[bytes]:
    return [stamp.tobytes() + row.tobytes() for stamp, row in zip(recording.stamps, recording.samples, strict=True)]


def try_all(damaged: Iterable[bytes], path: Path, whole: Recording, spoiled: int) -> Tally:
    """Read each of the files; `whole`: the sound one. So many samples may be `spoiled`."""
    tally = Tally()
    for data in damaged:
        path.write_bytes(data)
        read, began = None, time.perf_counter()
        try:
            read = read_recording(path)
        except RecordingError:
            tally.refused += 1
        except Exception as error:  # noqa: BLE001 - what this script looks for
            tally.tracebacks.append(f"{type(error).__name__}: {error}")
        tally.slowest_s = max(tally.slowest_s, time.perf_counter() - began)
        if read is not None:
            tally.read += 1
            tally.lost.append(1 - len(read.stamps) / len(whole.stamps))
            tally.invented += strange(read, whole) > spoiled
    return tally


def cut_off(data: bytes) -> Iterator[bytes]:
    """Every beginning of the file that lacks up to 64 KiB."""
    for length in track(range(max(4, len(data) - TAIL), len(data)), "Cut off"):
        yield data[:length]


def flipped(data: bytes) -> Iterator[bytes]:
    """The file with one bit wrong, at random."""
    rng = np.random.default_rng(0)
    for place in track(rng.integers(0, 8 * len(data), FLIPS).tolist(), "Flipped"):
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        yield bytes(damaged)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=Path("recordings/demo.xdf"))
    parser.add_argument("--seconds", type=float, default=4.0, help="how much of it: every reading takes as long")
    arguments = parser.parse_args()
    recording = read_recording(arguments.file)
    n = min(len(recording.stamps), round(arguments.seconds * recording.facts.rate))
    markers = tuple(marker for marker in recording.markers if marker.time <= recording.stamps[n - 1])
    short = replace(recording, samples=recording.samples[:n], stamps=recording.stamps[:n], markers=markers)
    with tempfile.TemporaryDirectory() as folder:
        sound, path = Path(folder) / "sound.xdf", Path(folder) / "damaged.xdf"
        write_recording(sound, short)
        logging.disable(logging.WARNING)  # thousands, of files that are damaged on purpose
        data = sound.read_bytes()
        figures = {
            "bytes": len(data),
            "cut_off": try_all(cut_off(data), path, short, spoiled=0).figures(),
            "flipped": try_all(flipped(data), path, short, spoiled=1).figures(),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
