"""Big pipelines without their weights, from their public configurations: how fast a network is does not depend on what it knows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from bci_live.diffusion.pipeline import placed, quiet_libraries
from bci_live.errors import DiffusionError

# What both have of the latent diffusion UNet (Rombach et al. 2022); the rest are diffusers' defaults.
_UNET: Mapping[str, Any] = {
    "sample_size": 64,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
}
# unet/config.json of stabilityai/sd-turbo and of stable-diffusion-v1-5.
UNETS: Mapping[str, Mapping[str, Any]] = {
    "sd-turbo": {
        **_UNET,
        "cross_attention_dim": 1024,
        "attention_head_dim": (5, 10, 20, 20),
        "use_linear_projection": True,
    },
    "sd-1.5": {**_UNET, "cross_attention_dim": 768, "attention_head_dim": 8},
}
# vae/config.json of both: they share one autoencoder.
AUTOENCODER: Mapping[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
    "sample_size": 512,
    "scaling_factor": 0.18215,
}

# scheduler/scheduler_config.json of stabilityai/sd-turbo.
EULER_TRAILING: Mapping[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "timestep_spacing": "trailing",
}


def random_pipeline(name: str, device: torch.device, tiny_decoder: bool = True) -> Any:
    """A `StableDiffusionImg2ImgPipeline` of the named architecture with random weights; what it draws means nothing.

    Parameters
    ----------
    name : "sd-turbo" or "sd-1.5"
    device : where it runs; the precision is that of a pipeline with weights
    tiny_decoder : TAESD (as madebyollin/taesd has it) in place of Stable Diffusion's own autoencoder

    Raises
    ------
    DiffusionError
        If the architecture is not known.
    """
    if name not in UNETS:
        raise DiffusionError(f"There is no architecture '{name}' for random weights. There are: {', '.join(UNETS)}.")
    with quiet_libraries():
        from diffusers import EulerDiscreteScheduler, StableDiffusionImg2ImgPipeline

        unet, autoencoder = build_unet(name), build_autoencoder(tiny_decoder)
        pipeline = StableDiffusionImg2ImgPipeline(
            vae=_filled(autoencoder, device),
            text_encoder=None,
            tokenizer=None,
            unet=_filled(unet, device),
            scheduler=EulerDiscreteScheduler(**EULER_TRAILING),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    return placed(pipeline, device)


def build_unet(name: str) -> nn.Module:
    """The UNet of an architecture, on the meta device: shapes without memory."""
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet: nn.Module = UNet2DConditionModel(**UNETS[name])
    return unet


def build_autoencoder(tiny: bool) -> nn.Module:
    """TAESD, whose configuration is diffusers' default, or Stable Diffusion's autoencoder, on the meta device."""
    from diffusers import AutoencoderKL, AutoencoderTiny

    with torch.device("meta"):
        autoencoder: nn.Module = AutoencoderTiny() if tiny else AutoencoderKL(**AUTOENCODER)
    return autoencoder


@torch.no_grad()
def _filled(model: nn.Module, device: torch.device) -> nn.Module:
    """Memory with random weights that keep what flows through of order one: speed suffers from infinities and denormals."""
    model = model.to_empty(device=device)
    generator = torch.Generator(device).manual_seed(0)
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            weight.normal_(0, 1 / math.sqrt(weight[0].numel()), generator=generator)
        else:
            weight.fill_(float(name.endswith("weight")))  # a norm's scale is one, a bias zero
    return model.eval()
