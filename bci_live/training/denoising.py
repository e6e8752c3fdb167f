"""What the diffusion model learns by: the error of its prediction at the timesteps where few-step inference looks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn
from torch.nn import functional

from bci_live.training.precision import autocast

# Where 4 and 8 steps with trailing spacing look, and how often training looks there; the rest is drawn uniformly.
_TIMESTEPS = (999, 874, 749, 624, 499, 374, 249, 124)
_SHARES = (0.12, 0.02, 0.28, 0.03, 0.25, 0.03, 0.15, 0.02)
_MIDDLE_SHARE, _OTHERS_SHARE = 0.15, 0.15
_SOFT_SHARE, _MOST_FADED, _NOISY = 0.7, 0.7, 400


@dataclass(frozen=True, slots=True)
class LatentSet:
    """What the loss draws from.

    `latents`: (n, 8, h, w), scaled; the last of them, one a label, are the pictures in the middle of grey. `labels`: (n,).
    `embeddings`: (labels, tokens, width), those of the catalogue first. `catalogue`: how many these are.
    """

    latents: Tensor
    labels: Tensor
    embeddings: Tensor
    catalogue: int


@dataclass(frozen=True, slots=True)
class Batch:
    """`noisy`, `clean`: (n, 8, h, w). `timesteps`: (n,). `prompts`: (n, tokens, width). The rest (n, 1, 1, 1):

    `alpha`, `sigma`: how much of the start and of noise the noisy one holds. `softened`: whether its start is not the clean one.
    """

    noisy: Tensor
    timesteps: Tensor
    prompts: Tensor
    clean: Tensor
    alpha: Tensor
    sigma: Tensor
    softened: Tensor


class DiffusionLoss:
    """The v-prediction error (Salimans & Ho 2022) at timesteps weighted to where few-step inference looks.

    Pure noise tells no place: with it goes the picture in the middle of grey, so that its best guess is a picture and not
    the blur of all places, and one step suffices. What is drawn from an initial picture has its place from there.
    """

    def __init__(self, data: LatentSet, scheduler: DDIMScheduler, batch: int, seed: int, device: torch.device):
        self._data, self._batch, self._seed, self._device = data, batch, seed, device
        self._alphas = scheduler.alphas_cumprod.to(device)
        self._mean = data.latents.mean(dim=0).to(device)

    def __call__(self, network: nn.Module, step: int) -> Tensor:
        """Mean squared error of one batch, drawn from the step's number."""
        batch = self.draw(step)
        # Equals alpha · noise − sigma · clean where the noisy one holds the clean picture.
        target = (batch.alpha * batch.noisy - batch.clean) / batch.sigma
        with autocast(self._device):
            velocity = network(batch.noisy, batch.timesteps, batch.prompts).sample
        # The error of the clean picture where that is not what the noisy one holds; the velocity's error would count the
        # difference 1 / sigma² times.
        weight = torch.where(batch.softened, batch.sigma.square(), torch.ones_like(batch.sigma))
        loss: Tensor = (weight * (velocity.float() - target).square()).mean()
        return loss

    def draw(self, step: int) -> Batch:
        """The batch of that step."""
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + step)
        data, count, device = self._data, self._batch, self._device
        timesteps = draw_timesteps(count, generator)
        picks = draw_pictures(data, timesteps, generator)
        softness, faded = draw_softness(timesteps, generator)
        clean = data.latents[picks].to(device)
        noise = torch.randn(clean.shape, generator=generator).to(device)
        timesteps, softness = timesteps.to(device), softness.to(device)
        start = soften(clean, softness, faded.to(device), self._mean)
        alpha = _each(self._alphas[timesteps].sqrt())
        sigma = _each((1 - self._alphas[timesteps]).sqrt())
        noisy = (alpha * start + sigma * noise).to(memory_format=torch.channels_last)
        prompts = data.embeddings[data.labels[picks]].to(device)
        return Batch(noisy, timesteps, prompts, clean, alpha, sigma, _each(softness > 1))


def draw_timesteps(count: int, generator: torch.Generator) -> Tensor:
    """(count,) timesteps: those of 4- and 8-step inference by their shares, the rest uniform over 50…998."""
    rest = 1 - sum(_SHARES)
    kinds = torch.multinomial(torch.tensor((*_SHARES, rest)), count, replacement=True, generator=generator)
    uniform = torch.randint(50, 999, (count,), generator=generator)
    return torch.where(kinds < len(_TIMESTEPS), torch.tensor((*_TIMESTEPS, 0))[kinds], uniform)


def draw_pictures(data: LatentSet, timesteps: Tensor, generator: torch.Generator) -> Tensor:
    """(count,) indices of latents: of a picture in the middle where there is noise alone, of any elsewhere."""
    count, total, every = len(timesteps), len(data.latents), len(data.embeddings)
    anywhere = torch.randint(total - every, (count,), generator=generator)
    label = torch.randint(data.catalogue, (count,), generator=generator)
    middle, other = torch.rand(2, count, generator=generator)
    if every > data.catalogue:
        others = torch.randint(data.catalogue, every, (count,), generator=generator)
        label = torch.where(other < _OTHERS_SHARE, others, label)
    in_the_middle = (timesteps == _TIMESTEPS[0]) | (middle < _MIDDLE_SHARE)
    return torch.where(in_the_middle, total - every + label, anywhere)


def draw_softness(timesteps: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """How soft each start point is made: by which factor (1, 2, 4 or 8), and how much of its contrast is lost (0…1).

    A saliency map or a latent that was read from EEG is softer and paler than a picture, the model's own guess after
    the first steps is softer: so most start points are, the noisier the more. The target stays sharp.
    """
    count = len(timesteps)
    soft, pale = torch.rand(2, count, generator=generator)
    noisy = timesteps > _NOISY
    very = torch.where(soft < 0.2, 8, torch.where(soft < 0.45, 4, 2))
    factors = torch.where(noisy, very, 2)
    factors = torch.where((soft < _SOFT_SHARE) & (timesteps > 200), factors, 1)
    return factors, torch.where(noisy & (factors > 1), _MOST_FADED * pale, 0.0)


def soften(latents: Tensor, factors: Tensor, faded: Tensor, mean: Tensor) -> Tensor:
    """Average (n, c, h, w) latents over squares of each one's factor, and move them towards the (c, h, w) mean."""
    soft = latents
    for factor in (2, 4, 8):
        small = functional.avg_pool2d(latents, factor)
        blurred = functional.interpolate(small, latents.shape[-2:], mode="bilinear")
        soft = torch.where(_each(factors == factor), blurred, soft)
    return soft + _each(faded) * (mean - soft)


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]
