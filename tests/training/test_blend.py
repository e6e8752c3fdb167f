"""The weights of the label heads: what is right on runs left out has a say, what disturbs has none."""

from __future__ import annotations

import torch
from torch.nn import functional

from bci_live.training.heads import choose_blend


def logits(labels: torch.Tensor, signal: float, seed: int) -> torch.Tensor:
    """(n, 2): noise of 1, and `signal` for the label."""
    noise = torch.randn(len(labels), 2, generator=torch.Generator().manual_seed(seed))
    return noise + signal * functional.one_hot(labels, 2)


LABELS = torch.arange(400) % 2


def test_two_heads_that_err_apart_are_both_heard_and_the_surer_one_more() -> None:
    deep, plain = logits(LABELS, 0.7, 1), logits(LABELS, 1.4, 2)
    blend = choose_blend(deep, plain, LABELS)
    assert blend.head == "encoder and plain"
    assert blend.weights[1] > 1.4 * blend.weights[0] > 0
    both = blend.weights[0] * deep + blend.weights[1] * plain
    # As sure as it is right: no temperature makes it better by more than a hair.
    entropy = [functional.cross_entropy(scale * both.double(), LABELS).item() for scale in (0.9, 1.0, 1.1)]
    assert entropy[1] == min(entropy)


def test_an_encoder_that_reads_the_opposite_is_not_heard() -> None:
    blend = choose_blend(logits(LABELS, -0.3, 1), logits(LABELS, 1.0, 2), LABELS)
    assert (blend.head, blend.weights[0]) == ("plain", 0.0)


def test_where_nothing_is_read_nothing_is_sure() -> None:
    deep, plain = logits(LABELS, 0.0, 1), logits(LABELS, 0.0, 2)
    blend = choose_blend(deep, plain, LABELS)
    probabilities = torch.softmax(blend.weights[0] * deep + blend.weights[1] * plain, dim=1)
    assert probabilities.max() < 0.75
    assert blend.weights[1] > 0


def test_heads_that_are_always_right_have_finite_weights() -> None:
    sure = 10.0 * functional.one_hot(LABELS, 2)
    assert all(weight < 100 for weight in choose_blend(sure, sure, LABELS).weights)
