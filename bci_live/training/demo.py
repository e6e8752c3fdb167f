"""Makes the demo: the session that ships, and the sessions that its decoder is trained on. `python -m bci_live.training.demo`"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from bci_live.sessions.recording import Recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.simulation.head import SimulatedHead
from bci_live.simulation.identity import describe_head
from bci_live.stimuli.catalogue import Catalogue, load_catalogue
from bci_live.stimuli.rendering import Layout, layout_to_dict, random_layout, render
from bci_live.types import Marker, StreamFacts

PIXELS = 64
_LEAD_S, _TAIL_S = 3.0, 1.5
_DEVELOPMENT_PICTURES = 40
DEMO_SEED, TRAINING_SEED, HEAD_SEED = 2026, 10_000, 0
TRAINING_STIMULI = 160


def demo_head(catalogue: Catalogue, seed: int = HEAD_SEED) -> SimulatedHead:
    """The person of the demo."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(len(catalogue.labels)), _DEVELOPMENT_PICTURES)
    pictures = np.stack([render(catalogue.picture(catalogue.labels[c]), random_layout(rng), PIXELS) for c in classes])
    return SimulatedHead.build(pictures, classes, seed=seed)


def make_session(
    path: Path, head: SimulatedHead, catalogue: Catalogue, n_stimuli: int, interval_s: float, seed: int
) -> Recording:
    """Write one session of `n_stimuli` pictures in random order, every label about equally often.

    Onsets lie on samples, `interval_s` apart with a jitter of a fifth. The same arguments give the same samples
    and markers.
    """
    rng = np.random.default_rng(seed)
    labels, layouts = draw_stimuli(catalogue, n_stimuli, rng)
    pictures = np.stack(
        [render(catalogue.picture(label), layout, PIXELS) for label, layout in zip(labels, layouts, strict=True)]
    )
    gaps = interval_s * rng.uniform(0.9, 1.1, n_stimuli)
    onsets = np.round((_LEAD_S + np.cumsum(gaps) - gaps[0]) * head.rate) / head.rate
    samples = head.watch(pictures, onsets, float(onsets[-1]) + _TAIL_S, rng)
    stamps: NDArray[np.float64] = 1000.0 + np.arange(len(samples)) / head.rate
    markers = tuple(
        Marker(label, 1000.0 + float(onset), "bci_live stimuli", json.dumps({"layout": layout_to_dict(layout)}))
        for label, layout, onset in zip(labels, layouts, onsets, strict=True)
    )
    facts = StreamFacts(
        name="bci_live simulated head",
        kind="EEG",
        source_id=f"simulated-head-{seed}",
        uid="",
        host="",
        rate=head.rate,
        channels=head.channels,
        units=("microvolts",) * len(head.channels),
        simulated=True,
        head=describe_head(head),
    )
    recording = Recording(facts=facts, samples=samples, stamps=stamps, markers=markers, path=path)
    write_recording(path, recording)
    return recording


def draw_stimuli(catalogue: Catalogue, count: int, rng: np.random.Generator) -> tuple[list[str], list[Layout]]:
    """Labels in random order, each about equally often, and where and how each is shown."""
    rounds = -(-count // len(catalogue.labels))
    labels = [str(label) for _ in range(rounds) for label in rng.permutation(catalogue.labels)][:count]
    return labels, [random_layout(rng) for _ in labels]


def make_training_sessions(folder: Path, n_sessions: int = 12, n_stimuli: int = TRAINING_STIMULI) -> Iterator[Path]:
    """Sessions of the same head with other layouts in another order than the demo's; those that exist are kept."""
    catalogue = load_catalogue("objects")
    head = demo_head(catalogue)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(n_sessions):
        path = folder / f"training_run-{index + 1:02d}.xdf"
        if not path.exists():
            make_session(path, head, catalogue, n_stimuli, 1.1, TRAINING_SEED + index)
        yield path


def make_demo(path: Path) -> Recording:
    """The session that ships: 100 stimuli."""
    catalogue = load_catalogue("objects")
    return make_session(path, demo_head(catalogue), catalogue, 100, 1.5, DEMO_SEED)


def main() -> None:
    """Make the demo session and the training sessions."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path("recordings/demo.xdf"), help="the session that ships")
    parser.add_argument("--training", type=Path, default=Path(".cache/demo-training"), help="folder for the others")
    parser.add_argument("--sessions", type=int, default=12, help="how many of them")
    arguments = parser.parse_args()
    if not arguments.out.exists():
        make_demo(arguments.out)
    for _ in track(make_training_sessions(arguments.training, arguments.sessions), "Sessions", arguments.sessions):
        pass


if __name__ == "__main__":
    main()
