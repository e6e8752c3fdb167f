"""The decoder that knows the head: it reads what the head was shown, and as sure as it is, it is right."""

from __future__ import annotations

import numpy as np
import pytest

from bci_live.config import EpochConfig, FilterConfig
from bci_live.signal.epoching import EpochPlan
from bci_live.simulation.head import SimulatedHead
from bci_live.simulation.oracle import Oracle
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import random_layout, render
from bci_live.types import FloatArray

LABELS = ("dog", "guitar", "banana", "piano", "house")
PLAN = EpochPlan(250.0, 250.0, FilterConfig(pre_roll_s=1.0), EpochConfig())


def pictures(per_label: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, their labels, and the centres of their objects."""
    catalogue, rng = load_catalogue("objects"), np.random.default_rng(seed)
    labels = np.tile(np.arange(len(LABELS)), per_label)
    layouts = [random_layout(rng) for _ in labels]
    drawn = [render(catalogue.picture(LABELS[k]), it, 64) for k, it in zip(labels, layouts, strict=True)]
    return np.stack(drawn), labels, np.array([(it.x, it.y) for it in layouts])


@pytest.fixture(scope="module")
def head() -> SimulatedHead:
    seen, labels, _ = pictures(12, 0)
    return SimulatedHead.build(seen, labels)


@pytest.fixture(scope="module")
def oracle(head: SimulatedHead) -> Oracle:
    seen, labels, centres = pictures(100, 1)
    return Oracle.of(head, seen, labels, centres, PLAN.prepare, PLAN.before, PLAN.after, np.random.default_rng(2))


def watched(head: SimulatedHead, shown: np.ndarray, seed: int) -> FloatArray:
    """Epochs of a session in which the pictures are shown."""
    onsets = 2 + 1.1 * np.arange(len(shown))
    samples = head.watch(shown, onsets, float(onsets[-1]) + 2, np.random.default_rng(seed))
    starts = np.round(onsets * 250).astype(int)
    return np.stack([PLAN.prepare(samples[start - PLAN.before : start + PLAN.after]) for start in starts])


def test_it_names_what_was_seen_and_is_as_often_right_as_it_is_sure(head: SimulatedHead, oracle: Oracle) -> None:
    shown, labels, centres = pictures(30, 5)
    epochs = watched(head, shown, 3)
    logs = oracle.log_probabilities(epochs)
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1)
    right = logs.argmax(axis=1) == labels
    assert right.mean() > 0.8  # of five; chance is 0.2
    assert np.exp(logs.max(axis=1)).mean() == pytest.approx(right.mean(), abs=0.08)
    # Positions vary by ± 16 % of the width, so the middle alone errs by 0.12 in the median.
    errors = np.linalg.norm(oracle.positions(epochs) - centres, axis=1)
    middle = np.linalg.norm(centres - 0.5, axis=1)
    assert np.median(errors) < 0.7 * np.median(middle)


def test_of_a_head_that_sees_nothing_it_reads_nothing(head: SimulatedHead, oracle: Oracle) -> None:
    _, labels, _ = pictures(30, 5)
    nothing = np.full((len(labels), 64, 64, 3), 128, np.uint8)
    right = oracle.log_probabilities(watched(head, nothing, 4)).argmax(axis=1) == labels
    assert right.mean() < 0.35  # chance is 0.2 ± 0.03
