"""A small network that knows what lies in a latent, and where: its features say how alike two latents are.

The squared error of latents is smallest for the mean of all pictures that may be meant, which is a blur. Of features that
tell objects apart (Zhang et al. 2018; in latent space: Kang et al. 2024) a blur has the wrong ones.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from bci_live.training.autoencoder import CHANNELS
from bci_live.training.denoising import LatentSet
from bci_live.training.loop import LoopSettings, run_loop
from bci_live.training.precision import autocast
from bci_live.training.resume import key_of

WIDTHS = (64, 128, 192)
_GROUPS = 8
_EPOCHS, _BATCH, _LEARNING_RATE = 6, 128, 3e-3
# Every second batch is noisy, up to so much: it has to forgive what a picture half drawn lacks.
_MOST_NOISE = 0.3
# So many latents tell how much each feature varies.
_MEASURED = 2000
# Places, sizes, turns and hues come to about one: see `layout_row` for their order.
_MIDDLES, _SPREADS = (0.5, 0.5, 0.67, 0.0, 0.0), (0.17, 0.17, 0.17, 20.0, 15.0)


class LatentFeatures(nn.Module):
    """(n, 8, h, w) scaled latents → `maps` of three sizes; trained to tell the label, and x, y, size, turn and hue."""

    def __init__(self, labels: int, size: int) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.levels = nn.ModuleList((_Block(CHANNELS, first, 1), _Block(first, second, 2), _Block(second, third, 2)))
        flat = third * (size // 4) ** 2
        self.label, self.layout = nn.Linear(flat, labels), nn.Linear(flat, len(_MIDDLES))
        for index, width in enumerate(WIDTHS):
            self.register_buffer(f"spread{index}", torch.ones(1, width, 1, 1))

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, labels) and layouts (n, 5), each about one."""
        flat = self._levels(latents)[-1].flatten(1)
        return self.label(functional.dropout(flat, 0.3, self.training)), self.layout(flat)

    def maps(self, latents: Tensor) -> list[Tensor]:
        """Features (n, 64, h, w), (n, 128, h / 2, w / 2), (n, 192, h / 4, w / 4), each channel of unit variance."""
        return [it / self.get_buffer(f"spread{index}") for index, it in enumerate(self._levels(latents))]

    @torch.no_grad()
    def measure(self, latents: Tensor) -> None:
        """Take the channels' spread over these latents."""
        for index, it in enumerate(self._levels(latents)):
            self.get_buffer(f"spread{index}").copy_(it.std(dim=(0, 2, 3), keepdim=True) + 1e-3)

    def _levels(self, latents: Tensor) -> list[Tensor]:
        seen, found = latents, []
        for level in self.levels:
            seen = level(seen)
            found.append(seen)
        return found


class _Block(nn.Module):
    """Two convolutions and a way around them (He et al. 2016)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1)
        self.second = nn.Conv2d(after, after, 3, 1, 1)
        self.around = nn.Conv2d(before, after, 1, stride)
        self.norms = nn.ModuleList(nn.GroupNorm(_GROUPS, after) for _ in range(2))

    def forward(self, seen: Tensor) -> Tensor:
        inner = functional.silu(self.norms[0](self.first(seen)))
        return functional.silu(self.norms[1](self.second(inner)) + self.around(seen))


def trained_features(
    data: LatentSet, layouts: Tensor, work: Path, device: torch.device, max_steps: int | None = None
) -> LatentFeatures:
    """The network, trained on these latents, of which the first have the (n, 11) `layouts`; kept in the folder `work`.

    What is not of the catalogue is one label more.
    """
    torch.manual_seed(0)
    network = LatentFeatures(data.catalogue + 1, data.latents.shape[-1]).to(device)
    steps = math.ceil(_EPOCHS * len(layouts) / _BATCH)
    settings = LoopSettings(
        "features",
        math.inf,
        _LEARNING_RATE,
        warmup_steps=max(1, steps // 10),
        max_steps=steps if max_steps is None else min(steps, max_steps),
    )
    told = f"{WIDTHS} {_GROUPS} {_BATCH} {_MOST_NOISE} {_MIDDLES} {_SPREADS} {settings}"
    folder = work / f"latent-features-{key_of(told, data.latents, data.labels, layouts)[:12]}"
    trained = run_loop(network, _FeatureLoss(data, layouts, device), settings, folder).requires_grad_(False)
    trained.measure(data.latents[:_MEASURED].to(device))
    return trained


class _FeatureLoss:
    """How wrong label and layout are told. Where objects outside the catalogue lie is not asked."""

    def __init__(self, data: LatentSet, layouts: Tensor, device: torch.device) -> None:
        self._latents, self._device = data.latents[: len(layouts)], device
        self._labels, self._others = data.labels[: len(layouts)].clamp(max=data.catalogue), data.catalogue
        self._layouts = (layouts[:, : len(_MIDDLES)] - torch.tensor(_MIDDLES)) / torch.tensor(_SPREADS)

    def __call__(self, network: nn.Module, step: int) -> Tensor:
        """Of one batch, drawn from the step's number."""
        generator = torch.Generator().manual_seed(step)
        picks = torch.randint(len(self._layouts), (_BATCH,), generator=generator)
        latents = self._latents[picks]
        if step % 2:
            strength = _MOST_NOISE * torch.rand(_BATCH, 1, 1, 1, generator=generator)
            latents = latents + strength * torch.randn(latents.shape, generator=generator)
        labels, layouts = self._labels[picks].to(self._device), self._layouts[picks].to(self._device)
        with autocast(self._device):
            logits, told = network(latents.to(self._device, memory_format=torch.channels_last))
        known = (labels < self._others).float()[:, None]
        loss: Tensor = functional.cross_entropy(logits.float(), labels, label_smoothing=0.05)
        loss = loss + (known * (told.float() - layouts).square()).mean()
        return loss
