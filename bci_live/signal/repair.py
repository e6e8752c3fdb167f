"""What an electrode that fell silent would have told: its conditional expectation, given the others.

EEG spreads through the head, so neighbours tell most of a channel. For a normal distribution with covariance C the
expectation of bad channels is C_bg C_gg⁻¹ times the good ones; a decoder's linear heads then lose no more than what no other
channel knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bci_live.types import FloatArray

# More than this would be invented rather than filled in.
MOST_SHARE, FEWEST_GOOD = 0.25, 8
# Towards independent channels, as a share of the mean variance: against doubled channels.
_SHRINKAGE = 1e-2


@dataclass(frozen=True, slots=True)
class ChannelRepair:
    """`covariance`: (channels, channels), µV², of clean prepared epochs."""

    covariance: NDArray[np.float64]

    @classmethod
    def fitted(cls, data: FloatArray) -> Self | None:
        """From clean epochs (n, channels, times), µV, whose mean over time is about zero; None where nothing may be filled."""
        channels = data.shape[1]
        if not len(data) or not can_fill(1, channels):
            return None
        rows = data.astype(np.float64).transpose(1, 0, 2).reshape(channels, -1)
        covariance = rows @ rows.T / rows.shape[1]
        mean = np.trace(covariance) / channels
        return cls((1 - _SHRINKAGE) * covariance + _SHRINKAGE * mean * np.eye(channels))

    def fill(self, data: FloatArray, bad: Sequence[int]) -> FloatArray:
        """(channels, times), µV, with the rows `bad` in place of what was there."""
        good, missing = np.setdiff1d(np.arange(len(self.covariance)), bad), np.array(bad)
        weights = np.linalg.solve(self.covariance[np.ix_(good, good)], self.covariance[np.ix_(good, missing)])
        filled = data.copy()
        filled[missing] = weights.T @ data[good].astype(np.float64)
        return filled


def can_fill(bad: int, channels: int) -> bool:
    """Whether so many of so many channels may be filled in."""
    return bad <= MOST_SHARE * channels and channels - bad >= FEWEST_GOOD
