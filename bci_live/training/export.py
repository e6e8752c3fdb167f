"""Writes a trained pipeline as a diffusers folder: safetensors, caption bank, model card."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, DDIMScheduler, StableDiffusionImg2ImgPipeline
from torch import nn

from bci_live.decoding.storage import replace_folder
from bci_live.diffusion.pipeline import quiet_libraries
from bci_live.errors import DiffusionError
from bci_live.stimuli.captions import BANK_FILE, CaptionBank

SCORES_FILE = "training.json"


def check_pipeline_out(out: Path) -> None:
    """Whether a pipeline may be written to `out`: only over nothing, or over a pipeline.

    Raises
    ------
    DiffusionError
        If something is there that would be lost.
    """
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / "model_index.json").is_file())):
        raise DiffusionError(
            f"'{out}' holds something that is no diffusion pipeline, and is left alone. Choose another --out."
        )


def export_pipeline(
    out: Path,
    autoencoder: AutoencoderTiny,
    unet: nn.Module,
    scheduler: DDIMScheduler,
    bank: CaptionBank,
    facts: Mapping[str, object],
) -> None:
    """Write the folder beside `out` and put it in its place, so that a reader never meets half of it.

    The weights are stored in half precision (half the size, no visible difference) and read back as single.
    A model card that lies in `out` already is kept.

    Raises
    ------
    DiffusionError
        If `out` holds something else.
    """
    check_pipeline_out(out)
    pipeline = StableDiffusionImg2ImgPipeline(
        vae=_stored(autoencoder, torch.float32),
        text_encoder=None,
        tokenizer=None,
        unet=_stored(unet, torch.float16),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    with quiet_libraries():
        pipeline.save_pretrained(fresh, safe_serialization=True)
    _forget(fresh / "vae" / "config.json")
    bank.save(fresh / BANK_FILE)
    (fresh / SCORES_FILE).write_text(json.dumps(dict(facts), indent=2) + "\n")
    for file in fresh.rglob("*.safetensors"):
        file.chmod(0o644)  # the library writes them for the owner's eyes alone
    if (out / "README.md").exists():
        shutil.copy(out / "README.md", fresh / "README.md")
    replace_folder(out, fresh)


def _stored(model: nn.Module, kind: torch.dtype) -> nn.Module:
    stored = copy.deepcopy(model).to("cpu", kind)
    for weight in stored.parameters():
        weight.data = weight.data.contiguous()
    return stored


def _forget(config: Path) -> None:
    # A derived value that AutoencoderTiny writes and then warns about when it reads it back, and the trainer's own folder.
    values = json.loads(config.read_text())
    kept = {name: value for name, value in values.items() if name not in ("block_out_channels", "_name_or_path")}
    config.write_text(json.dumps(kept, indent=2) + "\n")
