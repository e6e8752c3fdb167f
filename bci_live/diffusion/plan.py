"""The steps of a draw."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bci_live.config import DiffusionConfig
from bci_live.errors import DiffusionError

# Where nothing of the clean picture is left, noise that is told from it says nothing either.
_LEAST_KEPT = 1e-6


class Plan:
    """How pictures are drawn from now on: `config`, and the scheduler of a pipeline set to it.

    Scheduler and timesteps stay on the CPU, so that no step waits for the GPU; `moments` are the same timesteps there, (1,) each.
    `steps`: pictures per decoding. `alpha`, `sigma`: of the clean start and of the noise, in what the first step is given.

    Raises
    ------
    DiffusionError
        If there is no step to run.
    """

    def __init__(self, pipeline: Any, config: DiffusionConfig, device: torch.device) -> None:
        if int(config.steps * config.strength) < 1:
            raise DiffusionError(
                f"{config.steps} steps at strength {config.strength} are less than one step: raise either of them."
            )
        self.config = config
        # One of its own: a scheduler counts its steps.
        self.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
        self.moments = [timestep[None].to(device) for timestep in self.begin()]
        self.steps = len(self.moments)
        # `add_noise` of the scheduler, which is linear, once and here: with tensors on a GPU it would wait for it at each draw.
        one, nothing, first = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1), self.begin()[:1]
        self.alpha = float(self.scheduler.add_noise(one, nothing, first))
        self.sigma = float(self.scheduler.add_noise(nothing, one, first))
        self._cleaning = [_cleaning(self.scheduler, int(timestep)) for timestep in self.begin()]

    def begin(self) -> Tensor:
        """Set the scheduler to its first step; the timesteps that are run, as `get_timesteps` of diffusers has them."""
        config, scheduler = self.config, self.scheduler
        scheduler.set_timesteps(config.steps, device="cpu")
        skipped = (config.steps - int(config.steps * config.strength)) * scheduler.order
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(skipped)
        timesteps: Tensor = scheduler.timesteps[skipped:]
        return timesteps

    def guess(self, step: int, latents: Tensor, predicted: Tensor, stepped: Any) -> Tensor:
        """What the clean picture is guessed to be at that step, counted from 0: what the scheduler tells, else by its formula.

        What many of them `stepped` to is noised anew for the next step, and no picture to show.
        """
        for name in ("pred_original_sample", "denoised"):
            told: Tensor | None = getattr(stepped, name, None)
            if told is not None:
                return told
        kept, taken = self._cleaning[step]
        return kept * latents + taken * predicted


def _cleaning(scheduler: Any, timestep: int) -> tuple[float, float]:
    """By how much noisy latents and what the network predicts of them count in the clean one (Salimans & Ho 2022, section 4).

    Of schedulers whose noisy latents are α · clean + σ · noise with α² + σ² = 1; the others tell their guess themselves.
    """
    alphas = getattr(scheduler, "alphas_cumprod", None)
    if alphas is None:
        return 1.0, 0.0
    kept = float(alphas[timestep])
    alpha, sigma = max(kept, _LEAST_KEPT) ** 0.5, (1 - kept) ** 0.5
    kind = scheduler.config.prediction_type
    return {"sample": (0.0, 1.0), "v_prediction": (alpha, -sigma)}.get(kind, (1 / alpha, -sigma / alpha))
