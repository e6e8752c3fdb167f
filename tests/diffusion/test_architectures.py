"""The big architectures are the public ones, to the last parameter, and draw where they have memory."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bci_live.diffusion import architectures
from bci_live.diffusion.architectures import build_autoencoder, build_unet, random_pipeline
from bci_live.errors import DiffusionError


def _parameters(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize(("name", "parameters"), [("sd-turbo", 865_910_724), ("sd-1.5", 859_520_964)])
def test_unets_have_the_published_size(name: str, parameters: int) -> None:
    unet = build_unet(name)
    assert _parameters(unet) == parameters
    assert all(weight.is_meta for weight in unet.parameters())


def test_autoencoders_have_the_published_size() -> None:
    assert _parameters(build_autoencoder(tiny=True)) == 2_445_063
    assert _parameters(build_autoencoder(tiny=False)) == 83_653_863


def test_a_random_pipeline_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    # The same layout, thinner and shallower: the true one needs gigabytes.
    thin = {"block_out_channels": (32, 32, 64, 64), "layers_per_block": 1, "sample_size": 8}
    monkeypatch.setattr(architectures, "UNETS", {"sd-turbo": {**architectures.UNETS["sd-turbo"], **thin}})
    pipeline = random_pipeline("sd-turbo", torch.device("cpu"))
    image = pipeline(
        prompt_embeds=torch.randn(1, 77, 1024), image=torch.full((1, 3, 64, 64), 0.5), strength=0.5,
        num_inference_steps=2, guidance_scale=0.0, output_type="np",
    ).images[0]  # fmt: skip
    assert image.shape == (64, 64, 3)
    assert 0.01 < image.std() < 0.6  # neither flat nor saturated


def test_an_unknown_architecture_is_a_clear_error() -> None:
    with pytest.raises(DiffusionError, match=r"no architecture 'sd-9'.*sd-turbo, sd-1\.5"):
        random_pipeline("sd-9", torch.device("cpu"))
