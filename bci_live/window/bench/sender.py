"""The sender of the window's benchmark, a program of its own: EEG of any size that the demo's decoder can read, and markers.

Its first channels are the decoder's, the others are E33, E34, … What is read of its noise means nothing.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np
import pylsl

from bci_live.config import bundled
from bci_live.decoding.card import DecoderCard
from bci_live.streams.outlet import open_eeg_outlet, open_marker_outlet
from bci_live.types import StreamFacts

CHUNK_S = 0.008
MARKER_EVERY_S = 1.6
_NOISE_ROWS = 4096


def marker_source(source: str) -> str:
    """The source id of the marker stream beside the EEG's."""
    return f"{source}-markers"


def main() -> None:
    """The command line: source id, channels, rate in Hz. Ends with the process that started it."""
    source, channels, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    card = DecoderCard.model_validate_json(
        (bundled("models/decoder-demo") / "decoder.json").read_text(encoding="utf-8")
    )
    names = (*card.channels, *(f"E{number + 1}" for number in range(len(card.channels), channels)))[:channels]
    eeg = StreamFacts(source, "EEG", source, "", "", rate, names, ("microvolts",) * channels, False, True)
    markers = StreamFacts(marker_source(source), "Markers", marker_source(source), "", "", 0.0, ("label",), ("none",))
    outlets = open_eeg_outlet(eeg), open_marker_outlet(markers)
    noise = np.random.default_rng(0).normal(0, 12, (_NOISE_ROWS, channels)).astype(np.float32)
    chunk, begin, first, told = max(1, round(CHUNK_S * rate)), pylsl.local_clock(), 0, 0
    parent = os.getppid()
    while os.name != "posix" or os.getppid() == parent:
        last = begin + (first + chunk - 1) / rate
        time.sleep(max(0.0, last - pylsl.local_clock()))
        outlets[0].push_chunk(noise[np.arange(first, first + chunk) % _NOISE_ROWS], last)
        if last - begin > told * MARKER_EVERY_S:
            outlets[1].push_sample([card.labels[told % len(card.labels)]], last)
            told += 1
        first += chunk


if __name__ == "__main__":
    main()
