"""The linear heads: caption embedding, VAE latent, and the blend of label logits. Small, so always on the CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bci_live.decoding.card import DecoderCard
from bci_live.decoding.plain import binned


class LabelBlend(nn.Module):
    """Calibrated label logits: a weighted sum of the encoder's and the plain head's.

    The weights hold the choice of the head and its temperature (Guo et al. 2017, arXiv 1706.04599) at once.
    """

    weights: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor([0.5, 0.5], dtype=torch.float64))

    def forward(self, deep: Tensor, plain: Tensor) -> Tensor:
        """(n, labels) each → (n, labels)."""
        return self.weights[0] * deep.double() + self.weights[1] * plain.double()


class CaptionHead(nn.Module):
    """Label logits and feature → embedding (n, tokens, width) in the pipeline's text space.

    The pipeline was trained on captions, not on what lies far between them. So the embedding is a mixture of the
    labels' captions whose weights are sharpened: by `sharpness` times the label logits, or by the distance to the point
    in the plane of the captions (their PCA) at which a ridge from the feature, fitted by eq. 7 of the paper, arrives.
    """

    captions: Tensor
    axes: Tensor
    centre: Tensor
    weight: Tensor
    bias: Tensor
    sharpness: Tensor

    def __init__(self, card: DecoderCard) -> None:
        super().__init__()
        self.source = card.caption_source
        self.shape = (card.tokens, card.width)
        numbers = card.tokens * card.width
        shapes = {
            "captions": (len(card.labels), numbers),
            "axes": (card.sizes.caption_axes, numbers),
            "centre": (numbers,),
            "weight": (card.sizes.caption_axes, card.sizes.feature),
            "bias": (card.sizes.caption_axes,),
            "sharpness": (),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.ones(shape))

    def forward(self, logits: Tensor, feature: Tensor) -> Tensor:
        evidence = logits.float() if self.source == "labels" else self.nearness(feature)
        mixed = torch.softmax(self.sharpness * evidence, dim=1) @ self.captions
        embedding: Tensor = mixed.unflatten(1, self.shape)
        return embedding

    def nearness(self, feature: Tensor) -> Tensor:
        """(n, labels): minus the squared distance from the ridge's point to each caption, in units of their spread."""
        points = (self.captions - self.centre) @ self.axes.T
        arrived = feature @ self.weight.T + self.bias
        spread = points.square().sum(dim=1).mean()
        return -torch.cdist(arrived[None], points[None])[0].square() / spread


class StructureHead(nn.Module):
    """(n, channels, times) in µV → coordinates in the PCA of the training latents, and the latent itself.

    A ridge from the waveforms of all channels (Perceptogram, Fei et al. 2024): here place, size and colour have a path.
    """

    mean: Tensor
    deviation: Tensor
    weight: Tensor
    bias: Tensor
    axes: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, card: DecoderCard) -> None:
        super().__init__()
        self.shape = card.latent_shape or (3, 8, 8)
        self.bins = min(card.sizes.bins, card.n_times)
        inputs = len(card.channels) * self.bins
        axes, numbers = card.sizes.structure_axes, self.shape[0] * self.shape[1] * self.shape[2]
        shapes = {
            "mean": (inputs,),
            "deviation": (inputs,),
            "weight": (axes, inputs),
            "bias": (axes,),
            "axes": (axes, numbers),
            "centre": (numbers,),
            "spread": (axes,),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.ones(shape))

    def forward(self, data: Tensor) -> Tensor:
        """The coordinates, (n, axes)."""
        inputs = (binned(data, self.bins).flatten(1) - self.mean) / self.deviation
        return inputs @ self.weight.T + self.bias

    def latent(self, coordinates: Tensor) -> Tensor:
        """(n, axes) → (n, *latent shape), scaled as the pipeline wants it."""
        latent: Tensor = (coordinates @ self.axes + self.centre).unflatten(1, self.shape)
        return latent
