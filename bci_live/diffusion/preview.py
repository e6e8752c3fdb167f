"""A latent as a small picture by a linear map: what a step has come to, at a hundredth of the decoder's cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

# Pixels of the preview along a side of one place of the latent.
_FINER = 2
_PICTURES, _SIDE = 16, 16
_RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class LatentPreview:
    """`weight`: (3 × 2 × 2, channels, 3, 3), `bias`: (3 × 2 × 2,). A place and its neighbours give four pixels."""

    weight: Tensor
    bias: Tensor

    def __call__(self, latents: Tensor, pixels: int) -> Tensor:
        """(n, channels, h, w) scaled latents → (n, 3, pixels, pixels) in -1…1."""
        small = functional.pixel_shuffle(functional.conv2d(_padded(latents), self.weight, self.bias), _FINER)
        return functional.interpolate(small, (pixels, pixels), mode="bilinear")


@torch.inference_mode()
def fit_preview(encode: Callable[[Tensor], Tensor], decode: Callable[[Tensor], Tensor], scale: int) -> LatentPreview:
    """Least squares from latents to what the decoder makes of them, on pictures with soft and with hard edges.

    Parameters
    ----------
    encode, decode : between (n, 3, h, w) in -1…1 and scaled latents (n, channels, h / scale, w / scale)
    scale : pixels along a side of one place
    """
    latents = encode(_pictures(_SIDE * scale))
    wanted = functional.adaptive_avg_pool2d(decode(latents).float(), _SIDE * _FINER)
    seen = functional.unfold(_padded(latents).float(), 3).transpose(1, 2).flatten(0, 1)
    told = functional.pixel_unshuffle(wanted, _FINER).flatten(2).transpose(1, 2).flatten(0, 1)
    means = seen.mean(0), told.mean(0)
    seen, told = seen - means[0], told - means[1]
    ridge = _RIDGE * len(seen) * seen.var() * torch.eye(seen.shape[1], device=seen.device)
    weight = torch.linalg.solve(seen.T @ seen + ridge, seen.T @ told)
    bias = means[1] - means[0] @ weight
    kernel = weight.T.unflatten(1, (latents.shape[1], 3, 3))
    return LatentPreview(kernel.to(latents.dtype).contiguous(), bias.to(latents.dtype))


def _padded(latents: Tensor) -> Tensor:
    # What lies beyond the edge is taken for what lies at it; zeros would show as a frame.
    return functional.pad(latents, (1, 1, 1, 1), mode="replicate")


def _pictures(side: int) -> Tensor:
    """(n, 3, side, side) in -1…1: random colours on grids from coarse to fine, half of them smooth."""
    generator = torch.Generator().manual_seed(0)
    pictures = []
    for number in range(_PICTURES):
        grid = torch.rand(1, 3, *(2 + number // 2,) * 2, generator=generator).mul(2).sub(1)
        mode = "bilinear" if number % 2 else "nearest"
        pictures.append(functional.interpolate(grid, (side, side), mode=mode))
    return torch.cat(pictures)
