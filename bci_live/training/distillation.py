"""Makes a few-step student of a trained diffusion model.

The teacher's best guess in one step is the mean of all pictures that a noisy one may come from: a blur. Walked along in
many steps (DDIM, Song et al. 2021, a solver of the probability flow) it arrives at one of them. The student learns to arrive
there at once, from each timestep at which few-step inference looks (Luhman & Luhman 2021; the consistency of Song et al.
2023 with the teacher's own trajectory): its target is determined by what it sees, so that its guess is sharp.
"""

from __future__ import annotations

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from bci_live.training.denoising import DiffusionLoss
from bci_live.training.precision import autocast

# The teacher's steps from pure noise; from less noise so many fewer.
_STEPS = 8


class DistillationLoss:
    """The squared error of the student's clean picture against where the teacher arrives from the same noisy one."""

    def __init__(self, loss: DiffusionLoss, teacher: nn.Module, scheduler: DDIMScheduler, device: torch.device):
        self._loss, self._teacher, self._device = loss, teacher.eval().requires_grad_(False), device
        self._alphas = scheduler.alphas_cumprod.to(device)

    def __call__(self, network: nn.Module, step: int) -> Tensor:
        """One batch, drawn from the step's number as the teacher's were."""
        batch = self._loss.draw(step)
        arrived = self.walk(batch.noisy, batch.timesteps, batch.prompts)
        with autocast(self._device):
            velocity = network(batch.noisy, batch.timesteps, batch.prompts).sample.float()
        guess = batch.alpha * batch.noisy - batch.sigma * velocity
        # As much as the velocity's error counts, where the noise is strong; bounded where the picture is almost there.
        weight = 1 / batch.sigma.square().clamp(min=0.2)
        loss: Tensor = (weight * (guess - arrived).square()).mean()
        return loss

    @torch.no_grad()
    def walk(self, noisy: Tensor, timesteps: Tensor, prompts: Tensor) -> Tensor:
        """(n, c, h, w): where the teacher arrives, in steps of an eighth of the way from pure noise."""
        latents, now = noisy.clone(), timesteps.clone()
        while len(going := torch.nonzero(now >= 0)[:, 0]):
            alpha, sigma = self._levels(now[going])
            there = latents[going]
            with autocast(self._device):
                velocity = self._teacher(there, now[going], prompts[going]).sample.float()
            clean, noise = alpha * there - sigma * velocity, sigma * there + alpha * velocity
            now[going] -= 1000 // _STEPS
            alpha, sigma = self._levels(now[going])
            latents[going] = alpha * clean + sigma * noise
        return latents

    def _levels(self, timesteps: Tensor) -> tuple[Tensor, Tensor]:
        """Shares of picture and noise at each timestep; before the first there is no noise."""
        cumulative = torch.where(timesteps >= 0, self._alphas[timesteps.clamp(min=0)], 1.0).view(-1, 1, 1, 1)
        return cumulative.sqrt(), (1 - cumulative).sqrt()
