"""Fits the plain baseline (`decoding.plain`): no iteration over epochs, a second or two for an hour of EEG."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from bci_live.decoding.card import NetworkSizes
from bci_live.decoding.plain import PlainHead, symmetric_function
from bci_live.types import FloatArray

# Against a flat or doubled channel, as a share of the mean power.
_REGULARISATION = 1e-2
_MEAN_ITERATIONS = 10
# Of the logistic regression that reads the tangent vectors, and how much more than the waveforms' discriminant it counts.
_LOGISTIC_C = 0.01
_TANGENT_SHARE = 2.0

# (labels, features) and (labels,).
Linear = tuple[NDArray[np.float64], NDArray[np.float64]]


def fit_plain(data: FloatArray, labels: NDArray[np.int64], count: int, sizes: NetworkSizes) -> PlainHead:
    """Filters and reference; a discriminant with Ledoit-Wolf shrinkage reads the waveforms, a logistic regression the tangents.

    Parameters
    ----------
    data : (n, channels, times), µV
    labels : (n,), 0 … count - 1, each there at least twice
    """
    head = PlainHead(data.shape[1], data.shape[2], count, sizes)
    doubles = data.astype(np.float64)
    responses = np.stack([doubles[labels == label].mean(axis=0) for label in range(count)])
    covariance = np.einsum("nct,ndt->cd", doubles, doubles, optimize=True) / (len(data) * data.shape[2])
    features = head.features
    features.wave_filters.copy_(torch.from_numpy(xdawn(responses, covariance, sizes.plain_filters)))
    if sizes.prototype_filters:
        each = sizes.prototype_filters // count
        filters = np.concatenate([xdawn(response[None], covariance, each) for response in responses])
        prototypes = [filters[i * each : (i + 1) * each] @ responses[i] for i in range(count)]
        features.prototype_filters.copy_(torch.from_numpy(filters))
        features.prototypes.copy_(torch.from_numpy(np.concatenate(prototypes)))
        features.whitener.copy_(geometric_whitener(features.covariances(torch.from_numpy(doubles))))
    raw = features.raw(torch.from_numpy(doubles))
    features.mean.copy_(raw.mean(dim=0))
    features.deviation.copy_(raw.std(dim=0).clamp_min(1e-9))
    standard = features(torch.from_numpy(doubles)).numpy()
    waves = sizes.plain_filters * features.bins
    weight, bias = _discriminant(standard[:, :waves], labels, count)
    if sizes.prototype_filters:
        weight, bias = _together((weight, bias), _logistic(standard[:, waves:], labels, count), standard)
    head.weight.copy_(torch.from_numpy(weight))
    head.bias.copy_(torch.from_numpy(bias))
    return head


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
    fitted = LogisticRegression(C=_LOGISTIC_C, max_iter=2000).fit(features, labels)
    return _of_each_label(fitted.coef_, fitted.intercept_, count)


def _together(waves: Linear, tangents: Linear, standard: NDArray[np.float64]) -> Linear:
    """One linear layer over all features: both readers' logits, each in units of their own spread, added up.

    Read apart and added, they err less than one reader of all: each is as sure as its own features make it.
    """
    parts = []
    split = waves[0].shape[1]
    of_each = ((waves, standard[:, :split], 1.0), (tangents, standard[:, split:], _TANGENT_SHARE))
    for (weight, bias), features, share in of_each:
        spread = (features @ weight.T + bias).std()
        parts.append((share * weight / spread, share * bias / spread))
    return np.concatenate([weight for weight, _ in parts], axis=1), parts[0][1] + parts[1][1]


def _discriminant(features: NDArray[np.float64], labels: NDArray[np.int64], count: int) -> Linear:
    fitted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(features, labels)
    return _of_each_label(fitted.coef_, fitted.intercept_, count)


def _of_each_label(weight: NDArray[np.float64], bias: NDArray[np.float64], count: int) -> Linear:
    if count == 2:  # scikit-learn folds two labels into one difference
        return np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return np.asarray(weight), np.asarray(bias)
