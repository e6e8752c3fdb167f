"""The plain baseline: label logits without any deep network.

A linear discriminant of the waveforms (fitted by `training.patterns`); where there are few labels, a logistic regression on the
tangent space of the covariance of xDAWN prototypes and trial is added (Rivet et al. 2009; Barachant & Congedo 2014): that
is what usually wins on event-related potentials.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bci_live.decoding.card import NetworkSizes

# Share of the identity in each trial's covariance: keeps the logarithm of the smallest eigenvalue tame.
_SHRINKAGE = 0.05


class PlainHead(nn.Module):
    """(n, channels, times) in µV → (n, labels) logits, in float64."""

    def __init__(self, channels: int, n_times: int, labels: int, sizes: NetworkSizes) -> None:
        super().__init__()
        self.waveforms = WaveformHead(channels, n_times, labels, sizes)
        self.tangents = TangentHead(channels, n_times, labels, sizes) if sizes.prototype_filters else None

    def forward(self, data: Tensor) -> Tensor:
        doubles = data.double()
        logits: Tensor = self.waveforms(doubles)
        return logits if self.tangents is None else logits + self.tangents(doubles)


class WaveformHead(nn.Module):
    """(n, channels, times) → (n, labels): an affine map of the channels' means over `bins` equal stretches of time."""

    weight: Tensor
    bias: Tensor

    def __init__(self, channels: int, n_times: int, labels: int, sizes: NetworkSizes) -> None:
        super().__init__()
        self.bins = min(sizes.wave_bins, n_times)
        self.register_buffer("weight", torch.zeros(labels, channels * self.bins, dtype=torch.float64))
        self.register_buffer("bias", torch.zeros(labels, dtype=torch.float64))

    def forward(self, data: Tensor) -> Tensor:
        return binned(data, self.bins).flatten(1) @ self.weight.T + self.bias


class TangentHead(nn.Module):
    """(n, channels, times) → (n, labels): an affine map of the tangent vector of the covariance of prototypes and filtered trial."""

    prototype_filters: Tensor
    prototypes: Tensor
    whitener: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, channels: int, n_times: int, labels: int, sizes: NetworkSizes) -> None:
        super().__init__()
        rows = sizes.prototype_filters
        shapes = {
            "prototype_filters": (rows, channels),
            "prototypes": (rows, n_times),
            "whitener": (2 * rows, 2 * rows),
            "weight": (labels, rows * (2 * rows + 1)),
            "bias": (labels,),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    def forward(self, data: Tensor) -> Tensor:
        return self.tangents(data) @ self.weight.T + self.bias

    def tangents(self, data: Tensor) -> Tensor:
        """(n, filters · (2 · filters + 1)), at the mean covariance of the training."""
        return tangent_vectors(self.covariances(data), self.whitener)

    def covariances(self, data: Tensor) -> Tensor:
        """(n, 2 · filters, 2 · filters) of prototypes and filtered trial."""
        trial = self.prototype_filters @ data
        both = torch.cat([self.prototypes.expand_as(trial), trial], dim=1)
        both = both - both.mean(dim=2, keepdim=True)
        covariance = both @ both.mT / both.shape[2]
        size = covariance.shape[1]
        power = covariance.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None, None]
        return (1 - _SHRINKAGE) * covariance + _SHRINKAGE * power * torch.eye(size, dtype=data.dtype)


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
