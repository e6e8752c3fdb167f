"""Trains the saliency generator against a conditional discriminator, as the paper's pixel level does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bci_live.decoding.saliency import SaliencyGenerator, background
from bci_live.training.losses import hinge_discriminator, hinge_generator, mode_seeking, structural_similarity
from bci_live.types import Picture

Report = Callable[[float, str], None]
# Where next to nothing is read, a larger one would show noise.
_MOST_GAIN = 4.0
# Steps over which the likeness is averaged, and what counts as growth of it.
_PLATEAU_MEMORY, _PLATEAU_GAIN = 50, 0.001
# Mode seeking needs two pictures of each condition, the other terms one: it is taken at every so many steps, and as many
# times as heavily (lazy regularisation: Karras et al. 2020).
_SEEK_EVERY = 4


@dataclass(frozen=True, slots=True)
class SaliencyTraining:
    """What the training can be told. `patience`: see `train_saliency`.

    `adversarial`, `mode_seeking`, `similarity` are the paper's α₁, α₂, α₃.
    The paper does not state them; these let the stimulus outweigh the texture.
    """

    steps: int = 1000
    patience: int = 150
    batch: int = 16
    learning_rate: float = 1e-3
    adversarial: float = 0.1
    mode_seeking: float = 0.1
    similarity: float = 1.0
    colour: float = 2.0


class Discriminator(nn.Module):
    """(n, 3, 32, 32) in -1…1 and the condition → (n,): how real, given the EEG (projection: Miyato & Koyama 2018)."""

    def __init__(self, condition: int, width: int = 24) -> None:
        super().__init__()
        widths = [3, width, 2 * width, 3 * width]
        layers = []
        for a, b in pairwise(widths):
            layers += [nn.utils.spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        self.look = nn.Sequential(*layers)
        self.judge = nn.Linear(widths[-1], 1)
        self.match = nn.Linear(condition, widths[-1], bias=False)

    def forward(self, pictures: Tensor, condition: Tensor) -> Tensor:
        seen = self.look(pictures).mean(dim=(2, 3))
        score: Tensor = self.judge(seen)[:, 0] + (self.match(condition) * seen).mean(dim=1)
        return score


def train_saliency(
    generator: SaliencyGenerator,
    conditions: Tensor,
    contrasts: Tensor,
    pictures: Picture,
    shown: NDArray[np.int64],
    settings: SaliencyTraining,
    seed: int,
    device: torch.device,
    report: Report,
) -> None:
    """Train in place: `steps` steps, or fewer: the end comes near when the pictures have come no nearer to the stimuli for `patience`.

    Parameters
    ----------
    conditions : (n, condition), what the heads read of each epoch
    contrasts : (n, 1, h, w), the contrast maps read of each epoch
    pictures : (m, 64, 64, 3), uint8, the different stimuli
    shown : (n,), which of them each epoch saw
    """
    torch.manual_seed(seed)
    rivals = _Rivals(generator, conditions.shape[1], settings, device)
    targets = functional.avg_pool2d(torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1, 2)
    of_each = torch.from_numpy(shown)
    plateau = _Plateau(settings.patience)
    last = settings.steps
    for step in range(settings.steps):
        chosen = torch.randint(len(conditions), (settings.batch,))
        real, contrast = targets[of_each[chosen]].to(device), contrasts[chosen].to(device)
        losses = rivals.step(real, conditions[chosen].to(device), contrast, seek=step % _SEEK_EVERY == 0)
        rivals.anneal(step, last)
        if step % 10 == 9:
            report((step + 1) / settings.steps, "D {:.2f}, G {:.2f}, SSIM {:.2f}".format(*(it.item() for it in losses)))
        if plateau.reached(step, losses[2].item()):
            # What the last steps of a full learning rate leave is off in colour; half as many again calm it down.
            last = min(last, step + 1 + step // 2)
        if step + 1 >= last:
            break
    generator.eval().to("cpu")
    generator.gain.copy_(contrast_gain(generator, conditions, contrasts, targets[of_each]))


class _Plateau:
    """Whether a likeness, averaged over the last steps, has not grown for `patience` steps."""

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._mean, self._best, self._best_at = 0.0, -1.0, 0

    def reached(self, step: int, likeness: float) -> bool:
        """Call once a step, from step 0 on."""
        self._mean += (likeness - self._mean) / min(step + 1, _PLATEAU_MEMORY)
        if self._mean > self._best + _PLATEAU_GAIN:
            self._best, self._best_at = self._mean, step
        return step - self._best_at >= self._patience


class _Rivals:
    """The generator and the discriminator that it is trained against, each with its optimiser."""

    def __init__(
        self, generator: SaliencyGenerator, condition: int, settings: SaliencyTraining, device: torch.device
    ) -> None:
        self._generator, self._settings, self._device = generator, settings, device
        generator.to(device).train()
        generator.fixed_noise.copy_(torch.randn(generator.fixed_noise.shape))
        self._discriminator = Discriminator(condition).to(device).train()
        self._for_generator, self._for_discriminator = (
            torch.optim.Adam(model.parameters(), settings.learning_rate, betas=(0.5, 0.99))
            for model in (generator, self._discriminator)
        )

    def step(self, real: Tensor, condition: Tensor, contrast: Tensor, seek: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Train both once on a batch; returns the critic's loss, the generator's, and the similarity to the stimuli.

        `seek`: with the mode-seeking term, for which each condition is drawn twice.
        """
        times = 2 if seek else 1
        noises = torch.randn(times * len(real), len(self._generator.fixed_noise), device=self._device)
        fakes = self._generator(noises, condition.repeat(times, 1), contrast.repeat(times, 1, 1, 1))

        critique = critic_loss(self._discriminator, real, fakes[: len(real)].detach(), condition)
        self._for_discriminator.zero_grad()
        critique.backward()  # type: ignore[no-untyped-call]
        self._for_discriminator.step()

        loss, similarity = generator_loss(self._settings, self._discriminator, fakes, noises, real, condition)
        self._for_generator.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._for_generator.step()
        return critique, loss, similarity

    def anneal(self, step: int, last: int) -> None:
        """The last third of the steps takes the learning rate to a tenth."""
        left = (last - step) / last
        for optimizer in (self._for_generator, self._for_discriminator):
            for group in optimizer.param_groups:
                group["lr"] = self._settings.learning_rate * max(0.1, min(1.0, 3 * left))


def critic_loss(discriminator: Discriminator, real: Tensor, fake: Tensor, condition: Tensor) -> Tensor:
    """The discriminator's hinge loss on (n, 3, h, w) pictures, augmented alike."""
    scores = discriminator(differentiable_augment(torch.cat([real, fake])), condition.repeat(2, 1))
    return hinge_discriminator(*scores.chunk(2))  # eq. 2


def generator_loss(
    settings: SaliencyTraining,
    discriminator: Discriminator,
    fakes: Tensor,
    noises: Tensor,
    real: Tensor,
    condition: Tensor,
) -> tuple[Tensor, Tensor]:
    """What the generator minimises, and the similarity to the stimuli in it.

    `fakes`: one of each condition; or two, of two `noises`, the second ones behind the first, for the mode-seeking term.
    """
    first = fakes[: len(real)]
    adversarial = hinge_generator(discriminator(differentiable_augment(first), condition))  # eq. 4
    similarity = structural_similarity((first + 1) / 2, (real + 1) / 2)
    loss = (
        settings.adversarial * adversarial
        + settings.similarity * (1 - similarity)  # eq. 6
        # SSIM hardly sees colour: a mean over many pictures would stay grey without it.
        + settings.colour * functional.l1_loss(first, real)
    )
    if len(fakes) > len(real):
        loss = loss + _SEEK_EVERY * settings.mode_seeking * mode_seeking(*fakes.chunk(2), *noises.chunk(2))  # eq. 5
    return loss, similarity


@torch.inference_mode()
def contrast_gain(generator: SaliencyGenerator, conditions: Tensor, contrasts: Tensor, stimuli: Tensor) -> Tensor:
    """How much paler against their background the drawn maps are than the (n, 3, h, w) stimuli: a ratio, at least 1."""
    noise = generator.fixed_noise.expand(len(conditions), -1)
    drawn = torch.cat(
        [generator(*part) for part in zip(*(x.split(256) for x in (noise, conditions, contrasts)), strict=True)]
    )
    spread = [(pictures - background(pictures)).square().mean().sqrt() for pictures in (stimuli, drawn)]
    return (spread[0] / spread[1].clamp_min(1e-6)).clamp(1.0, _MOST_GAIN)


def differentiable_augment(pictures: Tensor) -> Tensor:
    """Change brightness, saturation, contrast and place, each picture its own (DiffAugment, Zhao et al. 2020).

    (n, 3, h, w) → the same.
    """
    count, _, height, width = pictures.shape

    def draw(low: float, high: float) -> Tensor:
        return torch.rand(count, 1, 1, 1, device=pictures.device) * (high - low) + low

    pictures = pictures + draw(-0.5, 0.5)
    grey = pictures.mean(dim=1, keepdim=True)
    pictures = (pictures - grey) * draw(0, 2) + grey
    middle = pictures.mean(dim=(1, 2, 3), keepdim=True)
    pictures = (pictures - middle) * draw(0.5, 1.5) + middle
    moved = torch.eye(2, 3, device=pictures.device).repeat(count, 1, 1)
    moved[:, :, 2] = torch.randint(-height // 8, height // 8 + 1, (count, 2), device=pictures.device) * 2 / width
    grid = functional.affine_grid(moved, list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, mode="nearest", padding_mode="zeros", align_corners=False)
