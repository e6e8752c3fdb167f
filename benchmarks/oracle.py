"""How much of what could be read of the simulated head does a decoder read? On the session that ships, which nobody trained on.

`python benchmarks/oracle.py [--decoder DIR] [--session FILE]` prints one JSON line: top-1 and top-5 of the decoder and of the one that
knows the head (`bci_live/simulation/oracle.py`), the decoder's shares of them, and the oracle's median error of position.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from bci_live.config import bundled
from bci_live.decoding.decoder import load_decoder
from bci_live.sessions.recording import read_recording
from bci_live.signal.epoching import EpochPlan
from bci_live.simulation.oracle import Oracle
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import random_layout, render
from bci_live.training.demo import PIXELS, demo_head
from bci_live.training.epochs import cut_recording
from bci_live.types import Epoch

LAYOUTS_PER_LABEL, SEED = 150, 77


def build_oracle(plan: EpochPlan) -> Oracle:
    """For the head of the demo, the catalogue, and epochs as `plan` prepares them."""
    catalogue, rng = load_catalogue(), np.random.default_rng(SEED)
    labels = np.repeat(np.arange(len(catalogue.labels)), LAYOUTS_PER_LABEL)
    layouts = [random_layout(rng) for _ in labels]
    pictures = np.stack(
        [render(catalogue.picture(catalogue.labels[k]), it, PIXELS) for k, it in zip(labels, layouts, strict=True)]
    )
    centres = np.array([(it.x, it.y) for it in layouts])
    return Oracle.of(demo_head(catalogue), pictures, labels, centres, plan.prepare, plan.before, plan.after, rng)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--session", type=Path, default=bundled("recordings/demo.xdf"))
    parser.add_argument("--decoder", type=Path, default=bundled("models/decoder-demo"))
    arguments = parser.parse_args()
    decoder, recording, names = (
        load_decoder(arguments.decoder),
        read_recording(arguments.session),
        load_catalogue().labels,
    )
    card = decoder.card
    plan = EpochPlan(recording.facts.rate, card.rate, card.filter, card.epoch)
    epochs = cut_recording(recording, plan, card.channels)
    truth = np.array([names.index(label) for label in epochs.labels])
    scores = [
        decoder.decode(Epoch(data, 0.0, marker, 0.0, 0.0)).scores
        for data, marker in zip(epochs.data, epochs.markers, strict=True)
    ]
    ours = np.array([[it[name] for name in names] for it in scores])
    oracle = build_oracle(plan)
    best = oracle.log_probabilities(epochs.data)
    centres = np.array([(it["x"], it["y"]) for it in (json.loads(detail)["layout"] for detail in epochs.details)])
    errors = np.linalg.norm(oracle.positions(epochs.data) - centres, axis=1)
    result: dict[str, float] = {"epochs": len(truth), "oracle_position_error": float(np.median(errors))}
    for k in (1, 5):
        ours_k, best_k = (
            float((it.argsort(axis=1)[:, -k:] == truth[:, None]).any(axis=1).mean()) for it in (ours, best)
        )
        result |= {f"top{k}": ours_k, f"oracle_top{k}": best_k, f"share_of_top{k}": ours_k / best_k}
    print(json.dumps({name: round(value, 3) for name, value in result.items()}))


if __name__ == "__main__":
    main()
