"""How alike pictures are: PixCorr, SSIM, and whether a picture finds its own stimulus among others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bci_live.evaluation.scores import Array
from bci_live.training.losses import structural_similarity
from bci_live.types import Picture


def correlations(drawn: Picture, stimuli: Picture) -> Array:
    """PixCorr of every drawn picture (n, h, w, 3) with every stimulus (m, h, w, 3): (n, m); 0 where one is flat."""
    return agreements(drawn.reshape(len(drawn), -1), stimuli.reshape(len(stimuli), -1))


def agreements(drawn: NDArray[Any], stimuli: NDArray[Any]) -> Array:
    """Pearson's correlation of each row (n, width) with each row (m, width), of pixels or of features: (n, m)."""
    return np.asarray(_standardised(drawn) @ _standardised(stimuli).T)


def _standardised(rows: NDArray[Any]) -> Array:
    centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float64)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(np.divide(centred, norms, out=np.zeros_like(centred), where=norms > 0))


def similarities(drawn: Picture, stimuli: Picture) -> Array:
    """SSIM (Wang et al. 2004) of every drawn picture (n, h, w, 3) with every stimulus (m, h, w, 3): (n, m)."""
    a, b = _tensors(drawn), _tensors(stimuli)
    return np.array([[float(structural_similarity(x[None], y[None])) for y in b] for x in a])


def own_similarity(drawn: Picture, stimuli: Picture) -> float:
    """Mean SSIM of each drawn picture (n, h, w, 3) with its own stimulus: of `similarities` the diagonal's, in n steps."""
    return float(structural_similarity(_tensors(drawn), _tensors(stimuli)))


def _tensors(pictures: Picture) -> Tensor:
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255


def two_way(likeness: Array) -> Array:
    """How often a picture is more like this stimulus than like each other one: (n, n), the diagonal tells of its own.

    Parameters
    ----------
    likeness : (n, n), row: drawn, column: stimulus
    """
    wins = (likeness[:, :, None] > likeness[:, None, :]) + 0.5 * (likeness[:, :, None] == likeness[:, None, :])
    return np.asarray((wins.sum(axis=2) - 0.5) / max(1, likeness.shape[1] - 1))  # but for itself, a tie


def within_category(
    likeness: Array, own: NDArray[np.int64], labels: Sequence[str], stimulus_labels: Sequence[str]
) -> tuple[Array, Array]:
    """Whether a picture is most like its own stimulus among all stimuli of the same label; and the chance of it.

    Only pictures whose label has at least two stimuli count: both arrays may be shorter than n.

    Parameters
    ----------
    likeness : (n, m), row: drawn, column: different stimulus
    own : (n,), the column of each picture's stimulus
    labels, stimulus_labels : (n,) and (m,)
    """
    right, chance = [], []
    for row, column, label in zip(likeness, own, labels, strict=True):
        candidates = np.flatnonzero([it == label for it in stimulus_labels])
        if len(candidates) < 2:
            continue
        best = row[candidates] == row[candidates].max()
        right.append(float((candidates[best] == column).any()) / best.sum())
        chance.append(1 / len(candidates))
    return np.array(right), np.array(chance)
