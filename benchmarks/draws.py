"""How good are the pipeline's pictures? Of renderings that no training saw, drawn from the true caption over nothing, over the
true latent, and over the true picture as soft as a saliency map; named by an independent classifier, measured against the stimulus.

`python benchmarks/draws.py [--pipeline models/diffusion-demo] [--teacher FOLDER]` prints one JSON line. It takes minutes.
The teacher, the network before it was sharpened, draws in eight times as many steps; `train-diffusion` keeps it in its work folder.
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
from bci_live.evaluation.distribution import frechet_distance
from bci_live.evaluation.judge import ObjectJudge, load_object_judge
from bci_live.evaluation.structure import median_errors
from bci_live.stimuli.captions import load_bank
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import resized
from bci_live.training.autoencoder import encode_all, load_autoencoder
from bci_live.training.renderings import Renderings, draw_renderings
from bci_live.types import FloatArray, Picture

CPU = torch.device("cpu")
SEED = 424_242
# Steps and strength: one step and four steps are run; the live program's own setting last.
FROM_NOISE = ((1, 1.0), (4, 1.0))
FROM_PICTURE = ((2, 0.5), (8, 0.5), (4, 0.75))
SALIENCY_PIXELS = 16


def draw(folder: Path, steps: int, strength: float, prompts: FloatArray, starts: list[FloatArray | None]) -> Picture:
    """One picture a prompt, (n, pixels, pixels, 3)."""
    config = DiffusionConfig.model_construct(
        pipeline=str(folder), steps=steps, strength=strength, initial="grey", seed=0
    )
    reconstructor = DiffusionReconstructor.load(folder, CPU, config, time.perf_counter)
    reconstructor.warm_up(prompts.shape[1])  # it draws the same without, in several times as long
    drawn = [
        list(reconstructor.draw(prompt, start, seed))[-1]
        for seed, (prompt, start) in enumerate(zip(prompts, starts, strict=True))
    ]
    return np.stack(drawn)


def starts_of(kind: str, shown: Renderings, folder: Path) -> list[FloatArray | None]:
    """What each picture is drawn over: nothing, its latent, or itself at 16 × 16."""
    if kind == "noise":
        return [None] * len(shown.images)
    if kind == "saliency":
        return [soft.astype(np.float32) / 255 for soft in resized(shown.images, SALIENCY_PIXELS)]
    autoencoder = load_autoencoder(folder / "vae", CPU)
    return list((encode_all(autoencoder, shown.images, CPU) * autoencoder.config.scaling_factor).numpy())


def measure(drawn: Picture, shown: Renderings, judge: ObjectJudge, labels: tuple[str, ...]) -> dict[str, object]:
    """Share named right, errors of structure, and how far the pictures are from renderings in the judge's eyes."""
    seen = judge.look(drawn)
    named = seen.probabilities.argmax(axis=1)
    missed = Counter(labels[label] for label in shown.labels[named != shown.labels])
    return {
        "named_right": round(float((named == shown.labels).mean()), 4),
        "missed_most": dict(missed.most_common(4)),
        "frechet_to_renderings": round(frechet_distance(seen.features, judge.look(shown.images).features), 2),
        **{
            name: round(value, 4)
            for name, value in median_errors(resized(drawn, 64), resized(shown.images, 64)).items()
        },
    }


def sheet(rows: list[Picture]) -> Image.Image:
    """The first pictures of each kind, a row a kind."""
    return Image.fromarray(np.concatenate([np.concatenate(list(row[:12]), axis=1) for row in rows]))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, default=Path("models/diffusion-demo"))
    parser.add_argument("--teacher", type=Path, help="another pipeline: how far the pictures are from its own")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--grid", type=Path, help="write a contact sheet to this file")
    told = parser.parse_args()
    catalogue, bank = load_catalogue("objects"), load_bank(told.pipeline)
    judge = load_object_judge(catalogue)
    pixels = draw(told.pipeline, 1, 1.0, bank.embeddings[:1], [None]).shape[1]
    shown = draw_renderings(catalogue, told.count, pixels, SEED)
    prompts = np.stack([bank.embedding(catalogue.labels[label]) for label in shown.labels])
    figures: dict[str, object] = {"judge_on_renderings": _right(judge, shown)}
    rows = [shown.images]
    for kind, ways in (("noise", FROM_NOISE), ("latent", FROM_PICTURE), ("saliency", FROM_PICTURE)):
        starts = starts_of(kind, shown, told.pipeline)
        for steps, strength in ways:
            drawn = draw(told.pipeline, steps, strength, prompts, starts)
            rows.append(drawn)
            told_of = measure(drawn, shown, judge, catalogue.labels)
            if told.teacher is not None:
                others = judge.look(draw(told.teacher, steps * 8, strength, prompts, starts)).features
                told_of["frechet_to_teacher"] = round(frechet_distance(judge.look(drawn).features, others), 2)
            figures[f"{kind}, {int(steps * strength)} steps of {steps}"] = told_of
    if told.grid is not None:
        sheet(rows).save(told.grid)
    print(json.dumps(figures))


def _right(judge: ObjectJudge, shown: Renderings) -> float:
    return round(float((judge.look(shown.images).probabilities.argmax(axis=1) == shown.labels).mean()), 4)


if __name__ == "__main__":
    main()
