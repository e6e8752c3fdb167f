"""How often is the drawn object named right? 10 draws a label from the true caption, judged by an independent classifier.

`python benchmarks/draws.py [--pipeline models/diffusion-demo] [--steps 1 2 4 8]` prints one JSON line. It takes minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bci_live.config import DiffusionConfig
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.evaluation.object_classifier import ObjectClassifier, cached_object_classifier, name_objects
from bci_live.stimuli.captions import CaptionBank, load_bank
from bci_live.stimuli.catalogue import load_catalogue

DRAWS_PER_LABEL = 10


def measure(
    folder: Path, steps: int, bank: CaptionBank, judge: ObjectClassifier, grid: Path | None
) -> dict[str, object]:
    """Accuracy, the labels most often missed, and the milliseconds a picture takes."""
    config = DiffusionConfig(pipeline=str(folder), steps=steps, strength=1.0, initial="grey")
    reconstructor = DiffusionReconstructor.load(folder, torch.device("cpu"), config, time.perf_counter)
    reconstructor.warm_up()
    images, times = [], []
    for index in range(DRAWS_PER_LABEL * len(bank.labels)):
        began = time.perf_counter()
        *_, last = reconstructor.draw(bank.embeddings[index % len(bank.labels)], None, seed=1_000 + index)
        times.append(1e3 * (time.perf_counter() - began))
        images.append(last)
    truth = np.arange(len(images)) % len(bank.labels)
    named = name_objects(judge, np.stack(images))
    if grid is not None:
        Image.fromarray(contact_sheet(np.stack(images[: 2 * len(bank.labels)]))).save(grid / f"draws-{steps}.png")
    missed = Counter(bank.labels[label] for label in truth[named != truth])
    return {
        "accuracy": round(float((named == truth).mean()), 4),
        "missed_most": dict(missed.most_common(6)),
        "ms_a_picture": round(float(np.median(times)), 1),
    }


def contact_sheet(images: np.ndarray, columns: int = 10) -> np.ndarray:
    """(n, h, w, 3) side by side."""
    rows = [np.concatenate(list(images[first : first + columns]), axis=1) for first in range(0, len(images), columns)]
    return np.concatenate(rows, axis=0)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, default=Path("models/diffusion-demo"))
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--classifier", type=Path, default=Path(".cache/classifier"), help="where the judge is kept")
    parser.add_argument("--grid", type=Path, help="write a contact sheet per step count into this folder")
    arguments = parser.parse_args()
    judge, held_out = cached_object_classifier(load_catalogue(), arguments.classifier)
    bank = load_bank(arguments.pipeline)
    steps = {str(n): measure(arguments.pipeline, n, bank, judge, arguments.grid) for n in arguments.steps}
    print(
        json.dumps(
            {"classifier_held_out": round(held_out, 4), "draws": DRAWS_PER_LABEL * len(bank.labels), "steps": steps}
        )
    )


if __name__ == "__main__":
    main()
