"""How high a row is and where its middle lies, by type of channel: arithmetic, no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bci_live.types import FloatArray

STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0)
# Every so many columns are enough to tell how far a signal swings.
_EVERY = 4
# A baseline may move by so much of a row before the rows are laid out anew.
_DRIFT = 0.3
# To draw by while nothing is known; what is stored as a height was found, or set by the user.
_UNKNOWN = 100.0


def row_height(low: FloatArray, high: FloatArray, before: float | None = None) -> float | None:
    """Units from one channel's row to the next: a round number, such that most channels fill their rows; peaks cross.

    `low`, `high`: (channels, columns). `before`: the height so far; it stays while it still fits, so that the picture does
    not jump. None where nothing is known: there was none, and no channel moves yet.
    """
    low, high = _thinned(low), _thinned(high)
    alive = np.isfinite(low).any(axis=1)
    if low.shape[1] < 2 or not alive.any():
        return before
    low, high = low[alive], high[alive]
    percentile = np.nanpercentile if np.isnan(low).any() else np.percentile  # the former is slow
    swing = float(np.median(percentile(high, 94, axis=1) - percentile(low, 6, axis=1)))
    if not swing or (before is not None and 0.5 * before <= swing <= 1.25 * before):
        return before
    return next_step(max(swing, 1e-3))


def next_step(value: float) -> float:
    """The round number at or above `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next((step * power for step in STEPS if step * power >= value * 0.999), 10 * power))


def step_by(height: float, steps: int) -> float:
    """The round number so many steps above (or below) `height`."""
    for _ in range(abs(steps)):
        height = next_step(height * 1.05) if steps > 0 else _below(height)
    return height


def middles(low: FloatArray, high: FloatArray, before: FloatArray | None, heights: FloatArray) -> FloatArray:
    """Where each channel's row has its middle, its own units: (channels,). A drift of little more than noise moves none.

    `before`: the middles so far, None where all are new. `heights`: (channels,), of the rows.
    """
    thin = (_thinned(low) + _thinned(high)) / 2
    if not thin.shape[1]:
        return np.zeros(len(low), np.float32) if before is None else before
    alive = np.isfinite(thin).any(axis=1)
    middle = np.zeros(len(thin), np.float32) if before is None else before.copy()
    middle[alive] = (np.nanmedian if np.isnan(thin).any() else np.median)(thin[alive], axis=1)
    if before is None:
        return middle
    return np.where(np.abs(middle - before) > _DRIFT * heights, middle, before)


def by_type(types: Sequence[str], heights: Mapping[str, float]) -> FloatArray:
    """The height of each channel's row."""
    return np.array([heights.get(type_, _UNKNOWN) for type_ in types], np.float32)


def _below(height: float) -> float:
    power = 10.0 ** np.floor(np.log10(height * 0.999))
    return float(max((step * power for step in STEPS if step * power < height * 0.999), default=power))


def _thinned(values: FloatArray) -> NDArray[np.float32]:
    """Every fourth column, without those of gaps; all, where a slower sensor has numbers in few of them."""
    filled = np.isfinite(values).sum(axis=1)
    slower = (filled > 0) & (filled < filled.max(initial=0) / 2)
    thin = values if slower.any() else values[:, ::_EVERY]
    return thin[:, np.isfinite(thin).any(axis=0)]
