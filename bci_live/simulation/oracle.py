"""The decoder that knows the simulated head: what could be read of its EEG, to which every score can be compared.

A response is linear in 64 numbers, the contrast in the receptive fields and the activity on the ventral axes. Where the
background is Gaussian, the generalised least squares estimate of these numbers is all that an epoch tells of them. The
labels then follow by Bayes' rule, with the distribution of the numbers over the layouts of each label taken as a Gaussian
of its own (quadratic discriminant with the true parameters). Blinks, and what of a label's layouts is not Gaussian, it does
not use: it is a lower bound of the best that can be done, close to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bci_live.simulation.head import GAIN_SPREAD, SimulatedHead
from bci_live.simulation.vision import retinotopic
from bci_live.types import FloatArray

Array = NDArray[np.float64]
# Raw (samples, channels), µV, to (channels, times), as live: each channel for itself and linear, so patterns pass it like EEG.
Prepare = Callable[[FloatArray], FloatArray]
# (samples, the head's channels) → (samples, channels that are decoded), re-referenced: linear, each sample for itself.
Pick = Callable[[FloatArray], FloatArray]

_BINS = 45
# Of the covariance's mean variance, for what no part of the background reaches: the filters' and the float's rounding.
_RIDGE = 1e-6
# Background from which the covariance in time of its parts is estimated.
_NOISE_S = 600.0


@dataclass(frozen=True)
class Oracle:
    """Bayes' rule with the true patterns, covariance and distributions.

    `read`: (64, bins × channels), the generalised least squares estimate. `means`: (labels, 64). `factors`: (labels, 64, 64),
    Cholesky factors of each label's covariance, that of the estimate's error included. `place`: (labels, 2, 65), for each
    label the linear map of least squared error from the estimate, and a one behind it, to the object's centre (or as many
    other properties of the layout as were learnt).
    """

    read: Array
    means: Array
    factors: Array
    place: Array

    def estimate(self, epochs: FloatArray) -> Array:
        """Epochs (n, channels, times), µV → (n, 64): contrast in the fields, then activity on the axes."""
        return binned(epochs) @ self.read.T

    def log_probabilities(self, epochs: FloatArray) -> Array:
        """Epochs (n, channels, times), µV → (n, labels), each row normalised; all labels are as likely beforehand."""
        estimates = self.estimate(epochs)
        logs = np.empty((len(epochs), len(self.means)))
        for label, (mean, factor) in enumerate(zip(self.means, self.factors, strict=True)):
            white = np.linalg.solve(factor, (estimates - mean).T)
            logs[:, label] = -0.5 * (white**2).sum(axis=0) - np.log(np.diag(factor)).sum()
        logs -= logs.max(axis=1, keepdims=True)
        return np.asarray(logs - np.log(np.exp(logs).sum(axis=1, keepdims=True)))

    def positions(self, epochs: FloatArray) -> Array:
        """Epochs (n, channels, times), µV → (n, 2): where the object's centre is, across and down, as share of the picture; or
        whatever else it learnt as `centres`."""
        with_one = np.hstack([self.estimate(epochs), np.ones((len(epochs), 1))])
        return np.asarray(np.einsum("nk,kae,ne->na", np.exp(self.log_probabilities(epochs)), self.place, with_one))

    @classmethod
    def of(
        cls,
        head: SimulatedHead,
        pictures: NDArray[np.uint8],
        labels: NDArray[np.int64],
        centres: Array,
        prepare: Prepare,
        before: int,
        after: int,
        rng: np.random.Generator,
        pick: Pick = lambda samples: samples,
    ) -> Oracle:
        """For a head and the stimuli that it may see.

        Parameters
        ----------
        pictures : (n, h, w, 3), many layouts of each label
        labels : (n,), 0 …
        centres : (n, 2), of the objects in them, across and down, as share of the picture; columns of other properties
            that may be linear in what the head makes of a picture, such as size and turn, are read alike
        prepare : of `before` + `after` raw samples around an onset, to an epoch
        pick : which channels of the head, with which reference
        """
        patterns = np.concatenate([head.early, head.late])
        through = np.stack([prepare(pick(_placed(pattern, before, after))) for pattern in patterns])
        known = binned(through)
        covariance = _background_covariance(head, prepare, pick, before + after, rng)
        covariance += _RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        weighted = np.linalg.solve(covariance, known.T)
        error = np.linalg.inv(known @ weighted)
        numbers = np.concatenate([np.stack([retinotopic(it) for it in pictures]), head.ventral.respond(pictures)], 1)
        of_each = [labels == label for label in np.unique(labels)]
        means = np.stack([numbers[it].mean(axis=0) for it in of_each])
        spread = [
            np.cov(numbers[it].T) + GAIN_SPREAD**2 * np.outer(mean, mean) + error
            for it, mean in zip(of_each, means, strict=True)
        ]
        place = [_to_centres(numbers[it], centres[it], error) for it in of_each]
        return cls(error @ weighted.T, means, np.linalg.cholesky(np.stack(spread)), np.stack(place))


def _to_centres(numbers: Array, centres: Array, error: Array) -> Array:
    """The linear map of least mean squared error from numbers (n, 64), estimated with an `error` (64, 64), to the centres."""
    mean, middle = numbers.mean(axis=0), centres.mean(axis=0)
    together = (centres - middle).T @ (numbers - mean) / len(numbers)
    weight = np.linalg.solve(np.cov(numbers.T) + error, together.T).T
    return np.hstack([weight, (middle - weight @ mean)[:, None]])


def binned(epochs: FloatArray) -> Array:
    """(n, channels, times) → (n, bins × channels): means over equal stretches of time; the last one may be longer."""
    edges = np.linspace(0, epochs.shape[2], _BINS + 1).astype(int)[:-1]
    sums = np.add.reduceat(epochs.astype(np.float64), edges, axis=2)
    lengths = np.diff(np.append(edges, epochs.shape[2]))
    return np.asarray((sums / lengths).reshape(len(epochs), -1))


def _placed(pattern: Array, before: int, after: int) -> FloatArray:
    """A response (channels, times) from the onset on, in silence: (before + after, channels)."""
    raw = np.zeros((before + after, len(pattern)), dtype=np.float32)
    length = min(after, pattern.shape[1])
    raw[before : before + length] = pattern[:, :length].T
    return raw


def _background_covariance(
    head: SimulatedHead, prepare: Prepare, pick: Pick, length: int, rng: np.random.Generator
) -> Array:
    """(channels × bins, channels × bins), µV²: of each part, that of its topography times that of its course.

    Exact in space; in time it is the mean over stretches, half a window apart, and over the part's sources, which are alike.
    """
    n = round(_NOISE_S * head.rate)
    total: Array = np.zeros(())
    for part in head.background.parts:
        course = part.course(n, head.rate, rng).astype(np.float32)
        stretches = [course[start : start + length] for start in range(0, n - length, length // 2)]
        of_sources = np.concatenate([binned(prepare(stretch)[:, None]) for stretch in stretches])
        in_time = of_sources.T @ of_sources / len(of_sources)
        topography = pick(part.topography.T.astype(np.float32)).T.astype(np.float64)
        total = total + np.kron(topography @ topography.T, in_time)
    return total
