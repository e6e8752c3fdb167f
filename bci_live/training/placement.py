"""Where in a stimulus something is: what the contrast head learns."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bci_live.types import Picture

_BORDER_PIXELS = 2


def contrast_map(pictures: Picture, side: int) -> Tensor:
    """Mean absolute difference from the colour of the upper and lower border, on side × side fields.

    (n, h, w, 3), uint8 → (n, side, side), 0…1. The simulated head's early response follows such a map, but a coarser
    one of its own (`simulation.vision.retinotopic`).
    """
    values = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    edges = torch.cat([values[:, :, :_BORDER_PIXELS], values[:, :, -_BORDER_PIXELS:]], dim=2)
    difference = (values - edges.mean(dim=(2, 3), keepdim=True)).abs().mean(dim=1, keepdim=True)
    return functional.adaptive_avg_pool2d(difference, side)[:, 0]
