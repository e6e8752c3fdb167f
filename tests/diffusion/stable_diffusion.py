"""A Stable Diffusion as small as its layout allows, with random weights: real UNet, KL autoencoder, CLIP and tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from bci_live.diffusion.architectures import EULER_TRAILING
from bci_live.diffusion.pipeline import quiet_libraries

WIDTH, LAYERS, SIDE = 32, 2, 8
SPACE = f"clip-{LAYERS}x{WIDTH}/77x{WIDTH}"


def save_stable_diffusion(folder: Path, *, half: bool = False, **unet: Any) -> Path:
    """Write one; `half`: as hubs have it, in half precision beside that name. `unet`: settings besides."""
    torch.manual_seed(0)
    settings = {
        "sample_size": SIDE, "in_channels": 4, "out_channels": 4, "cross_attention_dim": WIDTH, "layers_per_block": 1,
        "block_out_channels": (32, 64), "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"), "attention_head_dim": 8,
    }  # fmt: skip
    text = CLIPTextConfig(
        vocab_size=514, hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=LAYERS, num_attention_heads=4,
        bos_token_id=512, eos_token_id=513, pad_token_id=513,
    )  # fmt: skip
    autoencoder = AutoencoderKL(
        block_out_channels=(32,) * 4, down_block_types=("DownEncoderBlock2D",) * 4, layers_per_block=1,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, scaling_factor=0.18215, sample_size=8 * SIDE,
    )  # fmt: skip
    with quiet_libraries():
        pipeline = StableDiffusionPipeline(
            vae=autoencoder,
            text_encoder=CLIPTextModel(text),
            tokenizer=_tokenizer(folder.parent),
            unet=UNet2DConditionModel(**(settings | unet)),
            scheduler=EulerDiscreteScheduler(**EULER_TRAILING),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        if half:
            pipeline.to(dtype=torch.float16)
        pipeline.save_pretrained(folder, safe_serialization=True, variant="fp16" if half else None)
    return folder


def _tokenizer(work: Path) -> CLIPTokenizer:
    """Knows single letters, inside of words and at their ends."""
    letters = [chr(code) for code in range(256, 512)]
    printable = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256))]
    alphabet = [*printable, *letters[: 256 - len(printable)]]
    names = [*alphabet, *(f"{letter}</w>" for letter in alphabet), "<|startoftext|>", "<|endoftext|>"]
    work.mkdir(parents=True, exist_ok=True)
    (work / "vocab.json").write_text(json.dumps({name: number for number, name in enumerate(names)}))
    (work / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(work / "vocab.json"), str(work / "merges.txt"), model_max_length=77)
