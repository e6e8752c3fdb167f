"""Noise normalisation and empirical Bayes: exact where the truth is known, and better than what is usual with few trials."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from bci_live.training.patterns import Whitening, response_patterns, spatial_whitener

CHANNELS, BINS, LABELS = 8, 12, 10


def matrix_normal(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise (n, channels, bins), and its covariances in space and in time."""
    mixing = 0.5 * rng.standard_normal((CHANNELS, CHANNELS)) + 2 * np.eye(CHANNELS)
    distance = np.abs(np.subtract.outer(np.arange(BINS), np.arange(BINS)))
    in_time = 0.8**distance
    noise = mixing @ rng.standard_normal((n, CHANNELS, BINS)) @ np.linalg.cholesky(in_time).T
    return noise, mixing @ mixing.T, in_time


def responses(rng: np.random.Generator) -> np.ndarray:
    """(labels, channels, bins): smooth in time, of few sources, as responses are."""
    courses = np.exp(-0.5 * ((np.arange(BINS) - rng.uniform(3, 9, (3, 1))) / 1.5) ** 2)
    return 2 * np.einsum("ls,cs,st->lct", rng.standard_normal((LABELS, 3)), rng.standard_normal((CHANNELS, 3)), courses)


def test_whitened_noise_is_white() -> None:
    noise, _, _ = matrix_normal(3000, np.random.default_rng(0))
    white = Whitening.of(noise, len(noise))(noise).reshape(len(noise), -1)
    np.testing.assert_allclose(np.cov(white.T), np.eye(CHANNELS * BINS), atol=0.12)


def test_a_flat_channel_costs_nothing_but_itself() -> None:
    noise, _, _ = matrix_normal(300, np.random.default_rng(0))
    noise[:, 3] = 0
    whitener = spatial_whitener(noise.astype(np.float32), np.arange(300) % 3)
    assert np.isfinite(whitener).all()
    others = np.delete(np.arange(CHANNELS), 3)
    white = (whitener @ noise)[:, others].transpose(1, 0, 2).reshape(CHANNELS - 1, -1)
    np.testing.assert_allclose(np.cov(white), np.eye(CHANNELS - 1), atol=0.15)


def test_few_trials_a_label_are_read_better_than_by_a_discriminant_with_shrinkage() -> None:
    rng = np.random.default_rng(1)
    truth = responses(rng)
    labels, others = np.arange(150) % LABELS, np.arange(1000) % LABELS
    noise, _, _ = matrix_normal(1150, rng)
    fit, new = truth[labels] + noise[:150], truth[others] + noise[150:]
    weights, biases = response_patterns(fit, labels, LABELS)
    logits = np.einsum("nct,kct->nk", new, weights) + biases
    ours = (logits.argmax(axis=1) == others).mean()
    usual = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(fit.reshape(150, -1), labels)
    theirs = (usual.predict(new.reshape(1000, -1)) == others).mean()
    assert ours > theirs + 0.05
    assert ours > 0.5  # chance is 0.1


def test_another_persons_patterns_help_as_far_as_they_are_alike_and_do_no_harm_where_not() -> None:
    rng = np.random.default_rng(5)
    truth, strange = responses(rng), responses(rng)
    labels, others = np.arange(40) % LABELS, np.arange(1000) % LABELS
    noise, _, _ = matrix_normal(5040, rng)
    fit, new = 0.5 * truth[labels] + noise[:40], 0.5 * truth[others] + noise[40:1040]
    many = np.arange(4000) % LABELS

    def right(known: np.ndarray | None) -> float:
        weights, biases = response_patterns(fit, labels, LABELS, known)
        return float(((np.einsum("nct,kct->nk", new, weights) + biases).argmax(axis=1) == others).mean())

    alike, unlike = (response_patterns(person[many] + noise[1040:], many, LABELS)[0] for person in (truth, strange))
    assert right(alike) > right(None) + 0.1
    assert right(unlike) > right(None) - 0.05


def test_with_many_trials_its_probabilities_are_those_of_the_true_model() -> None:
    rng = np.random.default_rng(2)
    truth = responses(rng) / 2
    labels, others = np.arange(20_000) % LABELS, np.arange(500) % LABELS
    noise, in_space, in_time = matrix_normal(20_500, rng)
    weights, biases = response_patterns(truth[labels] + noise[:20_000], labels, LABELS)
    new = truth[others] + noise[20_000:]
    exact = np.linalg.inv(in_space) @ truth @ np.linalg.inv(in_time)
    best = np.einsum("nct,kct->nk", new, exact) - 0.5 * (exact * truth).sum(axis=(1, 2))
    ours = np.einsum("nct,kct->nk", new, weights) + biases
    assert np.abs(softmax(ours) - softmax(best)).mean() < 0.01


def test_where_there_is_no_response_nothing_is_sure() -> None:
    rng = np.random.default_rng(3)
    noise, _, _ = matrix_normal(400, rng)
    labels = np.arange(200) % LABELS
    weights, biases = response_patterns(noise[:200], labels, LABELS)
    logits = np.einsum("nct,kct->nk", noise[200:], weights) + biases
    assert softmax(logits).max(axis=1).mean() < 0.25  # 0.1 would know that there is none


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("missing", [0, 7])
def test_labels_of_different_size_are_read(missing: int) -> None:
    rng = np.random.default_rng(4)
    truth = responses(rng)
    labels = np.concatenate([np.arange(200) % LABELS, np.full(60, missing)])
    noise, _, _ = matrix_normal(len(labels) + 300, rng)
    weights, biases = response_patterns(truth[labels] + noise[: len(labels)], labels, LABELS)
    others = np.arange(300) % LABELS
    logits = np.einsum("nct,kct->nk", truth[others] + noise[len(labels) :], weights) + biases
    assert (logits.argmax(axis=1) == others).mean() > 0.5
