"""Trains the label heads on all but some runs and lets them read those: what is chosen and scored rests on this."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from bci_live.decoding.heads import CaptionHead
from bci_live.training.encoder import EncoderWithLabels, Report, Setup, train_encoder
from bci_live.training.folds import folds_by_run
from bci_live.training.heads import Blend, fit_captions
from bci_live.training.plain import read_held_out
from bci_live.training.preparation import TrainingSet
from bci_live.training.resume import Tensors
from bci_live.training.ridge import Fold
from bci_live.training.second import Agree, Lost, Second, leave_if_orphaned

Phase = Callable[[str], Callable[[float, str], None]]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What heads read of the runs that they had not seen.

    `deep`, `plain`: (n, labels) logits. `nearness`: (n, labels), the caption ridge's. `passes`: after how many passes
    the encoders erred least.
    """

    deep: Tensor
    plain: Tensor
    nearness: Tensor
    passes: int

    def logits(self, blend: Blend) -> Tensor:
        """(n, labels), calibrated."""
        return blend.weights[0] * self.deep.double() + blend.weights[1] * self.plain

    def tensors(self) -> Tensors:
        """All of it, to be kept."""
        return {
            "deep": self.deep, "plain": self.plain, "nearness": self.nearness, "passes": torch.tensor(self.passes)
        }  # fmt: skip

    @classmethod
    def of(cls, tensors: Tensors) -> Self:
        """What `tensors` gave."""
        return cls(tensors["deep"], tensors["plain"], tensors["nearness"], int(tensors["passes"]))


def hold_out(examples: TrainingSet, setup: Setup, phase: Phase, second: Second | None = None) -> HeldOut:
    """Every run read by heads trained on the others; the encoders go on as long as they err less and less on all folds.

    The `second` process trains those of every other fold; the result is the same.
    """
    card = setup.card
    folds = folds_by_run(examples.runs)
    shape = len(examples.labels), len(card.labels)
    known = setup.known.plain if setup.known else None
    plain = read_held_out(examples.data, examples.labels, len(card.labels), card.sizes, folds, known)
    best = _train_folds(examples, folds, setup, phase("encoder, runs left out in turn"), second)
    deep, nearness = torch.zeros(shape), torch.zeros(shape)
    for (fit, hold), weights in zip(folds, best.weights, strict=True):
        network = EncoderWithLabels(card)
        network.load_state_dict(weights)
        held, deep[hold] = network.read(examples.data[hold], examples.whose[hold])
        head = CaptionHead(card)
        fitted, _ = network.read(examples.data[fit], examples.whose[fit])
        fit_captions(head, setup.captions, fitted, examples.labels[fit], folds_by_run(examples.runs[fit]))
        nearness[hold] = head.nearness(held)
    return HeldOut(deep, plain, nearness, best.passes)


@dataclass(slots=True)
class _Best:
    """The folds' networks after the pass at which they erred least, together."""

    entropy: float = float("inf")
    passes: int = 0
    weights: list[dict[str, Tensor]] = field(default_factory=list)


def _train_folds(
    examples: TrainingSet, folds: Sequence[Fold], setup: Setup, report: Report, second: Second | None
) -> _Best:
    alone = partial(_train_together, examples, setup=setup, report=report)
    if second is None or len(folds) < 2:
        return alone(folds, agree=setup.processes.mean)
    try:
        others = second.begin(partial(_train_others, examples, folds[1::2], setup))
        best = alone(folds[::2], agree=others.agree)
        weights: list[dict[str, Tensor]] = [{}] * len(folds)
        weights[::2], weights[1::2] = best.weights, others.result().weights
    except Lost:
        return alone(folds, agree=setup.processes.mean)
    return _Best(best.entropy, best.passes, weights)


def _train_others(examples: TrainingSet, folds: Sequence[Fold], setup: Setup, agree: Agree) -> _Best:
    """The second process's part."""
    unseen = partial(leave_if_orphaned, os.getppid())
    return _train_together(examples, folds, setup, lambda *_: unseen(), agree)


def _train_together(examples: TrainingSet, folds: Sequence[Fold], setup: Setup, report: Report, agree: Agree) -> _Best:
    """One network a fold, all a pass at a time, until they have not erred less for `patience` passes.

    How much they err is agreed upon with the folds, or the trials, of other processes.
    """
    trainings = [
        train_encoder(examples.data[fit], examples.labels[fit], examples.whose[fit], setup, report) for fit, _ in folds
    ]
    best = _Best()
    for number, networks in enumerate(zip(*trainings, strict=True), 1):
        entropy = 0.0
        for network, (_, hold) in zip(networks, folds, strict=True):
            _, logits = network.read(examples.data[hold], examples.whose[hold])
            truth = torch.from_numpy(examples.labels[hold])
            entropy += functional.cross_entropy(logits, truth, reduction="sum").item()
        entropy = agree(entropy)
        if entropy < best.entropy:
            best = _Best(entropy, number, [copy.deepcopy(network.state_dict()) for network in networks])
        elif number - best.passes >= setup.settings.patience:
            break
    return best


def shuffled_control(examples: TrainingSet, setup: Setup, blend: Blend, passes: int, phase: Phase) -> dict[str, float]:
    """The first fold once more, with the labels shuffled within each run: what the same heads score by accident."""
    fold = folds_by_run(examples.runs)[0]
    shuffled = shuffled_within_runs(examples, setup.seed)
    fit, hold = fold
    report = phase("control: shuffled labels")
    networks = train_encoder(examples.data[fit], shuffled[fit], examples.whose[fit], setup, report)
    trained = [network for network, _ in zip(networks, range(passes), strict=False)][-1]
    _, deep = trained.read(examples.data[hold], examples.whose[hold])
    known = setup.known.plain if setup.known else None
    plain = read_held_out(examples.data, shuffled, len(setup.card.labels), setup.card.sizes, [fold], known)[hold]
    logits = blend.weights[0] * deep + blend.weights[1] * plain
    return {f"{name}_shuffled": value for name, value in label_scores(logits, shuffled[hold]).items()}


def shuffled_within_runs(examples: TrainingSet, seed: int) -> NDArray[np.int64]:
    """The labels, each at another trial's place, of its own run: (n,)."""
    rng = np.random.default_rng(seed)
    shuffled = examples.labels.copy()
    for run in np.unique(examples.runs):
        places = np.flatnonzero(examples.runs == run)
        shuffled[places] = shuffled[rng.permutation(places)]
    return shuffled


def label_scores(logits: Tensor, labels: NDArray[np.int64]) -> dict[str, float]:
    """Top-1 accuracy; with two labels also the area under the ROC curve."""
    scores = {"top1": float((logits.argmax(dim=1).numpy() == labels).mean())}
    if logits.shape[1] == 2 and len(np.unique(labels)) == 2:
        scores["auc"] = float(roc_auc_score(labels, (logits[:, 1] - logits[:, 0]).numpy()))
    return scores


def previous_label_score(examples: TrainingSet) -> float:
    """How often the label is that of the epoch before: far above chance, the order of trials tells the labels."""
    same_run = examples.runs[1:] == examples.runs[:-1]
    return float((examples.labels[1:] == examples.labels[:-1])[same_run].mean())
