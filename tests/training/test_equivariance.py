"""Latents turn and grow with their pictures."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional

from bci_live.stimuli.catalogue import load_catalogue
from bci_live.training import autoencoder
from bci_live.training.equivariance import random_warps, warped
from bci_live.training.renderings import draw_renderings

CPU = torch.device("cpu")


def _blob(x: float, y: float, pixels: int) -> torch.Tensor:
    places = (torch.arange(pixels) + 0.5) / pixels
    return torch.exp(-25 * ((places[None] - x) ** 2 + (places[:, None] - y) ** 2))[None, None]


def test_a_quarter_turn_takes_what_is_right_to_the_top_or_the_bottom() -> None:
    turned = warped(_blob(0.8, 0.5, 32), torch.tensor([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]]))
    # grid_sample reads: what lies at the top of the result was at the right.
    torch.testing.assert_close(turned, _blob(0.5, 0.2, 32), atol=1e-4, rtol=0)


def test_pictures_and_coarse_maps_of_them_are_warped_alike() -> None:
    picture = torch.cat([_blob(0.4, 0.6, 128), _blob(0.55, 0.45, 128)])
    warps = random_warps(np.random.default_rng(3), 2)
    of_picture = functional.avg_pool2d(warped(picture, warps), 8)
    of_map = warped(functional.avg_pool2d(picture, 8), warps)
    assert (of_picture - of_map).abs().max() < 0.08
    assert (of_picture - functional.avg_pool2d(picture, 8)).abs().max() > 0.2


def test_warps_turn_every_way_and_zoom_within_their_bounds() -> None:
    warps = random_warps(np.random.default_rng(0), 500)
    zooms = 1 / torch.linalg.det(warps[:, :, :2]).sqrt()
    turns = torch.atan2(warps[:, 1, 0], warps[:, 0, 0])
    assert 0.55 <= zooms.min() < 0.6 < 1.5 < zooms.max() <= 1.6
    assert turns.abs().median() < math.radians(45) < math.radians(170) < turns.abs().max()


def test_the_decoder_goes_on_alone_at_the_end(tmp_path: Path) -> None:
    pictures = draw_renderings(load_catalogue(), 8, 128, 0)
    trained = autoencoder.train_autoencoder(pictures, math.inf, tmp_path, CPU, batch=4, max_steps=2)
    (before,) = (tmp_path / "autoencoder").glob("*.safetensors")
    kept = {name.removeprefix("average."): it for name, it in load_file(before).items()}
    encoder = {name: it for name, it in trained.state_dict().items() if name.startswith("encoder.")}
    decoder = {name: it for name, it in trained.state_dict().items() if name.startswith("decoder.") and it.ndim > 1}
    assert encoder
    assert all(torch.equal(it, kept[name]) for name, it in encoder.items())
    assert decoder
    assert not all(torch.equal(it, kept[name]) for name, it in decoder.items())


def test_an_autoencoder_goes_on_from_another(tmp_path: Path) -> None:
    pictures = draw_renderings(load_catalogue(), 8, 128, 0)
    torch.manual_seed(5)
    begun, fresh = autoencoder.build_autoencoder(), autoencoder.build_autoencoder()
    trained = autoencoder.train_autoencoder(pictures, math.inf, tmp_path, CPU, batch=4, max_steps=1, begin=begun)
    for name, weight in trained.encoder.state_dict().items():
        if name.endswith("weight"):
            before, other = begun.encoder.state_dict()[name], fresh.encoder.state_dict()[name]
            assert (weight - before).norm() < 0.1 * (weight - other).norm()
