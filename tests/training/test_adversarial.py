"""The saliency generator's training, and the contrast that its maps get back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from bci_live.decoding.card import NetworkSizes
from bci_live.decoding.saliency import SaliencyGenerator, _Block, background
from bci_live.training.adversarial import SaliencyTraining, contrast_gain, differentiable_augment, train_saliency
from bci_live.training.processes import Processes
from bci_live.training.resume import Resume

ALONE = Processes(torch.device("cpu"))
SIZES = NetworkSizes(structure_axes=2, generator_width=16, noise=4)


def test_maps_that_are_half_as_contrasty_as_the_stimuli_are_doubled() -> None:
    torch.manual_seed(0)
    generator, conditions, contrasts = SaliencyGenerator(2, SIZES), torch.randn(8, 4), torch.randn(8, 1, 8, 8)
    with torch.inference_mode():
        drawn = generator(generator.fixed_noise.expand(8, -1), conditions, contrasts)
        plain = generator.live(conditions, contrasts)
    stimuli = background(drawn) + 2 * (drawn - background(drawn))
    generator.gain.copy_(contrast_gain(generator, conditions, contrasts, stimuli))
    assert generator.gain.item() == pytest.approx(2, rel=1e-3)
    with torch.inference_mode():
        ours = generator.live(conditions, contrasts)
    assert (ours - background(ours)).std() > 1.5 * (plain - background(plain)).std()


def test_the_trained_generator_puts_its_object_where_the_contrast_map_has_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = np.full((64, 64, 64, 3), 60, dtype=np.uint8)
    contrasts, right = torch.zeros(64, 1, 8, 8), np.arange(64) % 2 == 1
    for index, (x, y) in enumerate(zip(np.where(right, 40, 8), rng.integers(8, 40, 64), strict=True)):
        pictures[index, y : y + 16, x : x + 16] = (230, 120, 60)
        contrasts[index, 0, y // 8 : y // 8 + 2, x // 8 : x // 8 + 2] = 4.0
    generator = SaliencyGenerator(2, SIZES)
    train_saliency(
        generator, torch.zeros(64, 4), contrasts, pictures, np.arange(64), SaliencyTraining(steps=120, batch=8), 0,
        ALONE, Resume(tmp_path / "kept", "key", ALONE), lambda *_: None,
    )  # fmt: skip
    with torch.inference_mode():
        red = generator.live(torch.zeros(64, 4), contrasts)[:, 0]
    halves = red[:, :, 32:].mean(dim=(1, 2)) - red[:, :, :32].mean(dim=(1, 2))
    assert ((halves > 0).numpy() == right).mean() > 0.95


def test_a_block_doubles_its_pixels_and_then_convolves() -> None:
    torch.manual_seed(0)
    block, x, contrast = _Block(5, 3), torch.randn(2, 5, 6, 6), torch.randn(2, 1, 8, 8)
    doubled = functional.interpolate(x, scale_factor=2.0)
    place = functional.interpolate(contrast, (12, 12), mode="bilinear", align_corners=False)
    expected = functional.leaky_relu(block.norm(block.draw(doubled) + block.place(place)), 0.2)
    torch.testing.assert_close(block(x, contrast), expected)


def test_augmentation_changes_pictures_but_not_their_shape_and_lets_gradients_through() -> None:
    pictures = torch.zeros(2, 3, 32, 32, requires_grad=True)
    changed = differentiable_augment(pictures)
    assert changed.shape == pictures.shape
    assert not torch.equal(changed[0], changed[1])
    changed.sum().backward()  # type: ignore[no-untyped-call]
    assert pictures.grad is not None
    assert pictures.grad.abs().sum() > 0
