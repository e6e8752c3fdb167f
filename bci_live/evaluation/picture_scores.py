"""What drawn pictures are worth: likeness, names, and structure, each beside what other trials' pictures get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bci_live.evaluation.controls import Control
from bci_live.evaluation.distribution import frechet_distance, inception_score
from bci_live.evaluation.judge import Judge, Seen
from bci_live.evaluation.likeness import (
    agreements,
    correlations,
    own_similarity,
    similarities,
    two_way,
    within_category,
)
from bci_live.evaluation.scores import Array, Indices, Scored, bootstrap, chance_of_hits, n_way_hits, score_shares
from bci_live.evaluation.structure import median_errors, overlaps
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.truth import stimulus_of
from bci_live.types import Marker, Picture

PIXELS = 64
# As the paper and those after it: the right class among so many, the others drawn anew so often.
MOST_WAYS, DRAWS = 50, 50
_PERMUTATIONS = 500
_CHANCE_QUANTILES = (0.005, 0.995)


@dataclass(frozen=True, slots=True)
class Series:
    """Pictures of the trials, (m, 64, 64, 3), and what the judge saw in them at their own size; None without a judge."""

    pictures: Picture
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class Target:
    """What pictures are compared with.

    `markers`: m, of the trials drawn; `every`: of all trials. `stimuli`: what was shown, m pictures. `others`: as many
    other renderings of the same labels. `known`: whether the markers told the layout, so that the stimuli are not just the
    labels' pictures. `right`: (m,), the class that the judge should name; None without a judge.
    """

    markers: tuple[Marker, ...]
    every: tuple[Marker, ...]
    stimuli: Series
    others: Series
    known: bool
    judge: Judge | None
    right: Indices | None
    seed: int

    @property
    def n_way(self) -> int:
        """Among how many classes the judge chooses."""
        return min(MOST_WAYS, self.judge.classes) if self.judge else 0

    @property
    def draws(self) -> int:
        """How often the wrong classes are drawn; where all there are take part, once."""
        return DRAWS if self.judge and self.judge.classes > self.n_way else 1


@dataclass(frozen=True, slots=True)
class Judged:
    """Who named the pictures and how, and what the whole set looks like to it.

    `stimuli_named`: how often it names the stimuli themselves right, the most that pictures can get. Of `inception_score`
    and `frechet_distance` there is what other renderings of the same labels get, `_of_others`; the distance is to the
    stimuli, and None where these are not known. `labels_shown`: of the classes, how many were.
    """

    judge: str
    truth: str
    n_way: int
    draws: int
    stimuli_named: float
    inception_score: float
    inception_score_of_others: float
    frechet_distance: float | None
    frechet_distance_of_others: float | None
    labels_shown: int = 0


def score_pictures(series: Series, target: Target) -> dict[str, Scored]:
    """Likeness to the stimuli where they are known, and the judge's names; of the likeness, chance is other trials' pictures.

    `pixcorr`, `ssim`; `two_way` by PixCorr, `two_way_features` by the judge's features; `named_top1`, `named_top5`;
    `within_category` by PixCorr; `within_category_overlap` by the object's overlap, whatever the ground.
    """
    scores: dict[str, Scored] = {}
    if target.known:
        likeness = correlations(series.pictures, target.stimuli.pictures)
        matrices = {
            "pixcorr": likeness,
            "ssim": similarities(series.pictures, target.stimuli.pictures),
            "two_way": two_way(likeness),
        }
        if series.seen and target.stimuli.seen:
            matrices["two_way_features"] = two_way(agreements(series.seen.features, target.stimuli.seen.features))
        scores |= {name: _against_others(matrix, target.seed) for name, matrix in matrices.items()}
    if series.seen:
        for k in (1, 5):
            found = named(series.seen, target, k)
            scores[f"named_top{k}"] = score_shares(found, min(1.0, k / target.n_way), target.seed)
    for name, likeness_by in (("within_category", correlations), ("within_category_overlap", overlaps)):
        found_own = found_in_category(series.pictures, target, likeness_by) if target.known else None
        if found_own is not None:
            right, chance = found_own
            scores[name] = score_shares(right, float(chance.mean()), target.seed)
    return scores


def named(seen: Seen, target: Target, k: int) -> Array:
    """(m,), how often the judge has the right class among its k first of N, the others drawn anew `draws` times."""
    rng = np.random.default_rng(target.seed)
    if target.right is None:
        raise ValueError("nobody judged these pictures")
    return n_way_hits(seen.probabilities, target.right, target.n_way, k, target.draws, rng)


def _against_others(matrix: Array, seed: int) -> Scored:
    """Of (m, m) values, row: picture, column: stimulus, the diagonal's mean, and that of random assignments."""
    own, rng, rows = np.diag(matrix), np.random.default_rng(seed), np.arange(len(matrix))
    random = [float(matrix[rows, rng.permutation(len(matrix))].mean()) for _ in range(_PERMUTATIONS)]
    low, high = np.quantile(random, _CHANCE_QUANTILES)
    interval = bootstrap(lambda chosen: float(own[chosen].mean()), len(own), seed)
    return Scored(float(own.mean()), interval, float(np.mean(random)), (float(low), float(high)))


def judged(series: Series, target: Target) -> Judged | None:
    """The judge's view of the whole set; None without a judge."""
    seen, stimuli, others = series.seen, target.stimuli.seen, target.others.seen
    if target.judge is None or seen is None or stimuli is None or others is None:
        return None
    return Judged(
        target.judge.name,
        target.judge.truth,
        target.n_way,
        target.draws,
        float(named(stimuli, target, 1).mean()),
        inception_score(seen.probabilities),
        inception_score(others.probabilities),
        frechet_distance(seen.features, stimuli.features) if target.known else None,
        frechet_distance(others.features, stimuli.features) if target.known else None,
        len({marker.label for marker in target.every}),
    )


def label_only_control(series: Series, target: Target) -> Control | str:
    """Pictures drawn from a label alone, as the stimulus among others of its label: no EEG says which.

    All of one decoded label are one picture, so of the stimuli of a label it finds one, whatever the EEG: this checks the scoring.
    """
    found = found_in_category(series.pictures, target, correlations) if target.known else None
    if found is None:
        return "no label was shown as two different pictures whose layout the markers tell"
    right, chance = found
    mean = float(chance.mean())
    note = f"pictures from the decoded label's caption alone, identified among stimuli of their label ({len(right)} pictures)"
    return Control(float(right.mean()), mean, chance_of_hits(len(right), mean), note, arithmetic=True)


def found_in_category(
    pictures: Picture, target: Target, likeness_by: Callable[[Picture, Picture], Array]
) -> tuple[Array, Array] | None:
    """Of each picture, whether it finds its stimulus among those of its label that any trial showed, and the chance.

    None where no label was shown as two different pictures.
    """
    catalogue, shown = load_catalogue(), target.markers
    wanted = {marker.label for marker in shown}
    different = list(dict.fromkeys((it.label, it.detail) for it in target.every if it.label in wanted))
    drawn = [stimulus_of(Marker(label, 0.0, detail=detail), catalogue, PIXELS) for label, detail in different]
    stimuli = np.stack([picture_or_grey(picture) for picture in drawn])
    own = np.array([different.index((marker.label, marker.detail)) for marker in shown])
    likeness = likeness_by(pictures, stimuli)
    right, chance = within_category(likeness, own, [it.label for it in shown], [label for label, _ in different])
    return (right, chance) if len(right) else None


def picture_or_grey(picture: Picture | None) -> Picture:
    """What stands in where a label has no picture: (64, 64, 3)."""
    return np.full((PIXELS, PIXELS, 3), 128, dtype=np.uint8) if picture is None else picture


def row_scores(series: Series, target: Target) -> dict[str, float]:
    """A row of the ablation; without known stimuli only what the judge says."""
    scores: dict[str, float] = {}
    if series.seen:
        scores["named_top1"] = float(named(series.seen, target, 1).mean())
        scores["inception_score"] = inception_score(series.seen.probabilities)
    if target.known:
        stimuli = target.stimuli.pictures
        scores["ssim"] = own_similarity(series.pictures, stimuli)
        scores["pixcorr"] = float(np.diag(correlations(series.pictures, stimuli)).mean())
        scores |= median_errors(series.pictures, stimuli)
    return scores
