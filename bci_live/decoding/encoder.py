"""The EEG encoder: compact, convolutions over time, then over channels (after NICE, Song et al. 2024)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bci_live.decoding.card import NetworkSizes

# Amplitudes beyond so many standard deviations are artefacts that the rejection let pass.
_CLAMP = 5.0
# A unit vector alone cannot make confident logits.
_FEATURE_SCALE = 4.0


class Encoder(nn.Module):
    """(n, channels, times) in µV → (n, feature), each of length 1."""

    scale: Tensor

    def __init__(self, channels: int, n_times: int, sizes: NetworkSizes, dropout: float = 0.5) -> None:
        super().__init__()
        filters = sizes.temporal_filters
        self.register_buffer("scale", torch.ones(channels, 1))
        self.temporal = nn.Conv2d(1, filters, (1, sizes.kernel), padding=(0, sizes.kernel // 2), bias=False)
        self.temporal_norm = nn.BatchNorm2d(filters)
        self.spatial = nn.Conv2d(filters, 2 * filters, (channels, 1), bias=False)
        self.spatial_norm = nn.BatchNorm2d(2 * filters)
        self.pool = nn.AvgPool2d((1, sizes.pool), (1, sizes.stride))
        self.dropout = nn.Dropout(dropout)
        convolved = n_times + 2 * (sizes.kernel // 2) - sizes.kernel + 1
        pooled = (convolved - sizes.pool) // sizes.stride + 1
        self.project = nn.Linear(2 * filters * pooled, sizes.feature)

    def forward(self, data: Tensor) -> Tensor:
        x = (data / self.scale).clamp(-_CLAMP, _CLAMP)[:, None]
        x = self.temporal_norm(self.temporal(x))
        x = self.dropout(self.pool(functional.elu(self.spatial_norm(self.spatial(x)))))
        return functional.normalize(self.project(x.flatten(1)), dim=1)


class LabelLayer(nn.Module):
    """(n, feature) → (n, labels) logits."""

    def __init__(self, feature: int, labels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(feature, labels)

    def forward(self, feature: Tensor) -> Tensor:
        logits: Tensor = self.linear(_FEATURE_SCALE * feature)
        return logits
