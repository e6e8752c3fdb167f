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

from bci_live.config import SaliencyConfig
from bci_live.decoding.saliency import SaliencyGenerator, background
from bci_live.training.losses import hinge_discriminator, hinge_generator, mode_seeking, structural_similarity
from bci_live.training.processes import Processes
from bci_live.training.resume import Resume, Tensors, load_optimizer, optimizer_tensors, prefixed, unprefixed
from bci_live.types import Picture

Report = Callable[[float, str], None]
# Where next to nothing is read, a larger one would show noise.
_MOST_GAIN = 4.0
# Steps over which the likeness is averaged, and what counts as growth of it.
_PLATEAU_MEMORY, _PLATEAU_GAIN = 50, 0.001
# Two stimuli are drawn as well after 300 steps as after 1000; forty objects, each in a layout of its own, are not.
_STEPS, _STEPS_A_STIMULUS = 300, 10
# Mode seeking needs two pictures of each condition, the other terms one: it is taken at every so many steps, and as many
# times as heavily (lazy regularisation: Karras et al. 2020).
_SEEK_EVERY = 4


@dataclass(frozen=True, slots=True)
class SaliencyTraining:
    """What the training can be told. `steps`: at most. `patience`, `keep_every`: see `train_saliency`. The rest: see `SaliencyConfig`."""

    steps: int = SaliencyConfig().steps
    patience: int = 150
    keep_every: int = 100
    batch: int = 16
    learning_rate: float = 1e-3
    adversarial: float = SaliencyConfig().adversarial
    mode_seeking: float = SaliencyConfig().mode_seeking
    similarity: float = SaliencyConfig().similarity
    colour: float = SaliencyConfig().colour


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
    processes: Processes,
    resume: Resume,
    report: Report,
) -> None:
    """Train in place: `steps` steps, or fewer where there are few stimuli, or where pictures come no nearer to them.

    The end comes near when they have come no nearer for `patience` steps.

    Parameters
    ----------
    conditions : (n, condition), what the heads read of each epoch
    contrasts : (n, 1, h, w), the contrast maps read of each epoch
    pictures : (m, 64, 64, 3), uint8, the different stimuli
    shown : (n,), which of them each epoch saw
    resume : keeps the phase "saliency" every `keep_every` steps, and is asked for it first
    """
    torch.manual_seed(seed)
    rivals, device = _Rivals(generator, conditions.shape[1], settings, processes), processes.device
    targets = functional.avg_pool2d(torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1, 2)
    of_each = torch.from_numpy(shown)
    course = _Course(min(settings.steps, _STEPS + _STEPS_A_STIMULUS * len(pictures)), settings.patience)
    if kept := resume.recall("saliency"):
        rivals.load(kept)
        course.load(kept["course"])
        torch.set_rng_state(kept["random"])
    processes.diverge(seed + course.step)
    batch = max(2, settings.batch // processes.count)
    while course.step < course.last:
        chosen = torch.randint(len(conditions), (batch,))
        real, contrast = targets[of_each[chosen]].to(device), contrasts[chosen].to(device)
        losses = rivals.step(real, conditions[chosen].to(device), contrast, seek=course.step % _SEEK_EVERY == 0)
        rivals.anneal(course.step, course.last)
        course.advance(processes.mean(losses[2].item()))
        if course.step % 10 == 0:
            told = "D {:.2f}, G {:.2f}, SSIM {:.2f}".format(*(it.item() for it in losses))
            report(course.step / course.last, told)
        if course.step % settings.keep_every == 0:
            state = {"course": course.state(), "random": torch.get_rng_state()}
            resume.keep("saliency", rivals.state() | state)
    processes.average_buffers(generator)
    generator.eval().to("cpu")
    generator.gain.copy_(contrast_gain(generator, conditions, contrasts, targets[of_each]))


class _Course:
    """Steps made, and the last one: set near when the likeness, averaged, has not grown for `patience` steps."""

    def __init__(self, steps: int, patience: int) -> None:
        self.step, self.last = 0, steps
        self._patience = patience
        self._mean, self._best, self._best_at = 0.0, -1.0, 0

    def advance(self, likeness: float) -> None:
        """Count a step, and the likeness to the stimuli that it had."""
        self._mean += (likeness - self._mean) / min(self.step + 1, _PLATEAU_MEMORY)
        if self._mean > self._best + _PLATEAU_GAIN:
            self._best, self._best_at = self._mean, self.step
        if self.step - self._best_at >= self._patience:
            # What the last steps of a full learning rate leave is off in colour; half as many again calm it down.
            self.last = min(self.last, self.step + 1 + self.step // 2)
        self.step += 1

    def state(self) -> Tensor:
        return torch.tensor([self.step, self.last, self._mean, self._best, self._best_at], dtype=torch.float64)

    def load(self, state: Tensor) -> None:
        step, last, self._mean, self._best, best_at = state.tolist()
        self.step, self.last, self._best_at = int(step), int(last), int(best_at)


class _Rivals:
    """The generator and the discriminator that it is trained against, each with its optimiser."""

    def __init__(
        self, generator: SaliencyGenerator, condition: int, settings: SaliencyTraining, processes: Processes
    ) -> None:
        self._generator, self._settings, self._processes = generator, settings, processes
        device = processes.device
        generator.to(device).train()
        generator.fixed_noise.copy_(torch.randn(generator.fixed_noise.shape))
        self._discriminator = Discriminator(condition).to(device).train()
        self._for_generator, self._for_discriminator = (
            torch.optim.Adam(model.parameters(), settings.learning_rate, betas=(0.5, 0.99), fused=True)
            for model in (generator, self._discriminator)
        )

    def step(self, real: Tensor, condition: Tensor, contrast: Tensor, seek: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Train both once on a batch; returns the critic's loss, the generator's, and the similarity to the stimuli.

        `seek`: with the mode-seeking term, for which each condition is drawn twice.
        """
        times = 2 if seek else 1
        noises = torch.randn(times * len(real), len(self._generator.fixed_noise), device=real.device)
        with self._processes.autocast():
            fakes = self._generator(noises, condition.repeat(times, 1), contrast.repeat(times, 1, 1, 1))
        fakes = fakes.float()

        critique = critic_loss(self._discriminator, real, fakes[: len(real)].detach(), condition)
        self._for_discriminator.zero_grad()
        critique.backward()  # type: ignore[no-untyped-call]
        self._processes.average_gradients(self._discriminator.parameters())
        self._for_discriminator.step()

        loss, similarity = generator_loss(self._settings, self._discriminator, fakes, noises, real, condition)
        self._for_generator.zero_grad()
        loss.backward(inputs=list(self._generator.parameters()))  # type: ignore[no-untyped-call]
        self._processes.average_gradients(self._generator.parameters())
        self._for_generator.step()
        return critique, loss, similarity

    def state(self) -> Tensors:
        """All that the next step depends on, but for the random numbers."""
        kept: Tensors = {}
        for name, model, optimizer in self._parts():
            kept |= prefixed(name, model.state_dict()) | prefixed(f"{name} moments", optimizer_tensors(optimizer))
        return kept

    def load(self, kept: Tensors) -> None:
        """Go on from what `state` gave."""
        for name, model, optimizer in self._parts():
            model.load_state_dict(unprefixed(name, kept))
            load_optimizer(optimizer, unprefixed(f"{name} moments", kept))

    def _parts(self) -> tuple[tuple[str, nn.Module, torch.optim.Optimizer], ...]:
        return (
            ("generator", self._generator, self._for_generator),
            ("discriminator", self._discriminator, self._for_discriminator),
        )

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
