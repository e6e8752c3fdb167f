"""Makes a few-step student of a trained diffusion model, whose first guess is a picture and no blur.

A diffusion model's best guess in one step is the mean of all pictures that a noisy one may come from. The student's guess is
judged as a picture: by features that tell objects apart, and by a discriminator that learns meanwhile to tell guesses from
renderings, by the latents and by these features. The squared error keeps it to its place and colours.

After Projected GANs (Sauer et al. 2021) and latent adversarial diffusion distillation (Sauer et al. 2024), with the features
of a classifier of latents, and without their mixing or new noise.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from bci_live.errors import DiffusionError
from bci_live.training.autoencoder import CHANNELS
from bci_live.training.denoising import DiffusionLoss
from bci_live.training.latent_features import WIDTHS, LatentFeatures
from bci_live.training.precision import autocast

_SQUARED, _FEATURES, _ADVERSARIAL = 0.5, 0.3, 0.05
# The discriminator learns alone for so many steps; then its say grows over so many.
_ALONE, _GROWS = 300, 500
_WIDTH = 128
# So that the caption has about as much say as the rest at the beginning: its 3,072 numbers are about one.
_CAPTION = 1 / 8
_LEARNING_RATE, _BETAS, _CLIP = 4e-4, (0.5, 0.99), 10.0


class Discriminator(nn.Module):
    """Scores each place of a latent, and of its features at three sizes: is this a rendering of what the caption says?

    The caption counts by projection (Miyato & Koyama 2018), at each place.
    """

    def __init__(self, caption: int) -> None:
        super().__init__()
        self.caption = nn.Linear(caption, _WIDTH)
        self.bodies = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, _WIDTH, 3, padding=1),
                nn.LeakyReLU(0.2),
                spectral_norm(nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)),
                nn.LeakyReLU(0.2),
            )
            for channels in (CHANNELS, *WIDTHS)
        )
        self.scores = nn.ModuleList(spectral_norm(nn.Conv2d(_WIDTH, 1, 1)) for _ in self.bodies)

    def forward(self, latents: Tensor, maps: list[Tensor], prompts: Tensor) -> list[Tensor]:
        """(n, h, w) scores of each size, from (n, 8, h, w) latents, their features and (n, tokens, width) prompts."""
        told = self.caption(prompts.flatten(1))[:, :, None, None] * _CAPTION
        scores = []
        for body, score, seen in zip(self.bodies, self.scores, (latents, *maps), strict=True):
            inner = body(seen)
            scores.append(score(inner)[:, 0] + (inner * told).mean(dim=1))
        return scores


class SharpeningLoss:
    """What the student's guess of the clean picture lacks: of its values, its features, and to pass for a rendering.

    `captions`: (labels, tokens, width), as the loss has them. The discriminator learns at every call; `save` and `load` keep
    it with the student's checkpoints.
    """

    def __init__(self, loss: DiffusionLoss, features: LatentFeatures, captions: Tensor, device: torch.device):
        self._loss, self._features, self._device = loss, features, device
        self.discriminator = Discriminator(captions[0].numel()).to(device)
        self._optimizer = torch.optim.AdamW(
            self.discriminator.parameters(), _LEARNING_RATE, betas=_BETAS, weight_decay=0.01
        )
        self._learned = 0

    def __call__(self, network: nn.Module, step: int) -> Tensor:
        """Of one batch, drawn from the step's number as the teacher's were."""
        batch = self._loss.draw(step)
        with autocast(self._device):
            velocity = network(batch.noisy, batch.timesteps, batch.prompts).sample.float()
        guess = batch.alpha * batch.noisy - batch.sigma * velocity
        # As much as the velocity's error counts, where the noise is strong; bounded where the picture is almost there.
        weight = 1 / batch.sigma.square().clamp(min=0.2)
        squared = (weight * (guess - batch.clean).square()).mean()
        with autocast(self._device):
            with torch.no_grad():
                wanted = self._features.maps(batch.clean)
            seen = self._features.maps(guess)
        features = torch.stack([(a.float() - b.float()).square().mean() for a, b in zip(seen, wanted, strict=True)])
        self._learn((batch.clean, wanted), (guess.detach(), [it.detach() for it in seen]), batch.prompts)
        loss: Tensor = _SQUARED * squared + _FEATURES * features.mean()
        say = min(1.0, max(0.0, (self._learned - _ALONE) / _GROWS))
        if say > 0:
            loss = loss - _ADVERSARIAL * say * _mean(self._judged(guess, seen, batch.prompts))
        return loss

    def _learn(self, clean: tuple[Tensor, list[Tensor]], guess: tuple[Tensor, list[Tensor]], prompts: Tensor) -> None:
        """One step of the discriminator, by the hinge loss (Lim & Ye 2017)."""
        self.discriminator.requires_grad_(True)
        real, drawn = self._judged(*clean, prompts), self._judged(*guess, prompts)
        loss = _mean([functional.relu(1 - it) for it in real]) + _mean([functional.relu(1 + it) for it in drawn])
        if not torch.isfinite(loss):
            raise DiffusionError(
                "The student's discriminator diverged: its loss is no number any more. Run the same command again: it goes on from the "
                "last checkpoint. If it diverges again, lower --learning-rate."
            )
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.discriminator.parameters(), _CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._learned += 1
        self.discriminator.requires_grad_(False)

    def _judged(self, latents: Tensor, maps: list[Tensor], prompts: Tensor) -> list[Tensor]:
        with autocast(self._device):
            scores: list[Tensor] = self.discriminator(latents, maps, prompts)
        return [it.float() for it in scores]

    def save(self, file: Path) -> None:
        """Write the discriminator and how it learns, whole or not at all."""
        fresh = file.with_suffix(".new")
        state = {
            "weights": self.discriminator.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "learned": self._learned,
        }
        torch.save(state, fresh)
        os.replace(fresh, file)

    def load(self, file: Path) -> None:
        """Go on with what was saved; without a file it begins, and has no say before it has learned."""
        if file.exists():
            kept = torch.load(file, weights_only=True, map_location="cpu")
            self.discriminator.load_state_dict(kept["weights"])
            self._optimizer.load_state_dict(kept["optimizer"])
            self._learned = kept["learned"]


def _mean(scores: list[Tensor]) -> Tensor:
    return torch.stack([it.mean() for it in scores]).mean()
