"""The saliency generator: G(z, f(x)) of the paper, an RGB picture from the EEG feature."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from bci_live.decoding.card import NetworkSizes


class SaliencyGenerator(nn.Module):
    """(n, noise), the condition (n, labels + structure axes) and the contrast map (n, 1, h, w) → (n, 3, 32, 32) in -1…1.

    For the paper's f(x) stand the label probabilities, which training knows for runs left out: of the feature it knows only
    what a trained encoder makes of its own trials, far surer than what it makes of new ones, and a generator that
    trusts it draws new ones pale. Beside them what the structure head reads of the latent. The contrast map is
    laid beside the activations at every resolution, so that where something is need not be learned anew for every
    label. Live, `fixed_noise` is z: the same EEG gives the same picture; it is smoothly enlarged to 64 pixels, since
    single trials hold no finer detail and the training is four times as fast.
    """

    fixed_noise: Tensor
    gain: Tensor

    def __init__(self, labels: int, sizes: NetworkSizes) -> None:
        super().__init__()
        width = sizes.generator_width
        self.register_buffer("fixed_noise", torch.zeros(sizes.noise))
        self.register_buffer("gain", torch.ones(()))
        self.start = nn.Linear(sizes.noise + labels + sizes.structure_axes, width * 16)
        widths = [width, width, width // 2, width // 4]
        self.blocks = nn.ModuleList(_Block(a, b) for a, b in pairwise(widths))
        self.paint = nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, noise: Tensor, condition: Tensor, contrast: Tensor) -> Tensor:
        x = self.start(torch.cat([noise, condition], dim=1)).unflatten(1, (-1, 4, 4))
        for block in self.blocks:
            x = block(x, contrast)
        return torch.tanh(self.paint(x))

    def live(self, condition: Tensor, contrast: Tensor) -> Tensor:
        """(n, 3, 64, 64) in 0…1, with the fixed noise, and with the contrast of the stimuli.

        What is read of a single trial regresses to the mean, and so do the maps; `gain` gives them back, on average, the
        contrast against the background that the training's stimuli had. A diffusion model takes pale for pale.
        """
        drawn: Tensor = self(self.fixed_noise.expand(len(condition), -1), condition, contrast)
        ground = background(drawn)
        drawn = (ground + self.gain * (drawn - ground)).clamp(-1, 1)
        enlarged = functional.interpolate(drawn, scale_factor=2.0, mode="bilinear", align_corners=False)
        return (enlarged + 1) / 2


class _Block(nn.Module):
    """(n, a, h, w) → (n, b, 2 h, 2 w), with the contrast map at the new size seen beside it.

    Each pixel doubled both ways and then a convolution of 3 × 3, written as one transposed convolution whose kernel holds
    the sums of those weights that meet the same pixel: the same function at less than half of its price.
    """

    doubling: Tensor

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.draw = nn.Conv2d(a, b, 3, padding=1)
        # Place t of the large kernel, that is two pixels and three weights, holds the weights 2 - t and 3 - t.
        met = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
        self.register_buffer("doubling", met, persistent=False)
        self.place = nn.Conv2d(1, b, 3, padding=1, bias=False)
        self.norm = nn.GroupNorm(1, b)
        # One convolution of both together would be the same, but an odd number of channels is slow. As in that one the
        # map begins with no more weight than any other channel: with more it drowns what the object is.
        nn.init.uniform_(self.place.weight, -1 / (3 * (a + 1) ** 0.5), 1 / (3 * (a + 1) ** 0.5))

    def forward(self, x: Tensor, contrast: Tensor) -> Tensor:
        kernel = (self.doubling @ self.draw.weight @ self.doubling.T).transpose(0, 1)
        drawn = functional.conv_transpose2d(x, kernel, self.draw.bias, stride=2, padding=1)
        place = functional.interpolate(contrast, drawn.shape[-2:], mode="bilinear", align_corners=False)
        return functional.leaky_relu(self.norm(drawn + self.place(place)), 0.2)


def background(pictures: Tensor) -> Tensor:
    """The mean colour of the upper and the lower border: (n, 3, h, w) → (n, 3, 1, 1)."""
    return torch.cat([pictures[:, :, :2], pictures[:, :, -2:]], dim=2).mean(dim=(2, 3), keepdim=True)
