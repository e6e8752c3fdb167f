"""The response to each label, as sure as so few trials make it: noise normalisation, then empirical Bayes.

EEG is taken for matrix-normal: a label's pattern (channels × bins) in a noise whose covariance is one in space times one in
time. Both are estimated from what is left of the trials without their label's mean (flip-flop: Dutilleul 1999), and taken out
(multivariate noise normalisation: Guggenmos et al. 2018). Patterns are in space and time alike from label to label, so their
own covariance, again one in space times one in time, shrinks the labels' means to their posterior means: with thirty
trials a label, that is the greater half of what can be gained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ITERATIONS = 4
# Of the mean variance, against flat or doubled channels.
_REGULARISATION = 3e-3


@dataclass(frozen=True, slots=True)
class Whitening:
    """Symmetric `space` (channels, channels), 1/µV, and `time` (bins, bins): space · trial · time has white noise of variance 1."""

    space: Array
    time: Array

    def __call__(self, trials: Array) -> Array:
        """(…, channels, bins) → the same."""
        return np.asarray(self.space @ trials @ self.time)

    def undone(self, white: Array) -> Array:
        """What gives `white`, (…, channels, bins)."""
        return np.linalg.solve(self.space, white) @ np.linalg.inv(self.time)

    @classmethod
    def of(cls, noise: Array, freedom: int) -> Self:
        """From trials without their label's mean, (n, channels, bins), which have `freedom` degrees of freedom left."""
        _, channels, bins = noise.shape
        space, time = np.eye(channels), np.eye(bins)
        for _ in range(_ITERATIONS):
            half = noise @ time
            space = _inverse_root(_scatter_in_space(half) / (freedom * bins))
            half = space @ noise
            time = _inverse_root(_scatter_in_time(half) / (freedom * channels))
        return cls(space, time)


def response_patterns(
    trials: Array, labels: NDArray[np.int64], count: int, known: Array | None = None
) -> tuple[Array, Array]:
    """The linear discriminant of matrix-normal trials with empirical Bayes patterns.

    Parameters
    ----------
    trials : (n, channels, bins), µV
    labels : (n,), 0 … count - 1, each there at least twice
    known : (count, channels, bins), the weights of another person's discriminant. As much of its patterns as this person's
        responses have, on average over all labels, is what they are shrunk to.

    Returns
    -------
    (count, channels, bins) weights and (count,) biases: their logits are log posteriors, up to a constant of each trial
    """
    sizes = np.bincount(labels, minlength=count)
    means = np.stack([trials[labels == label].mean(axis=0) for label in range(count)])
    whiten = Whitening.of(trials - means[labels], max(1, len(trials) - count))
    middle = means.mean(axis=0)
    white = whiten(means - middle)
    expected = np.zeros_like(white) if known is None else _shared(white, whiten.undone(known - known.mean(axis=0)))
    patterns = expected + shrunk(white - expected, 1 / sizes)
    weights = whiten(patterns)
    return weights, -0.5 * (patterns**2).sum(axis=(1, 2)) - (weights * middle).sum(axis=(1, 2))


def _shared(means: Array, patterns: Array) -> Array:
    """The multiple of other patterns, not a negative one, that comes nearest to the means; all (count, channels, bins)."""
    return np.asarray(max(0.0, float((means * patterns).sum())) / max(float((patterns**2).sum()), 1e-12) * patterns)


def shrunk(means: Array, variances: Array) -> Array:
    """The posterior means of patterns, given (count, channels, bins) means whose noise is white, of (count,) variances."""
    count, channels, bins = means.shape
    expected = variances.mean() * (count - 1) / count  # the middle is taken out
    in_space, of_space = _signal(_scatter_in_space(means) / (count * bins), expected)
    in_time, of_time = _signal(_scatter_in_time(means) / (count * channels), expected)
    total = max(float((means**2).sum()) / count - expected * channels * bins, 0.0)
    power = total * np.outer(in_space, in_time) / max(in_space.sum() * in_time.sum(), 1e-12)
    rotated = of_space.T @ means @ of_time
    kept = power / (power + variances[:, None, None])
    return np.asarray(of_space @ (rotated * kept) @ of_time.T)


def spatial_whitener(data: NDArray[np.float32], labels: NDArray[np.int64]) -> Array:
    """(channels, channels), 1/µV, symmetric: makes the channels of trials (n, channels, times), µV, white but for the responses."""
    noise = data.astype(np.float64)
    for label in np.unique(labels):
        noise[labels == label] -= noise[labels == label].mean(axis=0)
    return _inverse_root(_scatter_in_space(noise) / (len(data) * data.shape[2]))


def _scatter_in_space(trials: Array) -> Array:
    return np.asarray(np.einsum("nct,ndt->cd", trials, trials, optimize=True))


def _scatter_in_time(trials: Array) -> Array:
    return np.asarray(np.einsum("nct,ncu->tu", trials, trials, optimize=True))


def _signal(covariance: Array, noise: float) -> tuple[Array, Array]:
    """Variances of the signal along the axes of a covariance that holds white noise, too; and the axes, in columns."""
    values, axes = np.linalg.eigh(covariance)
    return np.maximum(values - noise, 0.0), axes


def _inverse_root(covariance: Array) -> Array:
    values, axes = np.linalg.eigh(covariance)
    values = np.maximum(values, 0) + max(_REGULARISATION * values.mean(), 1e-12)
    return np.asarray((axes / np.sqrt(values)) @ axes.T)
