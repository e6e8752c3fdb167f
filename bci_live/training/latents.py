"""The stimuli as the diffusion pipeline's autoencoder sees them."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from torch import Tensor
from torch.nn import functional

from bci_live.errors import DiffusionError
from bci_live.stimuli.rendering import resized
from bci_live.training.autoencoder import encode_all, load_autoencoder
from bci_live.types import Picture

# Side of the thumbnails that stand in where a pipeline has no autoencoder of the usual kind.
_THUMBNAIL = 8


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
    try:
        autoencoder = load_autoencoder(folder, device)
        pixels = _drawn_pixels(autoencoder, pipeline)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DiffusionError(
            f"The autoencoder in '{folder}' cannot be read ({error}). Get the pipeline folder anew."
        ) from error
    latents = encode_all(autoencoder, resized(pictures, pixels), device)
    return latents * autoencoder.config.scaling_factor, True


def _drawn_pixels(autoencoder: AutoencoderKL | AutoencoderTiny, pipeline: Path) -> int:
    """The width of the pictures that the pipeline draws."""
    side = json.loads((pipeline / "unet" / "config.json").read_text(encoding="utf-8"))["sample_size"]
    config = autoencoder.config
    levels = (
        config.encoder_block_out_channels if isinstance(autoencoder, AutoencoderTiny) else config.block_out_channels
    )
    return int(side) * int(2 ** (len(levels) - 1))
