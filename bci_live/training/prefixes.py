"""Fits the heads that read the beginning of a window: each calibrated, and scored, on runs that it has not seen."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from bci_live.decoding.card import DecoderCard
from bci_live.decoding.decoder import DecoderNetwork
from bci_live.decoding.heads import PrefixHead
from bci_live.training.folds import folds_by_run
from bci_live.training.heads import inverse_temperature
from bci_live.training.plain import fit_plain, read_held_out
from bci_live.training.preparation import TrainingSet
from bci_live.training.validation import label_scores, shuffled_within_runs

# Seconds after the onset: what the fast responses tell, what most responses tell, and nearly everything.
PREFIXES_S = (0.25, 0.4, 0.6)

Scores = dict[str, float]


def fit_prefixes(
    heads: nn.ModuleList, card: DecoderCard, examples: TrainingSet, seed: int, known: DecoderNetwork | None = None
) -> tuple[Scores, Scores]:
    """Fit the heads, one for each of the card's prefixes; to those of another person's decoder they are shrunk.

    Returns
    -------
    Scores on runs left out, by name and end (`top1_at_250ms`); and those of the first fold with the labels shuffled
    within each run
    """
    count, folds, shuffled = len(card.labels), folds_by_run(examples.runs), shuffled_within_runs(examples, seed)
    truth, hold = torch.from_numpy(examples.labels), folds[0][1]
    scores: Scores = {}
    controls: Scores = {}
    for number, (module, until_s) in enumerate(zip(heads, card.prefixes, strict=True)):
        head = PrefixHead(card, until_s)
        expected = None if known is None else cast(PrefixHead, known.prefixes[number]).plain
        data, at = head.stretch(torch.from_numpy(examples.data)).numpy(), f"at_{1000 * until_s:g}ms"
        logits = read_held_out(data, examples.labels, count, head.sizes, folds, expected)
        by_chance = read_held_out(data, shuffled, count, head.sizes, folds[:1], expected)[hold]
        scores |= {f"{name}_{at}": value for name, value in label_scores(logits, examples.labels).items()}
        controls |= {f"{name}_{at}_shuffled": value for name, value in label_scores(by_chance, shuffled[hold]).items()}
        head.plain.load_state_dict(fit_plain(data, examples.labels, count, head.sizes, expected).state_dict())
        head.inverse_temperature.fill_(inverse_temperature(logits, truth))
        module.load_state_dict(head.state_dict())
    return scores, controls
