"""Couples the noise with the layout, so that few steps suffice.

A diffusion model that starts from pure noise first predicts the mean of all pictures that fit the caption: with place,
size and turn unknown, that is a blur, and four steps cannot get rid of it. Here eleven projections of the noise (the
finest checks and stripes of each latent channel) *are* the layout during training. For a given layout they are set, all
else stays free; over the layouts the noise is still a standard normal, which is what a pipeline draws. The picture that
belongs to a noise is then unambiguous. It is the idea of coupling noise and data before training (minibatch optimal
transport, rectified flow), with a coupling written down instead of learned.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from bci_live.types import FloatArray

SCORES = 11


def layout_scores(layouts: FloatArray) -> FloatArray:
    """(n, 11) layouts → (n, 11) standard normal scores, one independent of another.

    Place, size, turn and hue are independent as drawn; the six background values are turned to their principal axes first.
    """
    background = layouts[:, 5:] - layouts[:, 5:].mean(0)
    axes = np.linalg.svd(background, full_matrices=False)[2]
    values = np.concatenate((layouts[:, :5], background @ axes.T), axis=1)
    ranks = values.argsort(0).argsort(0)
    return np.asarray(ndtri((ranks + 0.5) / len(values)), dtype=np.float32)


def patterns(size: int, channels: int) -> Tensor:
    """(11, channels, size, size), orthonormal: checks, then upright stripes, then level stripes, a channel each."""
    sign = 1.0 - 2.0 * (torch.arange(size) % 2)
    kinds = (sign[:, None] * sign, sign.expand(size, size), sign[:, None].expand(size, size))
    result = torch.zeros(len(kinds) * channels, channels, size, size)
    for kind, plane in enumerate(kinds):
        for channel in range(channels):
            result[kind * channels + channel, channel] = plane / size
    return result[:SCORES]


def couple(noise: Tensor, scores: Tensor, basis: Tensor) -> Tensor:
    """Set the projections of (n, c, h, w) noise on the `basis` to the (n, 11) scores."""
    now = torch.einsum("nchw,kchw->nk", noise, basis)
    return noise + torch.einsum("nk,kchw->nchw", scores - now, basis)
