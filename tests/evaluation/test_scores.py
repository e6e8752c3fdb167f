"""Scores against what is known of them, and intervals against how often they hold."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bci_live.evaluation.likeness import correlations, own_similarity, similarities, two_way, within_category
from bci_live.evaluation.scores import (
    auc,
    auc_over_folds,
    bootstrap,
    chance_of_auc,
    chance_of_hits,
    chance_of_order,
    confusion,
    hits,
    label_chance,
    label_score,
    n_way_hits,
    score_labels,
)


def test_the_area_is_that_of_scikit_learn_ties_included() -> None:
    rng = np.random.default_rng(0)
    evidence, positive = rng.integers(0, 6, 200).astype(float), rng.random(200) < 0.4
    assert auc(evidence, positive) == pytest.approx(roc_auc_score(positive, evidence), abs=1e-12)


def test_of_one_kind_alone_there_is_no_area() -> None:
    assert np.isnan(auc(np.arange(4.0), np.ones(4, dtype=bool)))


def test_decoders_of_different_folds_are_not_compared() -> None:
    # Each fold is read without an error; the second has larger numbers throughout.
    evidence, folds = np.array([0.0, 1.0, 10.0, 11.0]), np.array([0, 0, 1, 1])
    assert auc_over_folds(evidence, np.array([False, True, False, True]), folds) == 1.0


def test_who_cannot_tell_labels_apart_gets_what_guessing_gets() -> None:
    assert hits(np.ones((8, 4)), np.zeros(8, dtype=int), 1).tolist() == [0.25] * 8
    assert hits(np.ones((8, 4)), np.zeros(8, dtype=int), 2).tolist() == [0.5] * 8
    assert label_score(np.ones((8, 2)), np.arange(8) % 2, np.zeros(8, dtype=int)) == 0.5


def test_the_bootstrap_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng, inside = np.random.default_rng(0), 0
    for seed in range(200):
        right = (rng.random(80) < 0.7).astype(float)
        low, high = bootstrap(lambda chosen, right=right: right[chosen].mean(), 80, seed, draws=300)
        inside += low <= 0.7 <= high
    # 95 % of 200 is 190; the percentile interval is known to be a little short at 80 trials.
    assert 178 <= inside <= 199


def test_the_chance_interval_of_the_area_holds_for_scores_without_information() -> None:
    rng = np.random.default_rng(1)
    positive, folds = np.arange(120) % 3 == 0, np.arange(120) // 60
    low, high = chance_of_auc(positive, folds)
    areas = [auc_over_folds(rng.random(120), positive, folds) for _ in range(1000)]
    # 99 % of 1,000 is 990.
    assert 978 <= sum(low <= area <= high for area in areas) <= 999


def test_chance_reaches_as_far_as_always_saying_the_most_frequent_label() -> None:
    low, high = chance_of_hits(100, 0.25, highest=0.4)
    assert low < 0.25
    assert 0.4 < high < 0.6


def test_where_labels_come_in_blocks_chance_reaches_farther() -> None:
    rng = np.random.default_rng(0)
    drift = np.repeat(rng.normal(size=20), 10)
    probabilities = np.stack([-drift, drift], axis=1)
    runs = np.zeros(200, dtype=int)
    blocks, mixed = np.repeat(rng.permutation(np.arange(20) % 2), 10), rng.permutation(np.arange(200) % 2)
    low, high = chance_of_order(probabilities, blocks, runs, runs, 0)
    low_mixed, high_mixed = chance_of_order(probabilities, mixed, runs, runs, 0)
    assert high - low > 1.5 * (high_mixed - low_mixed)
    scored = score_labels(probabilities, blocks, runs, runs, 0)["auc"]
    assert scored.chance_interval[0] <= low
    assert scored.chance_interval[1] >= high


def test_readings_of_blocks_that_know_nothing_stay_within_chance() -> None:
    """Four runs of four blocks: one guess a block, so that single trials alone would promise far too narrow a chance."""
    runs, outside, outside_of_independent = np.repeat(np.arange(4), 96), 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        labels = np.concatenate([np.repeat(rng.permutation(4), 24) for _ in range(4)])
        read = np.repeat(rng.random((16, 4)), 24, axis=0) + 0.1 * rng.random((384, 4))
        score, reach = label_score(read, labels, runs), label_chance(labels, runs, 4)[1]
        low, high = chance_of_order(read, labels, runs, runs, seed)
        outside += not min(low, reach[0]) <= score <= max(high, reach[1])
        outside_of_independent += not reach[0] <= score <= reach[1]
    assert outside <= 2  # of 40, where one in a hundred is promised
    assert outside_of_independent > 10


def test_n_way_top_k_is_certain_of_the_sure_and_guesses_with_the_blind() -> None:
    rng, labels = np.random.default_rng(0), np.arange(40) % 10
    assert n_way_hits(np.eye(10)[labels], labels, 5, 1, 20, rng).mean() == 1.0
    blind = n_way_hits(rng.random((40, 10)), labels, 5, 1, 50, rng).mean()
    assert blind == pytest.approx(0.2, abs=0.1)


def test_the_confusion_has_what_was_shown_in_its_rows() -> None:
    assert confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist() == [[1, 1], [0, 1]]


def test_equal_pictures_are_found_among_others() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (6, 32, 32, 3), dtype=np.uint8)
    likeness = correlations(pictures, pictures)
    assert np.diag(likeness) == pytest.approx(1)
    assert np.diag(similarities(pictures, pictures)) == pytest.approx(1, abs=1e-5)
    others = np.roll(pictures, 1, axis=0)
    assert own_similarity(pictures, others) == pytest.approx(np.diag(similarities(pictures, others)).mean(), abs=1e-5)
    assert np.diag(two_way(likeness)) == pytest.approx(1)
    assert two_way(np.ones((6, 6))) == pytest.approx(0.5)  # who cannot tell guesses


def test_within_a_category_only_labels_of_several_stimuli_count() -> None:
    likeness = np.array([[0.9, 0.1, 1.0], [0.9, 0.1, 1.0], [0.0, 0.0, 1.0]])
    right, chance = within_category(likeness, np.array([0, 1, 2]), ["a", "a", "b"], ["a", "a", "b"])
    assert right.tolist() == [1.0, 0.0]
    assert chance.tolist() == [0.5, 0.5]
