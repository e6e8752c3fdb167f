"""The stimuli as the diffusion pipeline's autoencoder sees them."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from torch import Tensor
from torch.nn import functional

from bci_live.diffusion.hub import TINY_DECODER, cached
from bci_live.diffusion.pipeline import quiet_libraries, variant_of
from bci_live.diffusion.spaces import STABLE_DIFFUSION, latent_side, latent_space
from bci_live.errors import DiffusionError
from bci_live.training.autoencoder import encode_all, load_autoencoder
from bci_live.types import Picture

# Side of the thumbnails that stand in where a pipeline has no autoencoder of the usual kind.
_THUMBNAIL = 8
# Stable Diffusion's pixels a latent, each way; of its large pictures few fit into memory at once.
_BIG_FACTOR, _BIG_BATCH = 8, 4


def structure_of(pictures: Picture, pipeline: Path, device: torch.device) -> tuple[Tensor, bool]:
    """What the structure head learns: (n, channels, h, w) latents, scaled as the pipeline wants them, and True.

    A pipeline without an autoencoder gives (n, 3, 8, 8) thumbnails in -1…1, and False.

    Raises
    ------
    DiffusionError
        If the autoencoder is there but cannot be read.
    """
    folder = pipeline / "vae"
    if not folder.is_dir():
        flat = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
        return functional.adaptive_avg_pool2d(flat, _THUMBNAIL), False
    is_big = latent_space(pipeline) == STABLE_DIFFUSION
    try:
        autoencoder = _big_autoencoder(pipeline, device) if is_big else load_autoencoder(folder, device)
    except (OSError, ValueError) as error:
        raise DiffusionError(
            f"The autoencoder in '{folder}' cannot be read ({error}). Get the pipeline folder anew."
        ) from error
    if is_big:
        pixels = _BIG_FACTOR * latent_side(pipeline)
        batches = (pictures[first : first + _BIG_BATCH] for first in range(0, len(pictures), _BIG_BATCH))
        latents = torch.cat([encode_all(autoencoder, _enlarged(batch, pixels), device) for batch in batches])
    else:
        latents = encode_all(autoencoder, pictures, device)
    return latents * autoencoder.config.scaling_factor, True


def _big_autoencoder(pipeline: Path, device: torch.device) -> AutoencoderKL | AutoencoderTiny:
    """The tiny one, if it is there: its latents are the same, and it is many times as fast."""
    tiny = cached(TINY_DECODER, "config.json")
    if tiny:
        return load_autoencoder(tiny, device)
    variant = variant_of(pipeline, "vae")
    with quiet_libraries():
        own: AutoencoderKL = AutoencoderKL.from_pretrained(pipeline / "vae", use_safetensors=True, variant=variant)
        return own.to(device, torch.float32).eval()


def _enlarged(pictures: Picture, pixels: int) -> Picture:
    values = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    larger = functional.interpolate(values, (pixels, pixels), mode="bilinear")
    return larger.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
