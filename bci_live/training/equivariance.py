"""Pictures and their latents, turned, zoomed and shifted alike.

Where a latent turned and zoomed is the latent of the picture turned and zoomed, a diffusion model need not learn an object anew for
each of its turns and sizes (Kouzelis et al. 2025, "EQ-VAE"), and latents hold little that is finer than what they can show
(Skorokhodov et al. 2025). An autoencoder that only has to give its pictures back has latents of neither kind.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_TURN, _QUARTERS = math.radians(45), 0.3
_ZOOM, _SHIFT = (0.55, 1.6), 0.15


def random_warps(rng: np.random.Generator, count: int) -> Tensor:
    """(count, 2, 3) affine maps: any turn (mostly up to 45°), zooms by 0.55 to 1.6, and shifts."""
    turns = rng.uniform(-_TURN, _TURN, count) + rng.integers(0, 4, count) * math.pi / 2 * (
        rng.random(count) < _QUARTERS
    )
    zooms = np.exp(rng.uniform(math.log(_ZOOM[0]), math.log(_ZOOM[1]), count))
    cos, sin = np.cos(turns) / zooms, np.sin(turns) / zooms
    x, y = rng.uniform(-_SHIFT, _SHIFT, (2, count))
    rows = np.stack([cos, -sin, x, sin, cos, y], axis=1).reshape(count, 2, 3)
    return torch.from_numpy(rows.astype(np.float32))


def warped(maps: Tensor, warps: Tensor) -> Tensor:
    """(n, channels, h, w) pictures or latents, each by its own of the (n, 2, 3) warps; mirrored beyond the edges."""
    # In single precision: half of it places no more finely than a pixel or so.
    grid = functional.affine_grid(warps.to(maps.device), list(maps.shape), align_corners=False)
    return functional.grid_sample(maps.float(), grid, padding_mode="reflection", align_corners=False).to(maps.dtype)
