"""A decoder abstains where it read no better than a guess, on runs that it had not seen."""

from __future__ import annotations

import numpy as np

from bci_live.training.abstention import certainty


def probabilities_of(confidence: np.ndarray, top: np.ndarray, count: int) -> np.ndarray:
    rest = (1 - confidence) / (count - 1)
    probabilities = np.repeat(rest[:, None], count, axis=1)
    probabilities[np.arange(len(top)), top] = confidence
    return probabilities


def test_the_line_is_where_reading_begins() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.1, 1, 4000)
    labels, top = rng.integers(0, 10, (2, 4000))
    top = np.where(confidence > 0.4, labels, top)  # below 0.4 it guesses, above it is right
    line = certainty(probabilities_of(confidence, top, 10), labels)
    assert 0.35 < line < 0.45


def test_what_reads_nothing_is_never_sure() -> None:
    rng = np.random.default_rng(1)
    labels, top = rng.integers(0, 4, (2, 500))
    assert certainty(probabilities_of(rng.uniform(0.3, 0.9, 500), top, 4), labels) > 0.85


def test_what_is_always_right_never_abstains() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 40, 500)
    confidence = rng.uniform(0.2, 1, 500)
    probabilities = probabilities_of(confidence, labels, 40)
    assert certainty(probabilities, labels) <= np.sort(confidence)[3]


def test_always_saying_the_commonest_of_uneven_labels_is_no_reading() -> None:
    rng = np.random.default_rng(5)
    labels = (rng.uniform(size=400) < 0.2).astype(np.int64)
    top = np.zeros(400, dtype=np.int64)
    assert certainty(probabilities_of(rng.uniform(0.5, 0.9, 400), top, 2), labels) > 0.85
