"""The small heads: caption embedding, VAE latent, contrast map, blend of label logits, prefixes. Always on the CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bci_live.decoding.card import DecoderCard
from bci_live.decoding.plain import PlainHead, binned

# Bins of 20 ms resolve the C1 from the P1.
_RETINOTOPIC_S, _RETINOTOPIC_BINS = 0.3, 15


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


class PrefixHead(nn.Module):
    """Calibrated label logits from the beginning of the window alone: (n, channels, times until there) → (n, labels).

    A plain head with bins as long as those of the whole window. What they leave over is left out before the onset, where
    nothing is to be read: at the end it would be the newest of the response.
    """

    inverse_temperature: Tensor

    def __init__(self, card: DecoderCard, until_s: float) -> None:
        super().__init__()
        self.n_times = card.n_times_until(until_s)
        bin_length = min(max(1, card.n_times // card.sizes.wave_bins), self.n_times)
        self.first = self.n_times % bin_length
        self.sizes = card.sizes.model_copy(update={"wave_bins": self.n_times // bin_length})
        self.plain = PlainHead(len(card.channels), self.n_times - self.first, len(card.labels), self.sizes)
        self.register_buffer("inverse_temperature", torch.ones((), dtype=torch.float64))

    def forward(self, data: Tensor) -> Tensor:
        logits: Tensor = self.plain(self.stretch(data))
        return self.inverse_temperature * logits

    def stretch(self, data: Tensor) -> Tensor:
        """What it reads of an epoch, or of its beginning."""
        return data[..., self.first : self.n_times]


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

    @property
    def spoken(self) -> Tensor:
        """(labels, tokens, width): the embedding of each label's caption."""
        spoken: Tensor = self.captions.unflatten(1, self.shape)
        return spoken

    def points(self) -> Tensor:
        """(labels, axes): the captions in their plane."""
        return (self.captions - self.centre) @ self.axes.T

    def nearness(self, feature: Tensor) -> Tensor:
        """(n, labels): minus the squared distance from the ridge's point to each caption, in units of their spread."""
        points = self.points()
        arrived = feature @ self.weight.T + self.bias
        spread = points.square().sum(dim=1).mean()
        return -torch.cdist(arrived[None], points[None])[0].square() / spread


class WaveformRidge(nn.Module):
    """(n, channels, times) in µV → (n, outputs): an affine map of the channels' mean voltages in equal bins of time.

    `first`, `last`: the stretch of samples that is read.
    """

    mean: Tensor
    deviation: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, channels: int, first: int, last: int, bins: int, outputs: int) -> None:
        super().__init__()
        self.first, self.last, self.bins = first, last, min(bins, last - first)
        inputs = channels * self.bins
        shapes = {"mean": (inputs,), "deviation": (inputs,), "weight": (outputs, inputs), "bias": (outputs,)}
        for name, shape in shapes.items():
            self.register_buffer(name, torch.ones(shape))

    def inputs(self, data: Tensor) -> Tensor:
        """(n, channels × bins), µV."""
        return binned(data[..., self.first : self.last], self.bins).flatten(1)

    def forward(self, data: Tensor) -> Tensor:
        return (self.inputs(data) - self.mean) / self.deviation @ self.weight.T + self.bias


class StructureHead(nn.Module):
    """(n, channels, times) in µV → coordinates in the PCA of the training latents, and the latent itself.

    A ridge from the waveforms of all channels over the whole window (Perceptogram, Fei et al. 2024).
    """

    axes: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, card: DecoderCard) -> None:
        super().__init__()
        self.shape = card.latent_shape or (3, 8, 8)
        axes, numbers = card.sizes.structure_axes, self.shape[0] * self.shape[1] * self.shape[2]
        self.read = WaveformRidge(len(card.channels), 0, card.n_times, card.sizes.bins, axes)
        for name, shape in {"axes": (axes, numbers), "centre": (numbers,), "spread": (axes,)}.items():
            self.register_buffer(name, torch.ones(shape))

    def forward(self, data: Tensor) -> Tensor:
        """The coordinates, (n, axes)."""
        coordinates: Tensor = self.read(data)
        return coordinates

    def latent(self, coordinates: Tensor) -> Tensor:
        """(n, axes) → (n, *latent shape), scaled as the pipeline wants it."""
        latent: Tensor = (coordinates @ self.axes + self.centre).unflatten(1, self.shape)
        return latent


class ContrastHead(nn.Module):
    """(n, channels, times) in µV → (n, 1, 8, 8): where in the picture something is, before what it is.

    A ridge from the response's first 300 ms, which is retinotopic (C1, P1, N1), to the stimulus's contrast map
    (`training.placement.contrast_map`); no unit: 0 is the mean map, 1 the map's standard deviation over stimuli.
    """

    SIDE = 8

    def __init__(self, card: DecoderCard) -> None:
        super().__init__()
        onset = round(-card.epoch.start_s * card.rate)
        last = min(card.n_times, onset + max(_RETINOTOPIC_BINS, round(_RETINOTOPIC_S * card.rate)))
        first = min(onset, last - 1)
        self.read = WaveformRidge(len(card.channels), first, last, _RETINOTOPIC_BINS, self.SIDE**2)

    def forward(self, data: Tensor) -> Tensor:
        contrast: Tensor = self.read(data).unflatten(1, (1, self.SIDE, self.SIDE))
        return contrast
