"""Which band the EEG is filtered to: the one in which the plain head errs least on runs that it has not seen.

Slow drift hides small responses, a high-pass that is too high removes slow ones; which matters more differs from
headset to headset and from response to response, so it is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from bci_live.config import FilterConfig
from bci_live.decoding.card import NetworkSizes
from bci_live.training.folds import folds_by_run
from bci_live.training.heads import calibrated_entropy
from bci_live.training.plain import read_held_out
from bci_live.training.preparation import TrainingSet

BANDS = tuple(FilterConfig(low_hz=low) for low in (0.5, 1.0, 2.0, 3.0))

# Covariances of prototype and trial grow with the square of the labels: they are for few.
_MOST_LABELS_FOR_PROTOTYPES = 4
# Of 20 and 40 ms in the usual window: many trials a label bear finer patterns.
_FINE_BINS, _COARSE_BINS = 45, 22


def prepare_in_the_best_band(
    prepare: Callable[[FilterConfig], TrainingSet], bands: Sequence[FilterConfig]
) -> tuple[FilterConfig, TrainingSet]:
    """The band of `bands` that suits the plain head best, and the examples as it leaves them; one band is not judged."""
    prepared = [(band, prepare(band)) for band in bands]
    return prepared[0] if len(prepared) == 1 else min(prepared, key=lambda it: held_out_entropy(it[1]))


def held_out_entropy(examples: TrainingSet) -> float:
    """Cross-entropy of the plain head's calibrated probabilities, each trial read by one that had not seen its run."""
    sizes = plain_sizes(len(examples.names), len(examples.channels))
    folds = folds_by_run(examples.runs)
    logits = read_held_out(examples.data, examples.labels, len(examples.names), sizes, folds)
    return calibrated_entropy(logits, torch.from_numpy(examples.labels))


def plain_sizes(labels: int, channels: int) -> NetworkSizes:
    """The sizes of the plain head for so many labels and channels; the others are as they come."""
    few = labels <= _MOST_LABELS_FOR_PROTOTYPES
    return NetworkSizes(
        wave_bins=_FINE_BINS if few else _COARSE_BINS, prototype_filters=labels * min(2, channels) if few else 0
    )
