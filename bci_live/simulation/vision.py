"""What the simulated visual system makes of a picture: a retinotopic map, and features that tell what it is.

Both are functions of the picture alone. No class label goes in when a picture is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bci_live.types import Picture

Array = NDArray[np.float64]

GRID = 6
_FILTERS, _KERNEL, _STRIDE = 48, 7, 2
_BINS = 4


def retinotopic(picture: Picture) -> Array:
    """Contrast against the mean of the border, on a GRID × GRID map of receptive fields: (GRID²,), 0…1.

    This is the path of place and size into the signal.
    """
    values = picture.astype(np.float64) / 255
    border = np.concatenate([values[:2].reshape(-1, 3), values[-2:].reshape(-1, 3)]).mean(axis=0)
    contrast = np.abs(values - border).mean(axis=2)
    edges = np.linspace(0, len(contrast), GRID + 1).astype(int)
    return np.array(
        [[contrast[top:bottom, left:right].mean() for left, right in pairwise(edges)]
         for top, bottom in pairwise(edges)]
    ).ravel()  # fmt: skip


def texture(pictures: NDArray[np.uint8], rng: np.random.Generator) -> Array:
    """Layout-tolerant features of pictures (n, h, w, 3): random oriented filters, rectified and pooled, and a colour histogram.

    Returns (n, features). The same generator state gives the same filters.
    """
    kernels = rng.standard_normal((_FILTERS, _KERNEL, _KERNEL, 3))
    kernels -= kernels.mean(axis=(1, 2, 3), keepdims=True)
    kernels /= np.linalg.norm(kernels.reshape(_FILTERS, -1), axis=1)[:, None, None, None]
    return np.stack([_texture_of(picture, kernels.reshape(_FILTERS, -1)) for picture in pictures])


def _texture_of(picture: Picture, kernels: Array) -> Array:
    values = picture[::2, ::2].astype(np.float64) / 255
    patches = sliding_window_view(values, (_KERNEL, _KERNEL), axis=(0, 1))[::_STRIDE, ::_STRIDE]
    responses = np.maximum(patches.transpose(0, 1, 3, 4, 2).reshape(-1, kernels.shape[1]) @ kernels.T, 0)
    weight = np.abs(picture.astype(np.float64) - np.median(picture, axis=(0, 1))).sum(axis=2) > 60
    coloured = picture[weight] if weight.any() else picture.reshape(-1, 3)
    histogram, _ = np.histogramdd(coloured // (256 // _BINS), bins=(_BINS,) * 3, range=((0, _BINS),) * 3)
    shares = np.sqrt(histogram.ravel() / histogram.sum())
    return np.concatenate([responses.mean(axis=0), np.percentile(responses, 95, axis=0), shares])


@dataclass(frozen=True)
class VentralStream:
    """Linear read-out of the textures along the axes that tell objects apart whatever their layout (Fisher's discriminant).

    The axes are grown once from a development set of pictures, as a visual system's are from its youth.
    """

    seed: int
    mean: Array
    axes: Array

    @classmethod
    def grown(cls, pictures: NDArray[np.uint8], classes: NDArray[np.int64], n_axes: int, seed: int) -> Self:
        """From pictures (n, h, w, 3) of `classes` (n,); unit variance on every axis."""
        features = texture(pictures, np.random.default_rng(seed))
        mean = features.mean(axis=0)
        centred = features - mean
        means = np.stack([centred[classes == c].mean(axis=0) for c in np.unique(classes)])
        within = np.cov((centred - means[np.searchsorted(np.unique(classes), classes)]).T)
        within += 0.05 * np.trace(within) / len(within) * np.eye(len(within))
        whiten = np.linalg.inv(np.linalg.cholesky(within)).T
        _, _, directions = np.linalg.svd(means @ whiten, full_matrices=False)
        axes = whiten @ directions[:n_axes].T
        return cls(seed, mean, axes / (centred @ axes).std(axis=0))

    def respond(self, pictures: NDArray[np.uint8]) -> Array:
        """(n, axes), about unit variance; compressed, because firing rates saturate."""
        features = texture(pictures, np.random.default_rng(self.seed))
        return 2 * np.tanh((features - self.mean) @ self.axes / 2)
