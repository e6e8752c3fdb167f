"""The EEG encoder: compact, spatial filters each with a filter over time of its own (after NICE, Song et al. 2024)."""

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
    """(n, channels, times) in µV → (n, feature), each of length 1.

    First the channels are made white (multivariate noise normalisation: Guggenmos et al. 2018), by what training measured.
    NICE convolves over time first and then over channels. Both are linear, so channels come first here: there are fewer
    filters than channels, and the same functions cost a tenth.
    """

    whitener: Tensor

    def __init__(self, channels: int, n_times: int, sizes: NetworkSizes, dropout: float = 0.5) -> None:
        super().__init__()
        filters, binned = sizes.filters, n_times // sizes.bin
        self.bin, self.pool, self.stride = sizes.bin, sizes.pool, sizes.stride
        self.register_buffer("whitener", torch.eye(channels))
        self.spatial = nn.Parameter(torch.randn(filters, channels) / channels**0.5)
        self.temporal = TemporalFilters(filters, sizes.kernel)
        self.norm = nn.BatchNorm1d(filters)
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(filters * ((binned - sizes.pool) // sizes.stride + 1), sizes.feature)

    def forward(self, data: Tensor) -> Tensor:
        return self.read(self.whiten(data))

    def whiten(self, data: Tensor) -> Tensor:
        """(n, channels, times) in µV → the same, without unit: noise of variance 1, alike in all directions."""
        return (self.whitener @ data).clamp(-_CLAMP, _CLAMP)

    def read(self, white: Tensor) -> Tensor:
        """The features of what `whiten` gave."""
        x = sum_of_bins(white, self.bin) / self.bin
        x = functional.elu(self.norm(self.temporal(self.spatial @ x)))
        x = self.dropout(functional.avg_pool1d(x, self.pool, self.stride))
        return functional.normalize(self.project(x.flatten(1)), dim=1)


class TemporalFilters(nn.Module):
    """(n, filters, times) → the same, each row convolved with its own kernel: a depthwise convolution.

    By way of the Fourier transform: on a CPU torch's own depthwise convolution takes three times as long.
    """

    def __init__(self, filters: int, kernel: int) -> None:
        super().__init__()
        self.kernels = nn.Parameter(torch.randn(filters, kernel) / kernel**0.5)

    def forward(self, data: Tensor) -> Tensor:
        times, kernel = data.shape[-1], self.kernels.shape[-1]
        length = -(-(times + kernel - 1) // 16) * 16  # primes are slow to transform
        spectrum = torch.fft.rfft(data, length) * torch.fft.rfft(self.kernels, length)
        begin = kernel // 2
        filtered: Tensor = torch.fft.irfft(spectrum, length)[..., begin : begin + times]
        return filtered


class LabelLayer(nn.Module):
    """(n, feature) → (n, labels) logits."""

    def __init__(self, feature: int, labels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(feature, labels)

    def forward(self, feature: Tensor) -> Tensor:
        logits: Tensor = self.linear(_FEATURE_SCALE * feature)
        return logits


def sum_of_bins(data: Tensor, length: int) -> Tensor:
    """(…, times) → (…, times // length): `length` neighbours added; what is left over at the end is not used."""
    whole = data.shape[-1] // length * length
    result = data[..., :whole:length]
    for offset in range(1, length):
        result = result + data[..., offset:whole:length]
    return result
