"""What the encoder's training minimises: the weighted sum of the terms that the configuration names."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from bci_live.config import ObjectiveConfig
from bci_live.decoding.encoder import LabelLayer
from bci_live.training.losses import info_nce, triplet

# Beyond it a learned temperature lets single trials rule (Radford et al. 2021, section 2.5).
_MOST_SCALE = 100.0


class Objective(nn.Module):
    """The losses, and what only they need: a projection onto the captions and a temperature that may be learned."""

    captions: Tensor

    def __init__(self, config: ObjectiveConfig, feature: int, captions: Tensor) -> None:
        """`captions`: (labels, tokens, width), the embedding of what each label's trials showed."""
        super().__init__()
        self._config = config
        if config.infonce:
            flat = captions.flatten(1)
            self.register_buffer("captions", flat - flat.mean(dim=0))
            self.project = nn.Linear(feature, flat.shape[1])
            self.log_scale = nn.Parameter(torch.tensor(-math.log(config.temperature)), config.learn_temperature)

    def forward(self, feature: Tensor, read_labels: LabelLayer, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch, (n, feature) and (n,), and its terms by name."""
        weights = self._config
        # Without a weight the label layer learns to read the features all the same, but does not shape them.
        seen = feature if weights.labels else feature.detach()
        entropy = functional.cross_entropy(read_labels(seen), labels, label_smoothing=weights.smoothing)
        loss, terms = (weights.labels or 1.0) * entropy, {"labels": entropy}
        if weights.triplet:
            terms["triplet"] = triplet(feature, labels, weights.margin, weights.mining)  # eq. 1
            loss = loss + weights.triplet * terms["triplet"]
        if weights.infonce:
            scale = self.log_scale.exp().clamp(max=_MOST_SCALE)
            terms["infonce"] = info_nce(self.project(feature), self.captions[labels], labels, scale)
            loss = loss + weights.infonce * terms["infonce"]
        return loss, terms
