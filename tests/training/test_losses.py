"""Each loss against a value worked by hand."""

from __future__ import annotations

import pytest
import torch

from bci_live.training.losses import (
    hinge_discriminator,
    hinge_generator,
    mode_seeking,
    semi_hard_triplet,
    structural_similarity,
)


def test_the_triplet_takes_the_nearest_negative_farther_than_the_positive() -> None:
    # From 0: positive at 1 (1²), negatives at 0.5 (nearer, so too hard) and 1.2 (semi-hard, 1.44): 1 + 1 - 1.44.
    # From 1: positive at 0 (1²), negatives at squared distances 0.25 and 0.04, none farther: the farthest, 1 + 1 - 0.25.
    features = torch.tensor([[0.0], [1.0], [0.5], [1.2]])
    loss = semi_hard_triplet(features, torch.tensor([0, 0, 1, 2]))
    assert loss.item() == pytest.approx(((1 + 1 - 1.44) + (1 + 1 - 0.25)) / 2, abs=1e-5)


def test_labels_that_are_far_apart_cost_nothing() -> None:
    features = torch.tensor([[0.0], [0.1], [9.0], [9.1]])
    assert semi_hard_triplet(features, torch.tensor([0, 0, 1, 1])).item() == 0


def test_the_hinge_is_zero_beyond_the_margin() -> None:
    assert hinge_discriminator(torch.tensor([2.0, 1.0]), torch.tensor([-3.0])).item() == 0
    assert hinge_discriminator(torch.tensor([0.5]), torch.tensor([0.25])).item() == pytest.approx(0.5 + 1.25)
    assert hinge_generator(torch.tensor([0.5, 1.5])).item() == -1


def test_mode_seeking_rewards_pictures_that_differ_with_their_noise() -> None:
    ones, zeros = torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    noise = torch.zeros(1, 4)
    assert mode_seeking(ones, zeros, noise + 2, noise).item() == pytest.approx(-0.5)
    assert mode_seeking(ones, ones, noise + 2, noise).item() == 0


def test_similarity_is_one_for_the_same_picture_and_falls_with_noise() -> None:
    picture = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert structural_similarity(picture, picture).item() == pytest.approx(1, abs=1e-5)
    other = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert structural_similarity(picture, other).item() < 0.3
