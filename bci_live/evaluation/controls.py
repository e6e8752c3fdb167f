"""What must not be decodable: every score comes with these, and each says whether it stays within chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from bci_live.evaluation.identification import identify, mixed
from bci_live.evaluation.reading import Cut, indices_of
from bci_live.evaluation.scores import Array, Indices, Interval, label_chance, label_score
from bci_live.evaluation.splits import Split
from bci_live.stimuli.captions import CaptionBank
from bci_live.training.bands import plain_sizes
from bci_live.training.plain import fit_plain
from bci_live.types import FloatArray

# The mean of several shuffles: one alone would leave chance once in a hundred reports.
SHUFFLES = 5
_PERMUTATIONS = 20
_FEWEST_OF_A_LABEL = 2


@dataclass(frozen=True, slots=True)
class Control:
    """`interval`: in which chance stays with as many trials. `note`: what was done, in words.

    `arithmetic`: every trial is read alike, or against labels that nobody showed. Such a control checks the scoring; data that
    leak do not make it fail.
    """

    score: float
    chance: float
    interval: Interval
    note: str
    arithmetic: bool = False

    @property
    def within_chance(self) -> bool:
        """Whether the score lies in it."""
        return self.interval[0] <= self.score <= self.interval[1]


@dataclass(frozen=True, slots=True)
class Scale:
    """What label scores are compared on: `labels`, `folds` (n,), and how many labels there are."""

    labels: Indices
    folds: Indices
    n_way: int

    def control(self, score: float, note: str, arithmetic: bool = False) -> Control:
        """A score of as many trials as there are here."""
        chance, interval = label_chance(self.labels, self.folds, self.n_way)
        return Control(score, chance, interval, note, arithmetic)

    def of(self, probabilities: Array, note: str, arithmetic: bool = False) -> Control:
        """A control that reads (n, labels) of the same trials."""
        return self.control(label_score(probabilities, self.labels, self.folds), note, arithmetic)


def shuffled_within_runs(values: Indices, runs: Indices, rng: np.random.Generator) -> Indices:
    """The values in another order, each run's among themselves."""
    shuffled = values.copy()
    for run in np.unique(runs):
        places = np.flatnonzero(runs == run)
        shuffled[places] = values[rng.permutation(places)]
    return shuffled


def another_of_the_run(runs: Indices, rng: np.random.Generator) -> Indices:
    """(n,): of each trial another one of its run, drawn at random; itself where it is alone."""
    others = np.arange(len(runs))
    for run in np.unique(runs):
        places = np.flatnonzero(runs == run)
        # A turn of a random order: nobody keeps their own.
        order = rng.permutation(places)
        others[order] = np.roll(order, 1)
    return others


def shuffled_labels(probabilities: Array, scale: Scale, runs: Indices, seed: int) -> Control:
    """The same readings against labels shuffled within their run, the mean of 20 shuffles: for a decoder that is given."""
    rng = np.random.default_rng(seed)
    scores = [
        label_score(probabilities, shuffled_within_runs(scale.labels, runs, rng), scale.folds)
        for _ in range(_PERMUTATIONS)
    ]
    note = f"labels shuffled within runs, mean of {_PERMUTATIONS} shuffles"
    return scale.control(float(np.mean(scores)), note, arithmetic=True)


def another_trial(probabilities: Array, scale: Scale, runs: Indices, seed: int) -> Control:
    """Each label against what was read of another trial's EEG, of the same run."""
    others = another_of_the_run(runs, np.random.default_rng(seed))
    return scale.of(probabilities[others], "the EEG of another trial of the same run")


def nearness_of_mean(embeddings: FloatArray, captions: FloatArray) -> Array:
    """Of each of the `captions` (names, tokens, width) to the mean of all embeddings (n, tokens, width), which is given to
    every trial: (n, names)."""
    near = -np.square(captions - embeddings.mean(axis=0)).sum(axis=(1, 2), dtype=np.float64)
    return np.tile(near, (len(embeddings), 1))


@dataclass(frozen=True, slots=True)
class PlainCrossValidation:
    """Refits the plain head (xDAWN, covariances, discriminant: seconds) on each split, of whatever is to be tried.

    `bank`: by whose captions the labels are identified that a split leaves out.
    """

    cut: Cut
    names: tuple[str, ...]
    splits: Sequence[Split]
    bank: CaptionBank

    def score(self, other: Cut | None = None, shuffle: np.random.Generator | None = None) -> tuple[float, Scale]:
        """The label score over all splits, of the epochs of `other` (same recordings) where given.

        `shuffle`: shuffle the labels within runs, of what is fitted and of what is scored; where labels are left out, among
        those that are left out together.
        """
        cut = other or self.cut
        labels = indices_of(cut.labels, self.names)
        if shuffle is not None:
            labels = shuffled_within_runs(labels, cut.runs * (len(self.splits) + 1) + self._left_out_in(cut), shuffle)
        read, own, folds = [], [], []
        for number, split in enumerate(self.splits):
            fit, hold = cut.indices_of(self.cut, split.fit), cut.indices_of(self.cut, split.hold)
            read.append(self._read(split, cut.data[fit], labels[fit], cut.data[hold]))
            own.append(labels[hold])
            folds.append(np.full(len(hold), number))
        scale = Scale(np.concatenate(own), np.concatenate(folds), len(self.splits[0].among or self.names))
        return label_score(np.concatenate(read), scale.labels, scale.folds), scale

    def _left_out_in(self, cut: Cut) -> Indices:
        """(n,): the split that leaves a trial's label out; where labels are always there, the same for all."""
        of = {label: number for number, split in enumerate(self.splits) for label in split.among}
        return np.array([of.get(label, len(self.splits)) for label in cut.labels], dtype=np.int64)

    def _read(self, split: Split, data: FloatArray, labels: Indices, held: FloatArray) -> Array:
        read = plain_probabilities(data, labels, held, len(self.names))
        if not split.among:
            return read
        return identify(mixed(read, self.names, self.bank), self.names, split.among, self.bank)

    def shuffled(self, seed: int, tell: Callable[[float], None]) -> Control:
        """Labels shuffled within runs, heads retrained: what the method scores by accident or by leaking."""
        rng = np.random.default_rng(seed)
        scores = []
        for turn in range(SHUFFLES):
            score, scale = self.score(shuffle=rng)
            scores.append(score)
            tell((turn + 1) / SHUFFLES)
        note = f"plain head retrained on labels shuffled within runs, mean of {SHUFFLES}"
        return scale.control(float(np.mean(scores)), note)

    def control(self, other: Cut, note: str) -> Control:
        """Retrained and scored on other epochs of the same recordings."""
        score, scale = self.score(other)
        return scale.control(score, note)


def plain_probabilities(data: FloatArray, labels: Indices, held: FloatArray, count: int) -> Array:
    """What the plain head reads of `held` (m, channels, times) after `data` (n, channels, times): (m, count).

    Labels with too few trials to fit get none of the probability.
    """
    enough = np.flatnonzero(np.bincount(labels, minlength=count) >= _FEWEST_OF_A_LABEL)
    probabilities = np.zeros((len(held), count))
    if len(enough) < 2:
        return probabilities
    chosen = np.isin(labels, enough)
    sizes = plain_sizes(len(enough), data.shape[1])
    head = fit_plain(data[chosen], np.searchsorted(enough, labels[chosen]), len(enough), sizes)
    with torch.inference_mode():
        logits = head(torch.from_numpy(held))
    probabilities[:, enough] = torch.softmax(logits, dim=1).numpy()
    return probabilities
