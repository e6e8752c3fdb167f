"""Which runs are held out together. Never single trials: neighbours in time resemble each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bci_live.errors import LabelError
from bci_live.training.ridge import Fold

MOST_FOLDS = 4


def folds_by_run(runs: NDArray[np.int64]) -> list[Fold]:
    """Pairs of indices (to fit on, to hold out); each run is held out once, whole.

    A single run is divided into stretches of time instead.
    """
    if len(np.unique(runs)) == 1:
        runs = np.arange(len(runs)) * MOST_FOLDS // len(runs)
    different = np.unique(runs)
    parts = np.array_split(different, min(MOST_FOLDS, len(different)))
    return [(np.flatnonzero(~np.isin(runs, part)), np.flatnonzero(np.isin(runs, part))) for part in parts]


def check_learnable(labels: NDArray[np.int64], names: Sequence[str], runs: NDArray[np.int64]) -> None:
    """Whether each label can be learnt without any one of the parts that are held out.

    Raises
    ------
    LabelError
        If a label is there in one part alone, as in a block design.
    """
    for fit, _ in folds_by_run(runs):
        counts = np.bincount(labels[fit], minlength=len(names))
        if counts.min() < 2:
            name = names[int(counts.argmin())]
            where = "one stretch of the session" if len(np.unique(runs)) == 1 else "one group of sessions"
            raise LabelError(
                f"All but {counts.min()} epochs of {name!r} are in {where}, so whether it is read or only the time can't be told. "
                "Show the labels in random order, each in several sessions, or leave it out with --labels."
            )


def describe_split(runs: NDArray[np.int64]) -> str:
    """How the validation was split, in words."""
    count = len(np.unique(runs))
    if count == 1:
        return f"validated on {MOST_FOLDS} stretches of time of one session, each left out once"
    return f"validated on {min(MOST_FOLDS, count)} groups of whole recordings out of {count}, each left out once"
