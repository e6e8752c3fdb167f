"""Each loss against a value worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from bci_live.training.losses import (
    hinge_discriminator,
    hinge_generator,
    info_nce,
    mode_seeking,
    structural_similarity,
    triplet,
)


def test_the_triplet_takes_the_nearest_negative_farther_than_the_positive() -> None:
    # From 0: positive at 1 (1²), negatives at 0.5 (nearer, so too hard) and 1.2 (semi-hard, 1.44): 1 + 1 - 1.44.
    # From 1: positive at 0 (1²), negatives at squared distances 0.25 and 0.04, none farther: the farthest, 1 + 1 - 0.25.
    features = torch.tensor([[0.0], [1.0], [0.5], [1.2]])
    loss = triplet(features, torch.tensor([0, 0, 1, 2]))
    assert loss.item() == pytest.approx(((1 + 1 - 1.44) + (1 + 1 - 0.25)) / 2, abs=1e-5)


def test_hard_mining_takes_the_nearest_negative_and_all_takes_every_one() -> None:
    # From 0 the negatives are at squared distances 0.25 and 1.44, from 1 at 0.25 and 0.04; the positive is at 1.
    features, labels = torch.tensor([[0.0], [1.0], [0.5], [1.2]]), torch.tensor([0, 0, 1, 2])
    hard = ((2 - 0.25) + (2 - 0.04)) / 2
    assert triplet(features, labels, mining="hard").item() == pytest.approx(hard, abs=1e-5)
    every = ((2 - 0.25) + (2 - 1.44) + (2 - 0.25) + (2 - 0.04)) / 4
    assert triplet(features, labels, mining="all").item() == pytest.approx(every, abs=1e-5)


def test_infonce_asks_each_trial_for_its_target_and_each_target_for_its_trial() -> None:
    # Cosines 1 and 0 at scale 1: log(e / (e + 1)) in both directions, whatever the lengths.
    found = info_nce(torch.tensor([[3.0, 0.0], [0.0, 1.0]]), torch.eye(2), torch.tensor([0, 1]), 1.0)
    assert found.item() == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-5)


def test_to_infonce_another_trial_of_the_same_label_is_no_negative() -> None:
    # Of three trials two show the same: each of the two is right with half a share, so the least is log 2 for them.
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    found = info_nce(targets, targets, torch.tensor([0, 0, 1]), 50.0)
    assert found.item() == pytest.approx(2 / 3 * math.log(2), abs=1e-5)


def test_labels_that_are_far_apart_cost_nothing() -> None:
    features = torch.tensor([[0.0], [0.1], [9.0], [9.1]])
    assert triplet(features, torch.tensor([0, 0, 1, 1])).item() == 0


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
