"""Which text space and which latent space a pipeline reads, told by its folder without loading it.

A decoder speaks to every pipeline that reads the spaces it was fitted to, whatever that pipeline is called.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bci_live.diffusion.pipeline import is_stable_diffusion, remedy
from bci_live.errors import DiffusionError
from bci_live.stimuli.captions import BANK_FILE, load_bank, space_of

STABLE_DIFFUSION = "stable-diffusion"
# The text towers of CLIP, by their width and the layers that are read: Stable Diffusion 2 leaves the last of ViT-H out.
_TOWERS = {(768, 12): "clip-vit-l-14", (1024, 23): "openclip-vit-h-14"}


def text_space(folder: Path) -> str:
    """The text space of a pipeline: that of its caption bank, or of its own text encoder.

    Encoders that were tuned further count as the one that they come from.

    Raises
    ------
    DiffusionError
        If the folder tells neither.
    """
    if (folder / BANK_FILE).is_file():
        return load_bank(folder).space
    config = _read(folder, "text_encoder")
    try:
        size = int(config["hidden_size"]), int(config["num_hidden_layers"])
        return space_of(_TOWERS.get(size, f"clip-{size[1]}x{size[0]}"), int(config["max_position_embeddings"]), size[0])
    except (KeyError, TypeError, ValueError) as error:
        raise DiffusionError(f"{folder / 'text_encoder'} does not tell its size ({error}). {remedy(folder)}") from error


def latent_space(folder: Path) -> str:
    """The latent space of a pipeline: Stable Diffusion's, which many share, or that of its very own autoencoder.

    Raises
    ------
    DiffusionError
        If the folder has none.
    """
    if is_stable_diffusion(_read(folder, "vae")):
        return STABLE_DIFFUSION
    digest = hashlib.sha256()
    for file in sorted((folder / "vae").glob("*.safetensors")):
        digest.update(file.read_bytes())
    return f"autoencoder {digest.hexdigest()[:12]}"


def latent_side(folder: Path) -> int:
    """Width and height of the latents that a pipeline draws.

    Raises
    ------
    DiffusionError
        If the folder does not tell it.
    """
    try:
        return int(_read(folder, "unet")["sample_size"])
    except (KeyError, TypeError, ValueError) as error:
        raise DiffusionError(f"{folder / 'unet'} does not tell its size ({error}). {remedy(folder)}") from error


def _read(folder: Path, part: str) -> Mapping[str, Any]:
    try:
        config = json.loads((folder / part / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DiffusionError(f"The {part} of {folder} cannot be read ({error}). {remedy(folder)}") from error
    if not isinstance(config, dict):
        raise DiffusionError(f"{folder / part / 'config.json'} holds no settings. {remedy(folder)}")
    return config
