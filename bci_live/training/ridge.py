"""Ridge regression whose penalty is chosen on runs left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]

PENALTIES = tuple(10.0**power for power in range(-1, 7))


@dataclass(frozen=True, slots=True)
class Ridge:
    """`weight`: (outputs, inputs). `bias`: (outputs,)."""

    weight: Array
    bias: Array

    def __call__(self, inputs: Array) -> Array:
        """(n, inputs) → (n, outputs)."""
        return inputs @ self.weight.T + self.bias


def fit_ridge(inputs: Array, targets: Array, folds: Sequence[Fold]) -> tuple[Ridge, Array]:
    """The ridge with the penalty that errs least on the folds' held-out parts; and what it predicts there.

    Parameters
    ----------
    inputs : (n, inputs)
    targets : (n, outputs)
    folds : indices to fit on and to hold out

    Returns
    -------
    the ridge fitted to all; (n, outputs) predictions, each by a ridge that had not seen its run
    """
    held_out = np.zeros((len(PENALTIES), *targets.shape))
    for fit, hold in folds:
        for index, ridge in enumerate(_path(inputs[fit], targets[fit])):
            held_out[index, hold] = ridge(inputs[hold])
    best = int(np.argmin(((held_out - targets) ** 2).sum(axis=(1, 2))))
    return _path(inputs, targets)[best], held_out[best]


def _path(inputs: Array, targets: Array) -> list[Ridge]:
    """One ridge a penalty, from one singular value decomposition."""
    centre, mean = inputs.mean(axis=0), targets.mean(axis=0)
    left, values, right = np.linalg.svd(inputs - centre, full_matrices=False)
    projected = left.T @ (targets - mean)
    ridges = []
    for penalty in PENALTIES:
        weight = (projected.T * (values / (values**2 + penalty))) @ right
        ridges.append(Ridge(weight, mean - weight @ centre))
    return ridges
