"""What drawn pictures are worth: likeness, names, and structure, each beside what other trials' pictures get."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bci_live.evaluation.controls import Control
from bci_live.evaluation.likeness import correlations, similarities, two_way, within_category
from bci_live.evaluation.scores import Array, Indices, Scored, bootstrap, chance_of_hits, hits, score_shares
from bci_live.evaluation.structure import median_errors
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.truth import stimulus_of
from bci_live.types import Marker, Picture

PIXELS = 64
_PERMUTATIONS = 500
_CHANCE_QUANTILES = (0.005, 0.995)


def score_pictures(pictures: Picture, stimuli: Picture, seed: int) -> dict[str, Scored]:
    """PixCorr, SSIM and two-way identification by PixCorr; chance is that of other trials' pictures.

    Both (m, 64, 64, 3), in the same order.
    """
    likeness = correlations(pictures, stimuli)
    matrices = {
        "pixcorr": likeness,
        "ssim": similarities(pictures, stimuli),
        "two_way": two_way(likeness),
    }
    return {name: _against_others(matrix, seed) for name, matrix in matrices.items()}


def _against_others(matrix: Array, seed: int) -> Scored:
    """Of (m, m) values, row: picture, column: stimulus, the diagonal's mean, and that of random assignments."""
    own, rng, rows = np.diag(matrix), np.random.default_rng(seed), np.arange(len(matrix))
    random = [float(matrix[rows, rng.permutation(len(matrix))].mean()) for _ in range(_PERMUTATIONS)]
    low, high = np.quantile(random, _CHANCE_QUANTILES)
    interval = bootstrap(lambda chosen: float(own[chosen].mean()), len(own), seed)
    return Scored(float(own.mean()), interval, float(np.mean(random)), (float(low), float(high)))


def score_names(probabilities: Array, truth: Indices, seed: int) -> dict[str, Scored]:
    """`named_top1`, `named_top5`: N-way accuracy of the judge, N all labels of the catalogue."""
    scores: dict[str, Scored] = {}
    for k in (1, 5):
        scores[f"named_top{k}"] = score_shares(hits(probabilities, truth, k), k / probabilities.shape[1], seed)
    return scores


def score_within_category(found: tuple[Array, Array], seed: int) -> Scored:
    """Of `found_in_category`: the share right, among stimuli that the label alone does not tell apart."""
    right, chance = found
    return score_shares(right, float(chance.mean()), seed)


def label_only_control(found: tuple[Array, Array] | None) -> Control | None:
    """Pictures drawn from the caption alone, as the stimulus among others of its label: no EEG says which."""
    if found is None:
        return None
    right, chance = found
    mean = float(chance.mean())
    note = f"pictures from the decoded caption alone, identified among stimuli of their label ({len(right)} pictures)"
    return Control(float(right.mean()), mean, chance_of_hits(len(right), mean), note)


def found_in_category(
    pictures: Picture, shown: Sequence[Marker], every: Sequence[Marker]
) -> tuple[Array, Array] | None:
    """Of each picture, whether it finds its stimulus among those of its label that `every` trial showed, and the chance.

    Parameters
    ----------
    pictures : (m, 64, 64, 3)
    shown : m markers, one a picture
    """
    catalogue = load_catalogue()
    wanted = {marker.label for marker in shown}
    different = list(dict.fromkeys((it.label, it.detail) for it in every if it.label in wanted))
    drawn = [stimulus_of(Marker(label, 0.0, detail=detail), catalogue, PIXELS) for label, detail in different]
    stimuli = np.stack([picture_or_grey(picture) for picture in drawn])
    own = np.array([different.index((marker.label, marker.detail)) for marker in shown])
    likeness = correlations(pictures, stimuli)
    right, chance = within_category(likeness, own, [it.label for it in shown], [label for label, _ in different])
    return (right, chance) if len(right) else None


def picture_or_grey(picture: Picture | None) -> Picture:
    """What stands in where a label has no picture: (64, 64, 3)."""
    return np.full((PIXELS, PIXELS, 3), 128, dtype=np.uint8) if picture is None else picture


def row_scores(pictures: Picture, stimuli: Picture | None, named: Array | None, truth: Indices) -> dict[str, float]:
    """A row of the ablation; without known stimuli only what the judge names."""
    scores: dict[str, float] = {}
    if named is not None:
        scores["named"] = float(hits(named, truth, 1).mean())
    if stimuli is not None:
        scores["ssim"] = float(np.diag(similarities(pictures, stimuli)).mean())
        scores["pixcorr"] = float(np.diag(correlations(pictures, stimuli)).mean())
        scores |= median_errors(pictures, stimuli)
    return scores


def structure_of(pictures: Picture, saliency: Picture, stimuli: Picture) -> dict[str, dict[str, float]]:
    """Median errors of pictures and saliency maps; chance is the picture of the trial before."""
    return {
        "picture": median_errors(pictures, stimuli),
        "saliency map": median_errors(saliency, stimuli),
        "another trial's picture": median_errors(np.roll(pictures, 1, axis=0), stimuli),
    }
