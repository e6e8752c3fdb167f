"""Fits the plain baseline (`decoding.plain`): no iteration over epochs, a second or two for an hour of EEG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from bci_live.decoding.card import NetworkSizes
from bci_live.decoding.plain import PlainHead, TangentHead, binned, symmetric_function
from bci_live.training.patterns import response_patterns
from bci_live.training.ridge import Fold
from bci_live.types import FloatArray

# Against a flat or doubled channel, as a share of the mean power.
_REGULARISATION = 1e-2
_MEAN_ITERATIONS = 10
# Of the logistic regression that reads the tangent vectors.
_LOGISTIC_C = 0.01

# (labels, features) and (labels,).
Linear = tuple[NDArray[np.float64], NDArray[np.float64]]


def fit_plain(
    data: FloatArray, labels: NDArray[np.int64], count: int, sizes: NetworkSizes, known: PlainHead | None = None
) -> PlainHead:
    """Patterns of the waveforms; and where there are few labels, prototypes and a logistic regression of the tangents.

    Parameters
    ----------
    data : (n, channels, times), µV
    labels : (n,), 0 … count - 1, each there at least twice
    known : another person's, of the same sizes, whose patterns are expected
    """
    head = PlainHead(data.shape[1], data.shape[2], count, sizes)
    doubles = torch.from_numpy(data).double()
    waveforms = binned(doubles, head.waveforms.bins)
    expected = None if known is None else known.waveforms.weight.unflatten(1, waveforms.shape[1:]).numpy()
    weights, biases = response_patterns(waveforms.numpy(), labels, count, expected)
    head.waveforms.weight.copy_(torch.from_numpy(weights).flatten(1))
    head.waveforms.bias.copy_(torch.from_numpy(biases))
    if head.tangents is not None:
        _fit_tangents(head.tangents, doubles, labels, count)
        _level(head.tangents, head.waveforms(doubles), head.tangents(doubles))
    return head


def read_held_out(
    data: FloatArray,
    labels: NDArray[np.int64],
    count: int,
    sizes: NetworkSizes,
    folds: Sequence[Fold],
    known: PlainHead | None = None,
) -> Tensor:
    """(n, labels) logits, each trial's of a head that had not seen its fold."""
    logits = torch.zeros(len(labels), count, dtype=torch.float64)
    for fit, hold in folds:
        logits[hold] = fit_plain(data[fit], labels[fit], count, sizes, known)(torch.from_numpy(data[hold]))
    return logits


def _fit_tangents(head: TangentHead, data: Tensor, labels: NDArray[np.int64], count: int) -> None:
    responses = np.stack([data.numpy()[labels == label].mean(axis=0) for label in range(count)])
    covariance = torch.einsum("nct,ndt->cd", data, data).numpy() / (len(data) * data.shape[2])
    each = len(head.prototypes) // count
    filters = np.concatenate([xdawn(response[None], covariance, each) for response in responses])
    prototypes = [filters[i * each : (i + 1) * each] @ responses[i] for i in range(count)]
    head.prototype_filters.copy_(torch.from_numpy(filters))
    head.prototypes.copy_(torch.from_numpy(np.concatenate(prototypes)))
    head.whitener.copy_(geometric_whitener(head.covariances(data)))
    weight, bias = _logistic(head.tangents(data).numpy(), labels, count)
    head.weight.copy_(torch.from_numpy(weight))
    head.bias.copy_(torch.from_numpy(bias))


def _level(head: TangentHead, waveforms: Tensor, tangents: Tensor) -> None:
    """Scale the tangents' logits to the spread of the waveforms'.

    Read apart and added, they err less than one reader of all features: each is as sure as its own features make it.
    """
    ratio = _spread(waveforms) / _spread(tangents)
    head.weight.mul_(ratio)
    head.bias.mul_(ratio)


def _spread(logits: Tensor) -> Tensor:
    return (logits - logits.mean(dim=1, keepdim=True)).std().clamp_min(1e-12)


def xdawn(responses: NDArray[np.float64], covariance: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The (count, channels) filters with the largest share of the mean responses in all power (Rivet et al. 2009).

    Parameters
    ----------
    responses : (labels, channels, times), µV
    covariance : (channels, channels), µV²
    """
    channels = len(covariance)
    signal = np.einsum("lct,ldt->cd", responses, responses, optimize=True) / responses.shape[2]
    power = covariance + _REGULARISATION * np.trace(covariance) / channels * np.eye(channels)
    _, vectors = eigh(signal, power)
    return np.ascontiguousarray(vectors[:, ::-1][:, :count].T)


def geometric_whitener(covariances: Tensor) -> Tensor:
    """The inverse root of the geometric mean of (n, c, c) covariances (affine-invariant; Moakher 2005)."""
    mean = covariances.mean(dim=0)
    for _ in range(_MEAN_ITERATIONS):
        root, inverse = symmetric_function(mean, "sqrt"), symmetric_function(mean, "rsqrt")
        step = symmetric_function(inverse @ covariances @ inverse, "log").mean(dim=0)
        mean = root @ symmetric_function(step, "exp") @ root
    return symmetric_function(mean, "rsqrt")


def _logistic(features: NDArray[np.float64], labels: NDArray[np.int64], count: int) -> Linear:
    """Of the tangent vectors, which are about normal whatever the electrodes (Barachant & Congedo 2014)."""
    mean, deviation = features.mean(axis=0), features.std(axis=0).clip(1e-9)
    fitted = LogisticRegression(C=_LOGISTIC_C, max_iter=2000).fit((features - mean) / deviation, labels)
    weight, bias = fitted.coef_, fitted.intercept_
    if count == 2:  # scikit-learn folds two labels into one difference
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return weight / deviation, bias - (weight * (mean / deviation)).sum(axis=1)
