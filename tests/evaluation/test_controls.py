"""The alarm for block designs, and controls that lie within chance where there is nothing, and outside where there is."""

from __future__ import annotations

import numpy as np
import pytest

from bci_live.evaluation.controls import Scale, another_of_the_run, another_trial, shuffled_labels, shuffled_within_runs
from bci_live.evaluation.time_of_trial import place_in_other_runs, previous_label, time_of_trial

RUNS = np.repeat(np.arange(4), 60)
ONSETS = np.tile(np.arange(60) * 1.1, 4) + 1000 * RUNS


def test_labels_in_blocks_are_told_from_the_time_of_the_trial_alone() -> None:
    rng = np.random.default_rng(0)
    labels = np.concatenate([np.repeat(rng.permutation(np.arange(6) % 2), 10) for _ in range(4)])
    found = time_of_trial(labels, ONSETS, RUNS, 2, seed=0)
    assert found.score > 0.8
    assert not found.within_chance


def test_one_label_a_run_is_a_block_design_too() -> None:
    assert not time_of_trial(RUNS % 2, ONSETS, RUNS, 2, seed=0).within_chance


def test_forty_labels_in_blocks_are_told_as_well() -> None:
    labels = np.concatenate([np.repeat(np.random.default_rng(run).permutation(40)[:12], 5) for run in range(4)])
    assert not time_of_trial(labels, ONSETS, RUNS, 40, seed=0).within_chance


def test_labels_at_random_raise_no_alarm() -> None:
    alarms = 0
    for seed in range(20):
        labels = np.random.default_rng(seed).integers(0, 2, len(RUNS))
        alarms += not time_of_trial(labels, ONSETS, RUNS, 2, seed).within_chance
    assert alarms <= 1  # one in two hundred is expected


@pytest.mark.parametrize("n_way", [2, 3])
def test_labels_in_turns_are_told_from_the_one_before_though_not_from_their_neighbours(n_way: int) -> None:
    labels = (np.arange(240) + np.repeat([0, 1, 1, 0], 60)) % n_way
    assert time_of_trial(labels, ONSETS, RUNS, n_way, seed=0).within_chance
    found = previous_label(labels, ONSETS, RUNS, n_way, seed=0)
    assert found.score > 0.95
    assert not found.within_chance


def test_labels_at_random_are_not_told_from_the_one_before() -> None:
    alarms = 0
    for seed in range(20):
        labels = np.random.default_rng(seed).integers(0, 2, len(RUNS))
        alarms += not previous_label(labels, ONSETS, RUNS, 2, seed).within_chance
    assert alarms <= 1


def test_an_order_that_every_run_repeats_is_told_from_the_other_runs() -> None:
    order = np.random.default_rng(3).integers(0, 2, 60)
    found = place_in_other_runs(np.tile(order, 4), ONSETS, RUNS, 2, seed=0)
    assert found is not None
    assert not found.within_chance
    assert place_in_other_runs(order, ONSETS[:60], RUNS[:60], 2, seed=0) is None


def test_labels_are_shuffled_within_their_run_and_no_trial_keeps_its_own_eeg() -> None:
    rng = np.random.default_rng(0)
    values = np.arange(240)
    shuffled = shuffled_within_runs(values, RUNS, rng)
    assert (RUNS[shuffled] == RUNS).all()
    assert sorted(shuffled) == list(range(240))
    others = another_of_the_run(RUNS, rng)
    assert (others != values).all()
    assert (RUNS[others] == RUNS).all()


@pytest.mark.parametrize("n_way", [2, 10])
def test_a_perfect_reading_falls_to_chance_with_other_labels_or_another_trial(n_way: int) -> None:
    labels = np.random.default_rng(0).integers(0, n_way, 240)
    scale, read = Scale(labels, RUNS, n_way), np.eye(n_way)[labels]
    assert not scale.of(read, "itself").within_chance
    assert shuffled_labels(read, scale, RUNS, seed=0).within_chance
    assert another_trial(read, scale, RUNS, seed=0).within_chance
