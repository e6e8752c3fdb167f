"""Which band the EEG is filtered to: the usual one, unless the plain head errs less in another on runs that it has not seen.

Slow drift hides small responses, a high-pass that is too high removes slow ones; which matters more differs from
headset to headset and from response to response, so it is measured. Bands that are equally good differ by accident,
though, and following that costs more than it brings, so another band has to be better by more than the standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.nn import functional

from bci_live.config import FilterConfig
from bci_live.decoding.card import NetworkSizes
from bci_live.training.folds import folds_by_run
from bci_live.training.heads import inverse_temperature
from bci_live.training.plain import read_held_out
from bci_live.training.preparation import TrainingSet

# The usual one first.
BANDS = (FilterConfig(), *(FilterConfig(low_hz=low) for low in (0.5, 2.0, 3.0)))

# By run and onset of the trial.
Losses = dict[tuple[int, float], float]

# Covariances of prototype and trial grow with the square of the labels: they are for few.
_MOST_LABELS_FOR_PROTOTYPES = 4
# Of 20 and 40 ms in the usual window: many trials a label bear finer patterns.
_FINE_BINS, _COARSE_BINS = 45, 22


def prepare_in_the_best_band(
    prepare: Callable[[FilterConfig], TrainingSet], bands: Sequence[FilterConfig]
) -> tuple[FilterConfig, TrainingSet]:
    """The first of `bands` or the one that is surely better, and the examples as it leaves them; one band is not judged."""
    prepared = [(band, prepare(band)) for band in bands]
    if len(prepared) == 1:
        return prepared[0]
    losses = [held_out_losses(examples) for _, examples in prepared]
    gains = [_sure_gain(losses[0], others) for others in losses]
    return prepared[int(np.argmax(gains))]


def _sure_gain(usual: Losses, other: Losses) -> float:
    """By how much smaller the loss is on average, over the trials that are clean in both; 0 if by less than its standard error."""
    gains = np.array([loss - other[trial] for trial, loss in usual.items() if trial in other])
    mean, error = gains.mean(), gains.std() / len(gains) ** 0.5
    return float(mean) if mean > error else 0.0


def held_out_losses(examples: TrainingSet) -> Losses:
    """Of each trial the cross-entropy of the plain head's calibrated probabilities, of one that had not seen its run."""
    sizes = plain_sizes(len(examples.names), len(examples.channels))
    folds, truth = folds_by_run(examples.runs), torch.from_numpy(examples.labels)
    logits = read_held_out(examples.data, examples.labels, len(examples.names), sizes, folds)
    losses = functional.cross_entropy(inverse_temperature(logits, truth) * logits, truth, reduction="none")
    return dict(zip(zip(examples.runs.tolist(), examples.onsets.tolist(), strict=True), losses.tolist(), strict=True))


def plain_sizes(labels: int, channels: int) -> NetworkSizes:
    """The sizes of the plain head for so many labels and channels; the others are as they come."""
    few = labels <= _MOST_LABELS_FOR_PROTOTYPES
    return NetworkSizes(
        wave_bins=_FINE_BINS if few else _COARSE_BINS, prototype_filters=labels * min(2, channels) if few else 0
    )
