"""Judges: classifiers that name drawn pictures and had no part in drawing them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from platformdirs import user_cache_path
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from bci_live.errors import BciError
from bci_live.evaluation.object_classifier import ObjectClassifier, as_input, train_object_classifier
from bci_live.evaluation.scores import Array, Indices
from bci_live.stimuli.catalogue import Catalogue
from bci_live.stimuli.rendering import resized
from bci_live.types import Picture

JudgeName = Literal["objects", "imagenet"]
# Of 2,000 renderings that it has not seen it names 97 %; the full training takes three minutes for the last 3 %.
_RENDERINGS, _PASSES = 4_000, 4
_PIXELS = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """What a judge sees in n pictures: `probabilities` (n, classes), and `features` (n, width) of its last layer but one."""

    probabilities: Array
    features: Array


class Judge(Protocol):
    """`name`: what it is, in words. `truth`: what counts as the right name, in words. `classes`: how many it tells apart."""

    name: str
    truth: str
    classes: int

    def look(self, pictures: Picture) -> Seen:
        """At pictures (n, h, w, 3), uint8, of any size."""

    def right(self, labels: Indices, stimuli: Seen) -> Indices:
        """(n,), the class that each picture should be given: by the catalogue's label, or by the look of its stimulus."""


class ObjectJudge:
    """Names the pictures of a catalogue, whose renderings it grew up with; what looks the same has the first one's name."""

    truth = "the label shown"

    def __init__(self, model: ObjectClassifier, catalogue: Catalogue) -> None:
        self._model = model
        self._looks = np.array(catalogue.looks)
        self.classes = len(catalogue.labels)
        self.name = f"a small network of our own, trained on renderings of the {self.classes} pictures"

    @torch.inference_mode()
    def look(self, pictures: Picture) -> Seen:
        """At (n, h, w, 3), made 64 × 64."""
        maps = self._model.features(as_input(resized(pictures, _PIXELS)))
        told = _array(torch.softmax(self._model.head(maps), dim=1))
        probabilities = np.zeros_like(told)
        np.add.at(probabilities.T, self._looks, told.T)
        return Seen(probabilities, _array(maps.mean(dim=(2, 3))))

    def right(self, labels: Indices, stimuli: Seen) -> Indices:
        """The labels themselves: they are its classes."""
        return np.asarray(self._looks[labels])


def named_judge(told: str) -> JudgeName | None:
    """The judge of that name, nobody for `none`; it must be installed.

    Raises
    ------
    BciError
        If there is no judge of that name, or its package is absent.
    """
    if told == "objects":
        return "objects"
    if told == "imagenet":
        from bci_live.evaluation.imagenet import check_installed

        check_installed()
        return "imagenet"
    if told == "none":
        return None
    raise BciError(f"There is no judge '{told}'. Choose --judge objects, imagenet or none.")


def load_judge(name: JudgeName, catalogue: Catalogue) -> Judge:
    """One of the two.

    Raises
    ------
    BciError
        If it is the ImageNet classifier, and its package is not installed.
    """
    if name == "imagenet":
        from bci_live.evaluation.imagenet import load_imagenet_judge

        return load_imagenet_judge()
    return load_object_judge(catalogue)


def load_object_judge(catalogue: Catalogue, folder: Path | None = None) -> ObjectJudge:
    """From `folder` (the user's cache unless told), or trained anew: about a minute on one core."""
    folder = folder or user_cache_path("bci_live")
    count = len(catalogue.labels)
    file = folder / f"judge-{count}-{_RENDERINGS}-{_PASSES}.safetensors"
    model = ObjectClassifier(count)
    try:
        model.load_state_dict(load_file(file))
        return ObjectJudge(model.eval(), catalogue)
    except (OSError, SafetensorError, RuntimeError):  # absent or damaged: both are mended by training
        pass
    model, _ = train_object_classifier(catalogue, _RENDERINGS, _PASSES)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(model.state_dict(), file)
    except OSError:  # a cache that cannot be kept costs time alone
        pass
    return ObjectJudge(model, catalogue)


def _array(values: torch.Tensor) -> Array:
    return np.asarray(values.double().numpy())
