"""How much of place and size do pictures keep that were drawn from EEG? The held-out demo session, epoch by epoch.

`python benchmarks/structure.py [--steps 4] [--strength 1.0 0.75 0.5] [--initial saliency latent]` prints one JSON line. It takes minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bci_live.config import DiffusionConfig, bundled
from bci_live.decoding.decoder import load_decoder
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.evaluation.object_classifier import cached_object_classifier, name_objects
from bci_live.sessions.recording import read_recording
from bci_live.signal.epoching import EpochPlan
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import resized
from bci_live.stimuli.truth import stimulus_of
from bci_live.training.epochs import cut_recording
from bci_live.training.placement import contrast_map
from bci_live.types import Decoding, Epoch, FloatArray, Picture

# Everything is compared at this size.
SIDE = 64
FIELDS = 16
# Contrast below this is background: gradients and noise.
FLOOR = 0.05


def decode_session(session: Path, folder: Path) -> tuple[list[Decoding], Picture]:
    """What the decoder reads of each epoch, and the pictures that were shown."""
    decoder, catalogue = load_decoder(folder), load_catalogue("objects")
    recording, card = read_recording(session), decoder.card
    plan = EpochPlan(recording.facts.rate, card.rate, card.filter, card.epoch)
    epochs = cut_recording(recording, plan, card.channels)
    decodings = [
        decoder.decode(Epoch(data, onset, marker, onset, onset))
        for data, marker, onset in zip(epochs.data, epochs.markers, epochs.onsets, strict=True)
    ]
    shown = [stimulus_of(marker, catalogue, SIDE) for marker in epochs.markers]
    return decodings, np.stack([picture for picture in shown if picture is not None])


def layout(pictures: Picture) -> FloatArray:
    """Centre across, centre down and total of the contrast, (n, 3)."""
    contrast = np.maximum(contrast_map(pictures, FIELDS).numpy() - FLOOR, 1e-4)
    total = contrast.sum(axis=(1, 2))
    places = np.arange(FIELDS)
    across, down = ((contrast.sum(axis=axis) * places).sum(axis=1) / total for axis in (1, 2))
    return np.stack([across, down, total], axis=1)


def compare(drawn: Picture, shown: Picture, named_right: FloatArray | None) -> dict[str, float]:
    """Correlations over the session; of the pixels, the mean over the pictures."""
    ours, true = layout(drawn), layout(shown)
    pixels = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(drawn, shown, strict=True)]
    scores = {
        name: float(np.corrcoef(ours[:, i], true[:, i])[0, 1]) for i, name in enumerate(("across", "down", "size"))
    }
    scores["pixels"] = float(np.mean(pixels))
    if named_right is not None:
        scores["named_right"] = float(named_right.mean())
    return {name: round(value, 3) for name, value in scores.items()}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--session", type=Path, default=bundled("recordings/demo.xdf"))
    parser.add_argument("--decoder", type=Path, default=bundled("models/decoder-demo"))
    parser.add_argument("--pipeline", type=Path, default=bundled("models/diffusion-demo"))
    parser.add_argument("--steps", type=int, default=DiffusionConfig().steps)
    parser.add_argument("--strength", type=float, nargs="+", default=[1.0, 0.75, 0.5])
    parser.add_argument("--initial", nargs="+", default=["saliency"])
    parser.add_argument("--classifier", type=Path, default=Path(".cache/classifier"), help="where the judge is kept")
    parser.add_argument("--grid", type=Path, help="write the first pictures into this file, one row a setting")
    arguments = parser.parse_args()
    catalogue = load_catalogue("objects")
    judge, _ = cached_object_classifier(catalogue, arguments.classifier)
    decodings, shown = decode_session(arguments.session, arguments.decoder)
    truth = np.array([catalogue.labels.index(decoding.epoch.marker.label) for decoding in decodings])
    maps = np.stack([(decoding.saliency * 255).astype(np.uint8) for decoding in decodings])
    result: dict[str, object] = {"epochs": len(decodings), "saliency map": compare(maps, shown, None)}
    rows = [shown, maps]
    for initial in arguments.initial:
        for strength in arguments.strength:
            config = DiffusionConfig(steps=arguments.steps, strength=strength, initial=initial)
            reconstructor = DiffusionReconstructor.load(
                arguments.pipeline, torch.device("cpu"), config, time.perf_counter
            )
            pictures = [[*reconstructor.reconstruct(decoding, 0)][-1].image for decoding in decodings]
            drawn = resized(np.stack(pictures), SIDE)
            named = name_objects(judge, drawn) == truth
            result[f"{initial}, strength {strength:g}"] = compare(drawn, shown, named)
            rows.append(drawn)
    if arguments.grid is not None:
        Image.fromarray(np.concatenate([np.concatenate(list(row[:16]), axis=1) for row in rows])).save(arguments.grid)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
