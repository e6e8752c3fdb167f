"""Trains the small autoencoder that the diffusion model works in: 128 × 128 pixels ⇄ 8 × 16 × 16 latents."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from torch import Tensor
from torch.nn import functional

from bci_live.diffusion.pipeline import quiet_libraries
from bci_live.training.equivariance import random_warps, warped
from bci_live.training.loop import LoopSettings, run_loop
from bci_live.training.precision import autocast
from bci_live.training.renderings import Renderings
from bci_live.types import Picture

CHANNELS = 8
# The network has no normalisation over the picture, so it can learn from crops: four times as many steps in a minute.
_CROP = 64
_EDGES = 1.0
_ABSOLUTE = 0.1
_MOMENTS = 0.01
# The decoder must forgive a diffusion model's small errors.
_LATENT_NOISE = 0.05
_BLURRED_SHARE = 0.1
# So many of the latents are warped before they are decoded; fewer, while the decoder learns alone at the end.
_WARPED, _WARPED_AT_THE_END = 0.75, 0.2
_END_SHARE = 0.45


def build_autoencoder(width: int = 40) -> AutoencoderTiny:
    """Four levels of plain residual blocks, none where the map is largest: there a block costs as much as all the others."""
    return AutoencoderTiny(
        encoder_block_out_channels=(width,) * 4,
        decoder_block_out_channels=(width,) * 4,
        num_encoder_blocks=(0, 1, 2, 2),
        num_decoder_blocks=(3, 3, 2, 0),
        latent_channels=CHANNELS,
        scaling_factor=1.0,
    )


def train_autoencoder(
    renderings: Renderings,
    minutes: float,
    work: Path,
    device: torch.device,
    batch: int = 16,
    max_steps: int | None = None,
    begin: AutoencoderTiny | None = None,
) -> AutoencoderTiny:
    """Train on crops of the renderings; the result's scaling factor gives its latents unit variance.

    Its latents turn and grow with the pictures (see `equivariance`). That costs sharpness, most of which the decoder
    regains when it goes on alone.

    `begin`: one of the same build, to go on from: a network that learned to draw its latents needs less time for the new ones.
    """
    torch.manual_seed(0)
    model = build_autoencoder()
    if begin is not None:
        model.load_state_dict(begin.state_dict())
    model = model.to(device, memory_format=torch.channels_last)

    def loss_at(network: Any, step: int, share: float = _WARPED, alone: bool = False) -> Tensor:
        rng = np.random.default_rng((2 if alone else 1, step))
        pictures = to_tensor(_crops(renderings, rng, batch), device)
        # Saliency maps are soft: the encoder has to know soft pictures, too.
        soft = int(rng.binomial(batch, _BLURRED_SHARE))
        if soft:
            small = functional.avg_pool2d(pictures[:soft], int(rng.choice((2, 4, 8))))
            pictures[:soft] = functional.interpolate(small, pictures.shape[-2:], mode="bilinear")
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        with autocast(device):
            latents = network.encode(pictures).latents
            seen, wanted = _some_warped(latents, pictures, rng, round(share * batch))
            noise = torch.from_numpy(rng.standard_normal(seen.shape, dtype=np.float32)).to(device)
            decoded = network.decode(
                (seen + _LATENT_NOISE * noise).contiguous(memory_format=torch.channels_last)
            ).sample
        loss = autoencoder_loss(decoded.float(), wanted)
        if alone:
            return loss
        return loss + _MOMENTS * moment_loss(latents.float())

    both = LoopSettings(
        "autoencoder", minutes * (1 - _END_SHARE), learning_rate=2e-3, average_decay=0.995, max_steps=max_steps
    )
    trained = run_loop(model, loss_at, both, work).requires_grad_(True)
    trained.encoder.requires_grad_(False)
    end = replace(both, name="decoder", minutes=minutes * _END_SHARE, learning_rate=1.5e-3)
    trained = run_loop(trained, partial(loss_at, share=_WARPED_AT_THE_END, alone=True), end, work)
    latents = encode_all(trained, renderings.images[:: max(1, len(renderings.images) // 2000)], device)
    trained.register_to_config(scaling_factor=round(1 / float(latents.std()), 4))
    return trained


def _some_warped(latents: Tensor, pictures: Tensor, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
    """The last `count` of both are warped alike; the rest as they were."""
    warps, rest = random_warps(rng, count), len(pictures) - count
    seen = torch.cat([latents[:rest], warped(latents[rest:], warps)])
    return seen, torch.cat([pictures[:rest], warped(pictures[rest:], warps)])


def autoencoder_loss(decoded: Tensor, pictures: Tensor) -> Tensor:
    """Squared error of the pixels and of the differences between neighbours (blurred edges cost extra), a little absolute."""
    error = decoded - pictures
    edges = error.diff(dim=-1).square().mean() + error.diff(dim=-2).square().mean()
    return error.square().mean() + _EDGES * edges + _ABSOLUTE * error.abs().mean()


def moment_loss(latents: Tensor) -> Tensor:
    """Keeps each latent channel at about zero mean and unit variance, as a diffusion model wants it."""
    mean, deviation = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    return mean.square().mean() + (deviation - 1).square().mean()


def load_autoencoder(folder: Path, device: torch.device) -> AutoencoderKL | AutoencoderTiny:
    """The autoencoder of a pipeline (its folder `vae`), of either kind that diffusers' img2img pipelines take."""
    name = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("_class_name")
    kind = AutoencoderTiny if name == "AutoencoderTiny" else AutoencoderKL
    with quiet_libraries():
        model: AutoencoderKL | AutoencoderTiny = kind.from_pretrained(folder, use_safetensors=True)
        return model.to(device, torch.float32).eval()


@torch.no_grad()
def encode_all(
    model: AutoencoderKL | AutoencoderTiny, images: Picture, device: torch.device, batch: int = 64
) -> Tensor:
    """(n, h, w, 3) pictures → (n, channels, h/f, w/f) latents on the CPU, not yet scaled."""
    encoded = []
    for first in range(0, len(images), batch):
        output = model.encode(to_tensor(images[first : first + batch], device))
        latents = output.latents if isinstance(model, AutoencoderTiny) else output.latent_dist.mode()
        encoded.append(latents.float().cpu())
    return torch.cat(encoded).contiguous()


@torch.no_grad()
def reconstruction_psnr(model: AutoencoderTiny, images: Picture, device: torch.device) -> float:
    """Peak signal to noise ratio in dB of (n, h, w, 3) pictures through the autoencoder."""
    errors = []
    for first in range(0, len(images), 64):
        pictures = to_tensor(images[first : first + 64], device)
        decoded = model.decode(model.encode(pictures).latents).sample.clamp(-1, 1)
        errors.append(((decoded - pictures) / 2).square().mean(dim=(1, 2, 3)).cpu())
    return float(-10 * math.log10(torch.cat(errors).mean()))


def to_tensor(images: Picture, device: torch.device) -> Tensor:
    """(n, h, w, 3) uint8 → (n, 3, h, w) in -1…1."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def _crops(renderings: Renderings, rng: np.random.Generator, count: int) -> Picture:
    """(count, 64, 64, 3) windows, most of them on the object: background is quickly learned."""
    picks = rng.integers(0, len(renderings.images), count)
    pixels = renderings.images.shape[1]
    x, y, size = renderings.layouts[picks, :3].T
    spread = rng.uniform(-0.5, 0.5, (2, count)) * size
    left, top = (
        np.clip((centre + shift) * pixels - _CROP / 2, 0, pixels - _CROP).astype(int)
        for centre, shift in zip((x, y), spread, strict=True)
    )
    windows = [renderings.images[k, t : t + _CROP, w : w + _CROP] for k, t, w in zip(picks, top, left, strict=True)]
    return np.stack(windows)
