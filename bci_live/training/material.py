"""What the diffusion training learns from: renderings of the catalogue and of other pictures, their captions, their latents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from safetensors.torch import load_file, save_file

from bci_live.stimuli.captions import CaptionBank, load_bank
from bci_live.stimuli.catalogue import Catalogue, load_catalogue, read_others
from bci_live.training.autoencoder import encode_all
from bci_live.training.captions import make_bank
from bci_live.training.denoising import LatentSet
from bci_live.training.renderings import Renderings, cached_renderings, draw_renderings, middle_layout
from bci_live.training.resume import key_of
from bci_live.types import FloatArray

# The others are there so that a caption outside the catalogue means something; the catalogue is what has to be drawn well.
_OTHERS_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Material:
    """`bank`: the catalogue's captions. `embeddings`: (labels, tokens, width), the catalogue's and then the others'.

    `free`: renderings of every layout. `middle`: each picture once, upright in the middle of grey. Their labels count
    through `embeddings`.
    """

    bank: CaptionBank
    embeddings: FloatArray
    free: Renderings
    middle: Renderings


def gather_material(count: int, pixels: int, seed: int, work: Path, others: Path | None) -> Material:
    """`count` free renderings of the catalogue, and a fifth as many of others, from a folder with `names.csv`.

    Kept in the folder `work` for the next run.

    Raises
    ------
    LabelError
        If the folder of the others cannot be read.
    """
    more = None if others is None else read_others(others)  # before what takes long
    catalogue = load_catalogue()
    bank = _kept_bank(catalogue, work / "caption_bank.safetensors")
    free = cached_renderings(catalogue, count, pixels, seed, work)
    middle = draw_renderings(catalogue, len(catalogue.labels), pixels, seed, middle_layout)
    if more is None:
        return Material(bank, bank.embeddings, free, middle)
    more_bank = _kept_bank(more, work / "others_bank.safetensors")
    return Material(
        bank,
        np.concatenate((bank.embeddings, more_bank.embeddings)),
        _joined(free, cached_renderings(more, round(_OTHERS_SHARE * count), pixels, seed, work), len(bank.labels)),
        _joined(middle, draw_renderings(more, len(more.labels), pixels, seed, middle_layout), len(bank.labels)),
    )


def latent_set(material: Material, autoencoder: AutoencoderTiny, work: Path, device: torch.device) -> LatentSet:
    """The renderings as the autoencoder sees them; kept in `work`, until it is another one or sees others."""
    free, middle = material.free, material.middle
    seen = f"{len(free.images)} + {len(middle.images)} renderings"
    file = work / f"latents-{key_of(seen, *autoencoder.state_dict().values())[:12]}.safetensors"
    if not file.exists():
        images = (free.images, middle.images)
        scale = autoencoder.config.scaling_factor
        save_file({"latents": torch.cat([encode_all(autoencoder, it, device) for it in images]) * scale}, file)
    return LatentSet(
        load_file(file)["latents"],
        torch.from_numpy(np.concatenate((free.labels, middle.labels)).astype(np.int64)),
        torch.from_numpy(np.ascontiguousarray(material.embeddings)),
        len(material.bank.labels),
    )


def _kept_bank(catalogue: Catalogue, file: Path) -> CaptionBank:
    if not file.exists():
        make_bank(catalogue, load_catalogue("objects")).save(file)
    return load_bank(file)


def _joined(first: Renderings, second: Renderings, offset: int) -> Renderings:
    return Renderings(
        np.concatenate((first.images, second.images)),
        np.concatenate((first.labels, second.labels + offset)),
        np.concatenate((first.layouts, second.layouts)),
    )
