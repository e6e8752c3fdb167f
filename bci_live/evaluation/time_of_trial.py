"""Can the labels be told from the time or the order of the trials alone?

Then they came in blocks, and drift can pass for decoding; or one follows from another, and the end of the response to the one
before can.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bci_live.evaluation.controls import Control, shuffled_within_runs
from bci_live.evaluation.scores import Array, Indices, label_score
from bci_live.types import TimeArray

_NEIGHBOURS = 4
_PERMUTATIONS = 500
# Three predictors look at every recording; the alarm is to be rare where labels come at random.
_LEVEL = 0.995


def time_of_trial(labels: Indices, onsets: TimeArray, runs: Indices, n_way: int, seed: int) -> Control:
    """A classifier that sees only when in its run a trial was: the labels of its nearest trials in the same run.

    Parameters
    ----------
    labels, runs : (n,)
    onsets : (n,), s
    """
    return _judge(*_nearest(onsets, runs, same=True), labels, n_way, seed, "when in its run a trial was, nothing else")


def place_in_other_runs(labels: Indices, onsets: TimeArray, runs: Indices, n_way: int, seed: int) -> Control | None:
    """A classifier that sees only the time since the run's beginning, from the other runs; None of a single run.

    It tells an order that is the same in every run, against which no split by run helps.
    """
    if len(np.unique(runs)) < 2:
        return None
    since = onsets.copy()
    for run in np.unique(runs):
        since[runs == run] -= onsets[runs == run].min()
    return _judge(
        *_nearest(since, runs, same=False), labels, n_way, seed, "the time since the run began, from other runs"
    )


def previous_label(labels: Indices, onsets: TimeArray, runs: Indices, n_way: int, seed: int) -> Control:
    """A classifier that sees only which label came before, and knows what followed that in the other runs, or in the other half of one.

    A strict alternation, which no neighbour in time tells, is told by it.
    """
    order = np.lexsort((onsets, runs))
    inside = runs[order][1:] == runs[order][:-1]
    before, after = order[:-1][inside], order[1:][inside]
    rng = np.random.default_rng(seed)
    several = len(np.unique(runs)) > 1
    parts = np.unique(runs, return_inverse=True)[1][after] if several else (2 * np.arange(len(after))) // len(after)

    def score(of: Indices) -> float:
        counts = np.zeros((parts.max() + 1, n_way, n_way))
        np.add.at(counts, (parts, of[before], of[after]), 1)
        votes = np.zeros((len(of), n_way))
        votes[after] = (counts.sum(axis=0) - counts)[parts, of[before]]
        return label_score(votes / np.maximum(votes.sum(axis=1, keepdims=True), 1), of, np.zeros_like(of))

    by_chance = [score(shuffled_within_runs(labels, runs, rng)) for _ in range(_PERMUTATIONS)]
    chance = 0.5 if n_way == 2 else 1 / n_way
    note = f"which label came before, and what followed it in {'other runs' if several else 'the other half'}"
    return Control(score(labels), chance, (0.0, float(np.quantile(by_chance, _LEVEL))), note)


def _nearest(times: TimeArray, runs: Indices, same: bool) -> tuple[Indices, Array]:
    """(n, neighbours): the nearest trials in time of the same run, or of other runs; and weights that sum to 1."""
    count = len(times)
    indices, weights = np.zeros((count, _NEIGHBOURS), dtype=np.int64), np.zeros((count, _NEIGHBOURS))
    for i in range(count):
        allowed = (runs == runs[i]) == same
        allowed[i] = False
        others = np.flatnonzero(allowed)
        away = np.abs(times[others] - times[i])
        nearest = np.argsort(away, kind="stable")[:_NEIGHBOURS]
        indices[i, : len(nearest)] = others[nearest]
        weights[i, : len(nearest)] = 1 / (np.arange(len(nearest)) + 1)
    return indices, weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)


def _judge(indices: Indices, weights: Array, labels: Indices, n_way: int, seed: int, note: str) -> Control:
    """Its score, and what it scores on labels in random order; below that, labels are only more evenly mixed."""
    rng = np.random.default_rng(seed)
    score = _score(indices, weights, labels, n_way)
    by_chance = [_score(indices, weights, rng.permutation(labels), n_way) for _ in range(_PERMUTATIONS)]
    chance = 0.5 if n_way == 2 else 1 / n_way
    return Control(score, chance, (0.0, float(np.quantile(by_chance, _LEVEL))), note)


def _score(indices: Indices, weights: Array, labels: Indices, n_way: int) -> float:
    votes: NDArray[np.float64] = np.zeros((len(labels), n_way))
    rows = np.arange(len(labels))
    for k in range(indices.shape[1]):
        votes[rows, labels[indices[:, k]]] += weights[:, k]
    return label_score(votes, labels, np.zeros_like(labels))
