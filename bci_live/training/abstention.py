"""How sure a decoder has to be before what it reads is worth more than a guess."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

Array = NDArray[np.float64]


def certainty(probabilities: Array, labels: NDArray[np.int64]) -> float:
    """The confidence below which trials, taken together, are not told from guesses (one-sided binomial test, 5 %).

    The more trials there are that are read by guessing, the higher it is; a decoder that reads nothing is never sure.

    Parameters
    ----------
    probabilities : (n, labels), calibrated, of heads that had not seen the trial's run
    labels : (n,)
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(confidence)
    right = (probabilities.argmax(axis=1) == labels)[order]
    chance = np.bincount(labels, minlength=probabilities.shape[1]).max() / len(labels)  # of always saying the commonest
    guessed = [
        count
        for count, hits in enumerate(np.cumsum(right), 1)
        if binomtest(int(hits), count, chance, alternative="greater").pvalue > 0.05
    ]
    if not guessed:
        return 0.0
    sure = confidence[order][guessed[-1] :]
    return float(sure[0]) if len(sure) else 1.0


def scores_when_sure(probabilities: Array, labels: NDArray[np.int64], line: float) -> dict[str, float]:
    """The share of trials that are read with at least the certainty `line`, and the accuracy over these."""
    sure = probabilities.max(axis=1) >= line
    right = probabilities.argmax(axis=1) == labels
    return {"sure": float(sure.mean()), "top1_when_sure": float(right[sure].mean()) if sure.any() else 0.0}
