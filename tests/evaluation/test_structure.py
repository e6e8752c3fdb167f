"""Position, size, orientation and overlap on renderings whose layout is known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from bci_live.evaluation.structure import (
    layout_told,
    mean_of_others,
    median_errors,
    overlaps,
    structure_error,
    structure_row,
    without_eeg,
)
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import Layout, layout_to_dict, random_layout, render
from bci_live.types import Marker, Picture

GROUND = Layout(size=0.5, background=((200, 205, 210), (160, 170, 180)))


def drawn(label: str, layout: Layout) -> Picture:
    return render(load_catalogue("objects").picture(label), layout, 64)


def test_an_exact_rendering_has_no_error() -> None:
    rng = np.random.default_rng(0)
    pictures = np.stack([drawn(label, random_layout(rng)) for label in load_catalogue("objects").labels])
    errors = median_errors(pictures, pictures)
    assert errors == {"position": 0, "size": 0, "turn": 0, "overlap": 1}


@pytest.mark.parametrize("label", ["guitar", "dog", "car", "mushroom"])
def test_a_shift_is_measured_as_that_shift(label: str) -> None:
    error = structure_error(drawn(label, replace(GROUND, x=0.6, y=0.42)), drawn(label, GROUND))
    assert error.position == pytest.approx(np.hypot(0.1, 0.08), abs=0.01)  # a pixel is 0.016
    assert error.size < 0.05
    assert error.overlap < 0.9


@pytest.mark.parametrize("label", ["guitar", "dog", "car"])
def test_a_size_is_measured_whatever_the_ground(label: str) -> None:
    dark = replace(GROUND, size=0.75, background=((40, 40, 45), (20, 20, 25)))
    error = structure_error(drawn(label, replace(GROUND, size=0.75)), drawn(label, GROUND))
    assert error.size == pytest.approx(0.5, abs=0.08)
    assert structure_error(drawn(label, dark), drawn(label, replace(GROUND, size=0.75))).size < 0.15


def test_a_turn_is_measured_of_what_is_longer_than_wide() -> None:
    error = structure_error(drawn("guitar", replace(GROUND, turn=20)), drawn("guitar", replace(GROUND, turn=-10)))
    assert error.turn == pytest.approx(30, abs=4)
    assert error.position < 0.05  # the guitar's mass is not where its picture turns


def test_a_picture_of_nothing_errs_as_much_as_it_can() -> None:
    nothing = np.full((64, 64, 3), 128, dtype=np.uint8)
    error = structure_error(nothing, drawn("dog", GROUND))
    assert (error.position, error.overlap) == (1.0, 0.0)


def test_every_object_overlaps_itself_wholly_and_nothing_overlaps_nothing() -> None:
    rng = np.random.default_rng(0)
    pictures = np.stack([drawn(label, random_layout(rng)) for label in ("dog", "guitar", "car")])
    found = overlaps(pictures, pictures)
    assert np.diag(found).tolist() == [1, 1, 1]
    assert found[0, 1] == pytest.approx(structure_error(pictures[0], pictures[1]).overlap)
    assert overlaps(np.full((1, 64, 64, 3), 128, dtype=np.uint8), pictures).tolist() == [[0, 0, 0]]


def test_a_row_has_the_oracles_errors_beside_its_own_with_intervals() -> None:
    rng = np.random.default_rng(1)
    stimuli = np.stack([drawn(label, random_layout(rng)) for label in load_catalogue("objects").labels[:8]])
    row = structure_row("picture", np.roll(stimuli, 1, axis=0), stimuli, stimuli, seed=0)
    assert (row.count, row.oracle["position"], row.oracle["overlap"]) == (8, 0, 1)
    low, high = row.interval["position"]
    assert 0 < low <= row.median["position"] <= high


def test_only_a_marker_with_a_layout_tells_one() -> None:
    told = json.dumps({"layout": layout_to_dict(GROUND)})
    assert layout_told(Marker("dog", 0.0, detail=told)) == GROUND
    for detail in ("", "{", "[1]", '{"layout": 3}', '{"layout": {"x": "<b>"}}', "[" * 100_000):
        assert layout_told(Marker("dog", 0.0, detail=detail)) is None


def test_the_picture_without_eeg_is_as_near_to_all_as_the_middle_is() -> None:
    rng = np.random.default_rng(1)
    layouts = [random_layout(rng) for _ in range(60)]
    stimuli = np.stack(
        [drawn(label, it) for label, it in zip(load_catalogue("objects").labels * 2, layouts, strict=False)]
    )
    guess = without_eeg(stimuli, len(stimuli))
    middle = np.median([np.hypot(it.x - 0.5, it.y - 0.5) for it in layouts])
    assert median_errors(guess, stimuli)["position"] == pytest.approx(middle, abs=0.04)
    assert median_errors(guess, stimuli)["overlap"] > median_errors(np.roll(stimuli, 1, axis=0), stimuli)["overlap"]


def test_stimuli_that_share_no_place_still_have_a_picture_without_eeg() -> None:
    corners = np.stack([drawn("car", replace(GROUND, size=0.3, x=x, y=y)) for x in (0.2, 0.8) for y in (0.2, 0.8)])
    found = median_errors(without_eeg(corners, len(corners)), corners)
    assert found["position"] == pytest.approx(
        0.4 * np.sqrt(2), abs=0.05
    )  # the three others are about the middle of the far side
    assert found["overlap"] == 0  # none of the others is where it is itself


def test_what_needs_no_eeg_does_not_know_the_stimulus_it_is_compared_with() -> None:
    left, right = (drawn("car", replace(GROUND, size=0.3, x=x)) for x in (0.2, 0.8))
    errors = median_errors(without_eeg(np.stack([left, right]), 2), np.stack([left, right]))
    assert errors["overlap"] == 0
    assert errors["position"] == pytest.approx(0.6, abs=0.02)
    # Of more stimuli than pictures all are counted.
    many = np.stack([left, right, right, right])
    assert median_errors(without_eeg(many, 1), many[1:2])["overlap"] > 0.95
    # However often it was shown, it is not known.
    assert median_errors(without_eeg(many, 4)[1:], many[1:])["overlap"] == 0
    np.testing.assert_array_equal(mean_of_others(np.stack([left, right]), 2), [right, left])
    np.testing.assert_array_equal(mean_of_others(many, 4), [right, left, left, left])
