"""Trains the label heads on all but some runs and lets them read those: what is chosen and scored rests on this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from bci_live.decoding.card import DecoderCard
from bci_live.decoding.heads import CaptionHead
from bci_live.training.encoder import EncoderTraining, train_encoder
from bci_live.training.folds import folds_by_run
from bci_live.training.heads import Blend, fit_captions
from bci_live.training.plain import fit_plain
from bci_live.training.preparation import TrainingSet
from bci_live.training.ridge import Fold

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


@dataclass(frozen=True, slots=True)
class _FoldResult:
    logits: Tensor
    features: list[tuple[Tensor, Tensor]]


def hold_out(
    examples: TrainingSet,
    card: DecoderCard,
    captions: Tensor,
    settings: EncoderTraining,
    seed: int,
    device: torch.device,
    phase: Phase,
) -> HeldOut:
    """Every run read by heads trained on the others; the number of passes is the one that suits all folds best."""
    folds = folds_by_run(examples.runs)
    labels = torch.from_numpy(examples.labels)
    results, plain = [], torch.zeros(len(labels), len(card.labels), dtype=torch.float64)
    for number, fold in enumerate(folds):
        report = phase(f"encoder, fold {number + 1} of {len(folds)}")
        results.append(_read_by_pass(examples, examples.labels, card, fold, settings, seed, device, report))
        plain[fold[1]] = _plain_logits(examples, examples.labels, card, fold)
    curve = torch.zeros(settings.passes)
    for fold, result in zip(folds, results, strict=True):
        for index in range(settings.passes):
            curve[index] += functional.cross_entropy(result.logits[index], labels[fold[1]], reduction="sum")
    best = int(curve.argmin())
    deep, nearness = torch.zeros(len(labels), len(card.labels)), torch.zeros(len(labels), len(card.labels))
    for fold, result in zip(folds, results, strict=True):
        deep[fold[1]] = result.logits[best]
        head = CaptionHead(card)
        fitted, held = result.features[best]
        fit_captions(head, captions, fitted, examples.labels[fold[0]], folds_by_run(examples.runs[fold[0]]))
        nearness[fold[1]] = head.nearness(held)
    return HeldOut(deep, plain, nearness, best + 1)


def shuffled_control(
    examples: TrainingSet,
    card: DecoderCard,
    blend: Blend,
    passes: int,
    settings: EncoderTraining,
    seed: int,
    device: torch.device,
    phase: Phase,
) -> dict[str, float]:
    """The first fold once more, with the labels shuffled within each run: what the same heads score by accident."""
    fold = folds_by_run(examples.runs)[0]
    rng = np.random.default_rng(seed)
    shuffled = examples.labels.copy()
    for run in np.unique(examples.runs):
        places = np.flatnonzero(examples.runs == run)
        shuffled[places] = shuffled[rng.permutation(places)]
    result = _read_by_pass(
        examples, shuffled, card, fold, settings, seed, device, phase("control: shuffled labels"), passes
    )
    logits = blend.weights[0] * result.logits[-1] + blend.weights[1] * _plain_logits(examples, shuffled, card, fold)
    return {f"{name}_shuffled": value for name, value in label_scores(logits, shuffled[fold[1]]).items()}


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


def _read_by_pass(
    examples: TrainingSet,
    labels: NDArray[np.int64],
    card: DecoderCard,
    fold: Fold,
    settings: EncoderTraining,
    seed: int,
    device: torch.device,
    report: Callable[[float, str], None],
    passes: int | None = None,
) -> _FoldResult:
    """Logits (passes, held out, labels) and features (fitted, held out) after each pass."""
    fit, hold = fold
    logits, features = [], []
    networks = train_encoder(
        examples.data[fit], labels[fit], len(card.labels), card.sizes, settings, seed, device, report
    )
    for network, _ in zip(networks, range(passes or settings.passes), strict=False):
        held, scores = network.read(examples.data[hold])
        features.append((network.read(examples.data[fit])[0], held))
        logits.append(scores)
    return _FoldResult(torch.stack(logits), features)


def _plain_logits(examples: TrainingSet, labels: NDArray[np.int64], card: DecoderCard, fold: Fold) -> Tensor:
    fit, hold = fold
    head = fit_plain(examples.data[fit], labels[fit], len(card.labels), card.sizes)
    logits: Tensor = head(torch.from_numpy(examples.data[hold]))
    return logits
