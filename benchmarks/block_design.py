"""The fake success of a block design: a head that sees nothing, labels in blocks, and noise that drifts.

`python benchmarks/block_design.py [--order blocks|random] [--seed 0]` prints one JSON line: the top-1 without the safeguards
(every fourth trial held out at random, the rest of its block known), and with them (whole runs held out, by `evaluate`'s own
code), and whether the alarm was raised. The split by random trial stands here alone: `bci-live evaluate` refuses it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bci_live.config import EpochConfig, FilterConfig, bundled
from bci_live.evaluation.controls import Scale, plain_probabilities
from bci_live.evaluation.cross_validation import cross_validate
from bci_live.evaluation.drawing import Drawing
from bci_live.evaluation.folds import Training
from bci_live.evaluation.reading import cut_all, indices_of, read_sessions
from bci_live.evaluation.report import write_report
from bci_live.sessions.recording import Recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.simulation.background import Background
from bci_live.simulation.conduction import CHANNELS
from bci_live.types import Marker, StreamFacts

LABELS = ("dog", "guitar", "piano", "banana")
RATE, INTERVAL_S, LEAD_S = 250.0, 1.0, 3.0
# How far the electrodes' gains wander, as a logarithm, and within which time, s: dry contacts, sweat, vigilance.
DRIFT, DRIFT_S = 0.5, 240.0


def labels_of(order: str, trials: int, rng: np.random.Generator) -> list[str]:
    """Each label `trials` times: in blocks, as the paper's data were recorded, or every trial at random."""
    if order == "blocks":
        return [label for label in rng.permutation(LABELS).tolist() for _ in range(trials)]
    return list(rng.permutation(np.repeat(LABELS, trials)).tolist())


def write_run(path: Path, shown: Sequence[str], rng: np.random.Generator) -> None:
    """Background EEG alone, whose electrodes' gains wander slowly, beside markers that nothing answers to."""
    n = round((2 * LEAD_S + INTERVAL_S * len(shown)) * RATE)
    samples = Background.build(np.random.default_rng(0)).simulate(n, RATE, rng)
    samples = (samples * np.exp(DRIFT * wandering(n, samples.shape[1], rng))).astype(np.float32)
    markers = tuple(Marker(label, 1000.0 + LEAD_S + INTERVAL_S * index, "stimuli") for index, label in enumerate(shown))
    facts = StreamFacts(
        "drift", "EEG", path.stem, "", "", RATE, CHANNELS, ("microvolts",) * len(CHANNELS), simulated=True
    )
    path.unlink(missing_ok=True)  # of an earlier call
    write_recording(path, Recording(facts, samples, 1000.0 + np.arange(n) / RATE, markers, path))


def wandering(n: int, channels: int, rng: np.random.Generator) -> np.ndarray:
    """(n, channels) of unit variance: random values every `DRIFT_S` / 4 and a smooth way between them."""
    knots = rng.standard_normal((round(n / RATE / DRIFT_S * 4) + 2, channels))
    at, whole = np.linspace(0, len(knots) - 1, n), np.arange(len(knots))
    return np.stack([np.interp(at, whole, course) for course in knots.T], axis=1)


def without_safeguards(paths: Sequence[Path], training: Training) -> tuple[float, tuple[float, float]]:
    """Top-1 where every fourth trial of a run is held out at random; and the interval of chance for independent trials."""
    recordings = read_sessions(paths, {})
    cut = cut_all(recordings, training.filter, training.epoch, CHANNELS, RATE)
    labels, parts = indices_of(cut.labels, LABELS), np.random.default_rng(0).permutation(len(cut.labels)) % 4
    read = np.zeros((len(labels), len(LABELS)))
    for run in range(len(paths)):
        for part in range(4):
            held, fit = (cut.runs == run) & (parts == part), (cut.runs == run) & (parts != part)
            read[held] = plain_probabilities(cut.data[fit], labels[fit], cut.data[held], len(LABELS))
    found = Scale(labels, np.zeros_like(labels), len(LABELS)).of(read, "split by random trial")
    return found.score, found.interval


def measure(
    folder: Path, order: str, runs: int, trials: int, training: Training, seed: int = 0, report: Path | None = None
) -> dict[str, Any]:
    """Both scores of the same data; `seed`: of the data."""
    rng = np.random.default_rng(seed)
    paths = [folder / f"{order}_run-{number + 1:02d}.xdf" for number in range(runs)]
    for path in paths:
        write_run(path, labels_of(order, trials, rng), rng)
    fake, fake_chance = without_safeguards(paths, training)
    drawing = Drawing(bundled("models/diffusion-demo"), count=0, judge=None)
    found = cross_validate(paths, "run", training, drawing=drawing)
    if report is not None:
        write_report(found, report)
    told = found.summary()
    return {
        "order": order,
        "trials": told["trials"],
        "n_way": told["n_way"],
        "chance": told["chance"],
        "by_random_trial": round(fake, 3),
        "by_random_trial_chance_interval": [round(it, 3) for it in fake_chance],
        "by_run": told["top1"],
        "by_run_chance_interval": told["chance_interval"],
        "alarm": told["block_design"],
        "time_of_trial": told["controls"]["time_of_trial"]["score"],
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--order", choices=("blocks", "random"), default="blocks")
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--trials", type=int, default=24, help="of each label in each run")
    parser.add_argument("--seed", type=int, default=0, help="of the noise, the drift and the order")
    parser.add_argument("--out", type=Path, default=Path(".cache/block-design"), help="folder for the recordings")
    parser.add_argument("--report", type=Path, help="write the report of the split by run there")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    training = Training(FilterConfig(), EpochConfig(reject_uv={}), {})
    found = measure(
        arguments.out, arguments.order, arguments.runs, arguments.trials, training, arguments.seed, arguments.report
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
