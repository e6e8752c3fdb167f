"""Small sessions on disk, with and without anything to read in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bci_live.config import EpochConfig, FilterConfig
from bci_live.sessions.recording import Recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.types import Marker, StreamFacts

RATE, EVERY_S = 100.0, 1.0
CHANNELS = ("Fz", "Cz", "Pz", "Oz")
FILTER, EPOCH = FilterConfig(pre_roll_s=0.5), EpochConfig(stop_s=0.6)


def write_session(
    path: Path,
    seed: int,
    shown: Sequence[str],
    amplitude_uv: float = 8.0,
    drift: float = 0.0,
    details: Sequence[str] = (),
) -> Path:
    """A trial a second in noise of 5 µV; each "face" has a bump of `amplitude_uv` at Oz 170 ms after its onset.

    `drift`: by how much, in logarithms, the noise of each channel swells and ebbs within minutes, whatever is seen.
    """
    rng = np.random.default_rng(seed)
    times = 100 + np.arange(round((len(shown) * EVERY_S + 3) * RATE)) / RATE
    samples = rng.normal(0, 5, (len(times), len(CHANNELS)))
    phases = rng.uniform(0, 2 * np.pi, len(CHANNELS))
    periods = rng.uniform(45, 90, len(CHANNELS))
    samples *= np.exp(drift * np.sin(2 * np.pi * times[:, None] / periods + phases))
    onsets = 102 + EVERY_S * np.arange(len(shown))
    for onset, label in zip(onsets, shown, strict=True):
        if label == "face":
            samples[:, 3] += amplitude_uv * np.exp(-0.5 * ((times - onset - 0.17) / 0.03) ** 2)
    markers = tuple(
        Marker(label, float(onset), "stimuli", detail)
        for label, onset, detail in zip(shown, onsets, details or [""] * len(shown), strict=True)
    )
    facts = StreamFacts("cap", "EEG", f"cap-{seed}", "", "", RATE, CHANNELS, ("microvolts",) * len(CHANNELS))
    write_recording(path, Recording(facts, samples.astype(np.float32), times, markers, path))
    return path


def at_random(seed: int, trials: int = 40) -> list[str]:
    """Equally many of both labels, in random order."""
    order = np.random.default_rng(seed).permutation(trials)
    return [("face", "house")[place % 2] for place in order]


def in_blocks(seed: int, blocks: int = 6, length: int = 16) -> list[str]:
    """Blocks of one label, the labels of the blocks in random order."""
    return [label for label in at_random(seed, blocks) for _ in range(length)]
