"""The plain baseline: xDAWN filters, waveforms and log-Euclidean covariances, one linear layer. On the CPU, in doubles.

xDAWN: Rivet et al. 2009, doi:10.1109/TBME.2009.2012869. Covariances of prototype and response, and their tangent space:
Barachant & Congedo 2014, arXiv 1409.0107.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bci_live.decoding.card import NetworkSizes

# Share of the identity in each trial's covariance: keeps the logarithm of the smallest eigenvalue tame.
_SHRINKAGE = 0.05


class PlainFeatures(nn.Module):
    """(n, channels, times) in µV → (n, features), standardised.

    The waveforms of `wave_filters` in `bins` means over time; and, where there are prototypes (few labels only), the
    tangent vector of the covariance of prototype and filtered trial at the mean covariance of the training.
    """

    wave_filters: Tensor
    prototype_filters: Tensor
    prototypes: Tensor
    whitener: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int, n_times: int, sizes: NetworkSizes) -> None:
        super().__init__()
        self.bins = min(sizes.bins, n_times)
        rows = sizes.prototype_filters
        count = sizes.plain_filters * self.bins + rows * (2 * rows + 1)
        shapes = {
            "wave_filters": (sizes.plain_filters, channels),
            "prototype_filters": (rows, channels),
            "prototypes": (rows, n_times),
            "whitener": (2 * rows, 2 * rows),
            "mean": (count,),
            "deviation": (count,),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.ones(shape, dtype=torch.float64))

    def forward(self, data: Tensor) -> Tensor:
        return (self.raw(data) - self.mean) / self.deviation

    def raw(self, data: Tensor) -> Tensor:
        """The features before they are standardised."""
        parts = [binned(self.wave_filters @ data, self.bins).flatten(1)]
        if len(self.prototypes):
            parts.append(tangent_vectors(self.covariances(data), self.whitener))
        return torch.cat(parts, dim=1)

    def covariances(self, data: Tensor) -> Tensor:
        """(n, 2 · filters, 2 · filters) of prototypes and filtered trial."""
        trial = self.prototype_filters @ data
        both = torch.cat([self.prototypes.expand_as(trial), trial], dim=1)
        both = both - both.mean(dim=2, keepdim=True)
        covariance = both @ both.mT / both.shape[2]
        size = covariance.shape[1]
        power = covariance.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None]
        return (1 - _SHRINKAGE) * covariance + _SHRINKAGE * power * torch.eye(size, dtype=data.dtype)


class PlainHead(nn.Module):
    """(n, channels, times) in µV → (n, labels) logits: the features and one linear layer."""

    weight: Tensor
    bias: Tensor

    def __init__(self, channels: int, n_times: int, labels: int, sizes: NetworkSizes) -> None:
        super().__init__()
        self.features = PlainFeatures(channels, n_times, sizes)
        self.register_buffer("weight", torch.zeros(labels, len(self.features.mean), dtype=torch.float64))
        self.register_buffer("bias", torch.zeros(labels, dtype=torch.float64))

    def forward(self, data: Tensor) -> Tensor:
        features: Tensor = self.features(data.double())
        return features @ self.weight.T + self.bias


def binned(data: Tensor, bins: int) -> Tensor:
    """(…, times) → (…, bins): means over equal stretches of time; what is left over at the end is not used."""
    length = data.shape[-1] // bins
    stretches: Tensor = data[..., : bins * length].unflatten(-1, (bins, length))
    return stretches.mean(dim=-1)


def symmetric_function(matrices: Tensor, function: str) -> Tensor:
    """Apply `log`, `exp`, `sqrt` or `rsqrt` to the eigenvalues of symmetric (…, n, n) matrices."""
    values, vectors = torch.linalg.eigh(matrices)
    changed: Tensor = getattr(torch, function)(values)
    result: Tensor = (vectors * changed[..., None, :]) @ vectors.mT
    return result


def tangent_vectors(covariances: Tensor, whitener: Tensor) -> Tensor:
    """(n, c, c) → (n, c (c + 1) / 2): the logarithm at the reference, off the diagonal times √2 to keep the norm."""
    logs = symmetric_function(whitener @ covariances @ whitener, "log")
    rows, columns = torch.triu_indices(*logs.shape[1:])
    weights = torch.where(rows == columns, 1.0, 2**0.5).to(logs.dtype)
    return logs[:, rows, columns] * weights
