"""What decodings are worth, as numbers, each with what chance would give. NumPy alone; nothing here knows of EEG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Interval = tuple[float, float]

# Of scores, as everybody prints it; of chance wider, because a report holds about seven controls.
BOOTSTRAP_LEVEL, CHANCE_LEVEL = 0.95, 0.99
_DRAWS, _PERMUTATIONS = 1000, 400


@dataclass(frozen=True, slots=True)
class Scored:
    """A score with its bootstrap interval, what chance gives on average, and the interval that chance stays in."""

    score: float
    interval: Interval
    chance: float
    chance_interval: Interval


def auc(evidence: Array, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often a positive has more evidence than a negative (Mann & Whitney 1947).

    Ties count half; NaN where one of the two kinds is absent. `evidence`, `positive`: (n,).
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    _, inverse, counts = np.unique(evidence, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def auc_over_folds(evidence: Array, positive: NDArray[np.bool_], folds: Indices) -> float:
    """Mean of the folds' areas, of those that have both kinds: evidence of two decoders is not compared."""
    areas = [auc(evidence[folds == fold], positive[folds == fold]) for fold in np.unique(folds)]
    there = [area for area in areas if not np.isnan(area)]
    return float(np.mean(there)) if there else float("nan")


def hits(probabilities: Array, labels: Indices, k: int) -> Array:
    """Of each trial, whether its label is among the k most probable: (n,), a fraction where the k-th place is shared."""
    own = probabilities[np.arange(len(labels)), labels][:, None]
    better, equal = (probabilities > own).sum(axis=1), (probabilities == own).sum(axis=1)
    return np.asarray(np.clip((k - better) / equal, 0.0, 1.0))


def n_way_hits(probabilities: Array, labels: Indices, n: int, k: int, trials: int, rng: np.random.Generator) -> Array:
    """As the paper scores pictures (after MinD-Vis): the label against n - 1 random others, top k, mean of `trials` draws.

    Parameters
    ----------
    probabilities : (m, labels) of a classifier that looked at the pictures
    labels : (m,) what they are to show

    Returns
    -------
    (m,), 0…1
    """
    others = np.stack([np.delete(np.arange(probabilities.shape[1]), label) for label in labels])
    total = np.zeros(len(labels))
    for _ in range(trials):
        drawn = rng.permuted(others, axis=1)[:, : n - 1]
        rows = np.arange(len(labels))[:, None]
        candidates = probabilities[rows, np.concatenate([labels[:, None], drawn], axis=1)]
        total += hits(candidates, np.zeros(len(labels), dtype=np.int64), k)
    return total / trials


def confusion(labels: Indices, read: Indices, count: int) -> Indices:
    """(count, count): row, what was shown; column, what was read."""
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (labels, read), 1)
    return table


def bootstrap(
    statistic: Callable[[Indices], float], n: int, seed: int, level: float = BOOTSTRAP_LEVEL, draws: int = _DRAWS
) -> Interval:
    """Percentile interval (Efron 1979) of a statistic of trials: it gets (n,) indices drawn with replacement."""
    rng = np.random.default_rng(seed)
    values = np.array([statistic(rng.integers(0, n, n)) for _ in range(draws if n else 0)])
    values = values[np.isfinite(values)]
    if not len(values):
        return (float("nan"), float("nan"))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def chance_of_auc(positive: NDArray[np.bool_], folds: Indices, level: float = CHANCE_LEVEL) -> Interval:
    """Interval of `auc_over_folds` without information: variance (n₁ + n₂ + 1) / (12 n₁ n₂) a fold (Mann & Whitney)."""
    variances = []
    for fold in np.unique(folds):
        inside = positive[folds == fold]
        a, b = int(inside.sum()), int((~inside).sum())
        if a and b:
            variances.append((a + b + 1) / (12 * a * b))
    if not variances:
        return (0.0, 1.0)
    deviation = np.sqrt(sum(variances)) / len(variances)
    reach = NormalDist().inv_cdf((1 + level) / 2) * float(deviation)
    return max(0.0, 0.5 - reach), min(1.0, 0.5 + reach)


def chance_of_hits(
    n: int, chance: float, highest: float | None = None, level: float = CHANCE_LEVEL, seed: int = 0
) -> Interval:
    """Binomial interval of the share of n trials that are right by accident.

    `highest`: what always saying the most frequent label gives; that, too, is no reading.
    """
    if not n:
        return (0.0, 1.0)
    rng = np.random.default_rng(seed)
    low = np.quantile(rng.binomial(n, min(1.0, chance), 20_000), (1 - level) / 2)
    high = np.quantile(rng.binomial(n, min(1.0, max(chance, highest or 0.0)), 20_000), (1 + level) / 2)
    return float(low) / n, float(high) / n


def label_score(probabilities: Array, labels: Indices, folds: Indices) -> float:
    """The one score that controls are compared by: the AUC of two labels, the top-1 of more."""
    if probabilities.shape[1] == 2:
        return auc_over_folds(probabilities[:, 1], labels == 1, folds)
    return float(hits(probabilities, labels, 1).mean()) if len(labels) else float("nan")


def label_chance(labels: Indices, folds: Indices, n_way: int, level: float = CHANCE_LEVEL) -> tuple[float, Interval]:
    """What `label_score` is without information, and the interval that it then stays in."""
    if n_way == 2:
        return 0.5, chance_of_auc(labels == 1, folds, level)
    return 1 / n_way, chance_of_hits(len(labels), 1 / n_way, most_frequent(labels, n_way), level)


def most_frequent(labels: Indices, n_way: int, k: int = 1) -> float:
    """The share of the k most frequent labels."""
    counts = np.sort(np.bincount(labels, minlength=n_way))[::-1]
    return float(counts[:k].sum() / max(1, counts.sum()))


def chance_of_order(probabilities: Array, labels: Indices, folds: Indices, runs: Indices, seed: int) -> Interval:
    """Interval of `label_score` where the blocks of each run change places: stretches of one label, whole.

    Where labels come in blocks, neighbouring trials are wrong or right together, so that chance reaches farther than with
    as many independent trials; where they come at random, the blocks are short and this is the usual permutation of trials.
    Trials are in the order of time within their run.
    """
    rng, values = np.random.default_rng(seed), []
    places = [np.flatnonzero(runs == run) for run in np.unique(runs)]
    blocks = [np.split(labels[it], np.flatnonzero(np.diff(labels[it])) + 1) for it in places]
    for _ in range(_PERMUTATIONS):
        moved = labels.copy()
        for inside, own in zip(places, blocks, strict=True):
            moved[inside] = np.concatenate([own[i] for i in rng.permutation(len(own))])
        values.append(label_score(probabilities, moved, folds))
    low, high = np.quantile(values, [(1 - CHANCE_LEVEL) / 2, (1 + CHANCE_LEVEL) / 2])
    return float(low), float(high)


def score_labels(probabilities: Array, labels: Indices, folds: Indices, runs: Indices, seed: int) -> dict[str, Scored]:
    """`auc` (mean over folds) and `top1` of two labels; `top1` and `top5` of more.

    The chance interval of the first of them is the wider one of `label_chance` and `chance_of_order`.

    Parameters
    ----------
    probabilities : (n, labels)
    labels, folds, runs : (n,)
    """
    n, n_way = probabilities.shape
    scores: dict[str, Scored] = {}
    if n_way == 2:

        def area(chosen: Indices) -> float:
            return label_score(probabilities[chosen], labels[chosen], folds[chosen])

        chance, reach = label_chance(labels, folds, n_way)
        scores["auc"] = Scored(area(np.arange(n)), bootstrap(area, n, seed), chance, reach)
    for k in (1, 5) if n_way > 2 else (1,):
        right, highest = hits(probabilities, labels, k), most_frequent(labels, n_way, k)
        scores[f"top{k}"] = score_shares(right, min(1.0, k / n_way), seed, highest)
    first = next(iter(scores))
    low, high = chance_of_order(probabilities, labels, folds, runs, seed)
    reach = scores[first].chance_interval
    scores[first] = replace(scores[first], chance_interval=(min(low, reach[0]), max(high, reach[1])))
    return scores


def score_identified(
    evidence: Array, labels: Indices, folds: Indices, candidates: NDArray[np.bool_], seed: int
) -> dict[str, Scored]:
    """`top1`, and of more than five candidates `top5`, of labels that nothing had learnt.

    Trials of one label are right or wrong together, so what varies are labels: the bootstrap draws those, and the chance
    interval comes from captions that change places among a fold's candidates.

    Parameters
    ----------
    evidence : (n, labels), 0 for what is no candidate
    labels, folds : (n,)
    candidates : (n, labels), equally many in each row
    """
    rng, n_way, moves = np.random.default_rng(seed), int(candidates[0].sum()), []
    among = [(fold, np.flatnonzero(candidates[folds == fold][0])) for fold in np.unique(folds)]
    for _ in range(_DRAWS):
        moved = labels.copy()
        for fold, own in among:
            moved[folds == fold] = rng.permutation(own)[np.searchsorted(own, labels[folds == fold])]
        moves.append(moved)
    scores = {}
    for k in (1, 5) if n_way > 5 else (1,):
        right, by_chance = hits(evidence, labels, k), [hits(evidence, moved, k).mean() for moved in moves]
        low, high = np.quantile(by_chance, [(1 - CHANCE_LEVEL) / 2, (1 + CHANCE_LEVEL) / 2])
        of_label = [right[labels == label] for label in np.unique(labels)]

        def mean(chosen: Indices, of_label: list[Array] = of_label) -> float:
            return float(np.concatenate([of_label[i] for i in chosen]).mean())

        interval = bootstrap(mean, len(of_label), seed)
        scores[f"top{k}"] = Scored(float(right.mean()), interval, k / n_way, (float(low), float(high)))
    return scores


def score_shares(right: Array, chance: float, seed: int, highest: float | None = None) -> Scored:
    """The mean of (n,) values in 0…1, each right or wrong, with its intervals; `highest` as in `chance_of_hits`."""

    def mean(chosen: Indices) -> float:
        return float(right[chosen].mean())

    interval = bootstrap(mean, len(right), seed)
    score = float(right.mean()) if len(right) else float("nan")
    return Scored(score, interval, chance, chance_of_hits(len(right), chance, highest))
