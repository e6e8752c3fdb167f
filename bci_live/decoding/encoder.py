"""The EEG encoders behind one interface: white EEG in, a feature of length 1 out."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from bci_live.config import BRAINDECODE
from bci_live.decoding.card import DecoderCard, NetworkSizes
from bci_live.decoding.classifiers import check_classifier, classifier

# Amplitudes beyond so many standard deviations are artefacts that the rejection let pass.
_CLAMP = 5.0
# A unit vector alone cannot make confident logits.
_FEATURE_SCALE = 4.0
# The paper does not state the width of its LSTM; this and one layer are those of the code that it cites.
_LSTM_WIDTH = 128
# Without it an early response is forgotten before the window's end, and nothing is learned (Jozefowicz et al. 2015).
_FORGET_BIAS = 2.0


class Encoder(nn.Module, ABC):
    """(n, channels, times) in µV → (n, feature), each of length 1. What an encoder is of its own, is in `features`.

    First the channels are made white (multivariate noise normalisation: Guggenmos et al. 2018), by what training measured,
    then `bin` samples are averaged to one, and mixed by the layer of `subjects`, where there is one.
    """

    whitener: Tensor
    subjects: SubjectLayer | None

    def __init__(self, channels: int, sizes: NetworkSizes) -> None:
        super().__init__()
        self.bin = sizes.bin
        self.subjects = None
        self.register_buffer("whitener", torch.eye(channels))

    def forward(self, data: Tensor, whose: Tensor | None = None) -> Tensor:
        return self.read(self.whiten(data), whose)

    def whiten(self, data: Tensor) -> Tensor:
        """(n, channels, times) in µV → the same, without unit: noise of variance 1, alike in all directions."""
        return (self.whitener @ data).clamp(-_CLAMP, _CLAMP)

    def read(self, white: Tensor, whose: Tensor | None = None) -> Tensor:
        """The features of what `whiten` gave; `whose`: see `SubjectLayer`."""
        binned = sum_of_bins(white, self.bin) / self.bin
        mixed = binned if self.subjects is None else self.subjects(binned, whose)
        return functional.normalize(self.features(mixed), dim=1)

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """(n, channels, bins) → (n, feature), of any length."""


class SubjectLayer(nn.Module):
    """(n, channels, times) → the same, the channels mixed by the matrix of their subject (Défossez et al. 2023).

    The matrices are kept as what they differ from the identity by, so that what decays in training is the difference.

    `whose`: (n,), numbers of subjects. Without it all are read as of `chosen`; of None, whom nobody knows, by the mean matrix.
    """

    def __init__(self, subjects: int, channels: int) -> None:
        super().__init__()
        self.differences = nn.Parameter(torch.zeros(subjects, channels, channels))
        self.chosen: int | None = None

    def forward(self, x: Tensor, whose: Tensor | None = None) -> Tensor:
        if whose is not None:
            return x + self.differences[whose] @ x
        one = self.differences.mean(dim=0) if self.chosen is None else self.differences[self.chosen]
        return x + one @ x


class NiceEncoder(Encoder):
    """Compact: spatial filters, each with a filter over time of its own (after NICE, Song et al. 2024).

    NICE convolves over time first and then over channels. Both are linear, so channels come first here: there are fewer
    filters than channels, and the same functions cost a tenth.
    """

    def __init__(self, channels: int, n_times: int, sizes: NetworkSizes, dropout: float = 0.5) -> None:
        super().__init__(channels, sizes)
        filters, binned = sizes.filters, n_times // sizes.bin
        self.pool, self.stride = sizes.pool, sizes.stride
        self.spatial = nn.Parameter(torch.randn(filters, channels) / channels**0.5)
        self.temporal = TemporalFilters(filters, sizes.kernel)
        self.norm = nn.BatchNorm1d(filters)
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(filters * ((binned - sizes.pool) // sizes.stride + 1), sizes.feature)

    def features(self, x: Tensor) -> Tensor:
        x = functional.elu(self.norm(self.temporal(self.spatial @ x)))
        x = self.dropout(functional.avg_pool1d(x, self.pool, self.stride))
        projected: Tensor = self.project(x.flatten(1))
        return projected


class LstmEncoder(Encoder):
    """The paper's: the last state of an LSTM, and a linear layer (Kavasidis et al. 2017, which the paper takes it from).

    Their ReLU at the end is left out: it would leave one corner of the sphere to features that are told apart by distance.
    """

    def __init__(self, channels: int, sizes: NetworkSizes) -> None:
        super().__init__(channels, sizes)
        self.lstm = nn.LSTM(channels, _LSTM_WIDTH, batch_first=True)
        # Its gates in torch's order: input, forget, cell, output.
        forget = self.lstm.get_parameter("bias_ih_l0")[_LSTM_WIDTH : 2 * _LSTM_WIDTH]
        nn.init.constant_(forget, _FORGET_BIAS)
        self.project = nn.Linear(_LSTM_WIDTH, sizes.feature)

    def features(self, x: Tensor) -> Tensor:
        states, _ = self.lstm(x.transpose(1, 2))
        projected: Tensor = self.project(states[:, -1])
        return projected


class BraindecodeEncoder(Encoder):
    """A classifier of `braindecode.models`, whose outputs are taken for features."""

    def __init__(self, network: nn.Module, channels: int, sizes: NetworkSizes) -> None:
        super().__init__(channels, sizes)
        self.network = network

    def features(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.network(x)
        return outputs


def check_encoder(name: str) -> None:
    """Whether an encoder of that name can be had, told before anything is trained.

    Raises
    ------
    DecoderError
        If not.
    """
    if name.startswith(BRAINDECODE):
        check_classifier(name.removeprefix(BRAINDECODE))


def make_encoder(card: DecoderCard) -> Encoder:
    """The encoder that the card names, untrained, with a layer for each of its subjects.

    Raises
    ------
    DecoderError
        If it is of braindecode, and that is not installed, does not know it, or it cannot read such epochs.
    """
    encoder = _shared(card)
    if card.subjects:
        encoder.subjects = SubjectLayer(len(card.subjects), len(card.channels))
    return encoder


def _shared(card: DecoderCard) -> Encoder:
    if card.encoder == "nice":
        return NiceEncoder(len(card.channels), card.n_times, card.sizes)
    if card.encoder == "lstm":
        return LstmEncoder(len(card.channels), card.sizes)
    network = classifier(
        card.encoder.removeprefix(BRAINDECODE),
        channels=len(card.channels),
        times=card.n_times // card.sizes.bin,
        rate=card.rate / card.sizes.bin,
        outputs=card.sizes.feature,
    )
    return BraindecodeEncoder(network, len(card.channels), card.sizes)


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
        data = data.float()  # there is no transform of the bfloat16 that training has on CUDA
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
