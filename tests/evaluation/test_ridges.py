"""The share of variance that a ridge explains, on readings whose share is known."""

from __future__ import annotations

import numpy as np
import pytest

from bci_live.evaluation.ridges import contrast_pictures, share_explained
from bci_live.evaluation.structure import median_errors
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import random_layout, render
from bci_live.training.placement import contrast_map
from bci_live.types import Picture


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.random.default_rng(0).normal(3, 1, (200, 4, 5))


@pytest.fixture(scope="module")
def shown() -> Picture:
    rng, catalogue = np.random.default_rng(1), load_catalogue("objects")
    return np.stack([render(catalogue.picture(label), random_layout(rng), 64) for label in catalogue.labels])


def test_a_perfect_reading_explains_all_and_the_mean_nothing(truth: np.ndarray) -> None:
    assert share_explained(truth, truth, 0).score == pytest.approx(1)
    nothing = share_explained(np.broadcast_to(truth.mean(axis=0), truth.shape), truth, 0)
    assert nothing.score == pytest.approx(0, abs=1e-9)


def test_half_of_the_way_from_the_mean_explains_three_quarters(truth: np.ndarray) -> None:
    mean = truth.mean(axis=0)
    assert share_explained(mean + (truth - mean) / 2, truth, 0).score == pytest.approx(0.75)


def test_other_trials_explain_less_than_nothing_and_that_is_within_chance(truth: np.ndarray) -> None:
    found = share_explained(np.roll(truth, 1, axis=0), truth, 0)
    assert found.score < -0.5
    assert found.chance_interval[0] <= found.score <= found.chance_interval[1]


def test_what_little_is_read_is_told_from_chance(truth: np.ndarray) -> None:
    noise = np.random.default_rng(2).normal(0, 1, truth.shape)
    mean = truth.mean(axis=0)
    found = share_explained(mean + 0.05 * (truth - mean) + 0.05 * noise, truth, 0)
    assert 0.05 < found.score < 0.15
    assert found.interval[0] > found.chance_interval[1]


def test_the_contrast_that_was_read_tells_where_the_object_is(shown: Picture) -> None:
    maps = contrast_map(shown, 8).numpy().astype(np.float64)
    perfect = ((maps - maps.mean(axis=0)) / np.sqrt(((maps - maps.mean(axis=0)) ** 2).mean())).astype(np.float32)
    right = median_errors(contrast_pictures(perfect, shown), shown)
    none = median_errors(contrast_pictures(np.zeros_like(perfect), shown), shown)
    assert right["position"] < 0.05 < none["position"]
    assert right["overlap"] > none["overlap"] + 0.1
