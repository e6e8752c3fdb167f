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
from bci_live.stimuli.rendering import resized
from bci_live.training.autoencoder import encode_all, load_autoencoder
from bci_live.types import Picture

# Side of the thumbnails that stand in where a pipeline has no autoencoder of the usual kind.
_THUMBNAIL = 8
# Of large pictures few fit into memory at once.
_BATCH = 4


def structure_of(pictures: Picture, pipeline: Path, device: torch.device) -> tuple[Tensor, bool]:
    """What the structure head learns: (n, channels, h, w) latents, of the size and scale that the pipeline draws from, and True.

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
        pixels = _factor(autoencoder) * latent_side(pipeline)
    except (OSError, ValueError) as error:
        raise DiffusionError(
            f"The autoencoder in '{folder}' cannot be read ({error}). Get the pipeline folder anew."
        ) from error
    batches = (pictures[first : first + _BATCH] for first in range(0, len(pictures), _BATCH))
    latents = torch.cat([encode_all(autoencoder, resized(batch, pixels), device) for batch in batches])
    return latents * autoencoder.config.scaling_factor, True


def _factor(autoencoder: AutoencoderKL | AutoencoderTiny) -> int:
    """How many pixels wide a latent is."""
    config = autoencoder.config
    levels = (
        config.encoder_block_out_channels if isinstance(autoencoder, AutoencoderTiny) else config.block_out_channels
    )
    return int(2 ** (len(levels) - 1))


def _big_autoencoder(pipeline: Path, device: torch.device) -> AutoencoderKL | AutoencoderTiny:
    """The tiny one, if it is there: its latents are the same, and it is many times as fast."""
    tiny = cached(TINY_DECODER, "config.json")
    if tiny:
        return load_autoencoder(tiny, device)
    variant = variant_of(pipeline, "vae")
    with quiet_libraries():
        own: AutoencoderKL = AutoencoderKL.from_pretrained(pipeline / "vae", use_safetensors=True, variant=variant)
        return own.to(device, torch.float32).eval()
