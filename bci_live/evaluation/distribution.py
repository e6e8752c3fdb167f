"""How good and how various a set of pictures looks to a classifier: Inception Score and Fréchet distance.

Both are named after Inception-v3, whose weights are in no package. Here they are of whichever judge looks, so they cannot be
compared with published ones: only with what the stimuli, or other renderings of the same labels, get of the same judge.
"""

from __future__ import annotations

import numpy as np

from bci_live.evaluation.scores import Array


def inception_score(probabilities: Array) -> float:
    """exp E KL(p(y|x) ‖ p(y)) (Salimans et al. 2016): 1 for pictures that all look alike, at most the number of classes.

    `probabilities`: (n, classes). Of few pictures it cannot be more than their number.
    """
    marginal = probabilities.mean(axis=0)
    tiny = np.finfo(np.float64).tiny
    ratio = np.log(np.maximum(probabilities, tiny)) - np.log(np.maximum(marginal, tiny))
    return float(np.exp((probabilities * ratio).sum(axis=1).mean()))


def frechet_distance(features: Array, others: Array) -> float:
    """|m₁ − m₂|² + tr(C₁ + C₂ − 2 (C₁C₂)^½) of two sets of features (n, width), (m, width) (Heusel et al. 2017, eq. 6).

    The trace of the root is the nuclear norm of A₁ᵀA₂ where C = AAᵀ, which also holds where there are fewer pictures than
    features. Few pictures make it too large: compare it with that of as many others. NaN of a single picture.
    """
    if min(len(features), len(others)) < 2:
        return float("nan")
    (mean_a, root_a), (mean_b, root_b) = _moments(features), _moments(others)
    both = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    spread = (root_a**2).sum() + (root_b**2).sum() - 2 * both
    return float(((mean_a - mean_b) ** 2).sum() + max(0.0, spread))


def _moments(features: Array) -> tuple[Array, Array]:
    """The mean (width,), and a root of the covariance, (n, width): its transpose times itself."""
    mean = features.mean(axis=0)
    return mean, (features - mean) / np.sqrt(len(features) - 1)
