"""The independent classifier that names drawn pictures, trained once on this machine and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from platformdirs import user_cache_path
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from bci_live.evaluation.object_classifier import ObjectClassifier, as_input, train_object_classifier
from bci_live.evaluation.scores import Array
from bci_live.stimuli.catalogue import Catalogue
from bci_live.types import Picture

# Of 2,000 renderings that it has not seen it names 97 %; the full training takes three minutes for the last 3 %.
_RENDERINGS, _PASSES = 4_000, 4
_PIXELS = 64


def load_judge(catalogue: Catalogue, folder: Path | None = None) -> ObjectClassifier:
    """From `folder` (the user's cache unless told), or trained anew: about a minute on one core."""
    folder = folder or user_cache_path("bci_live")
    file = folder / f"judge-{len(catalogue.labels)}-{_RENDERINGS}-{_PASSES}.safetensors"
    model = ObjectClassifier(len(catalogue.labels))
    try:
        model.load_state_dict(load_file(file))
        return model.eval()
    except (OSError, SafetensorError, RuntimeError):  # absent or damaged: both are mended by training
        pass
    model, _ = train_object_classifier(catalogue, _RENDERINGS, _PASSES)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(model.state_dict(), file)
    except OSError:  # a cache that cannot be kept costs time alone
        pass
    return model


@torch.inference_mode()
def name_probabilities(model: ObjectClassifier, pictures: Picture) -> Array:
    """(n, 64, 64, 3), uint8 → (n, labels of the catalogue)."""
    return np.asarray(torch.softmax(model(as_input(pictures)), dim=1).double().numpy())
