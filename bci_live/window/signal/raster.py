"""Vertical spans → pixels: all channels of a column at once, by counting where spans begin and end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bci_live.types import FloatArray

Mask = NDArray[np.bool_]


def spans(low: FloatArray, high: FloatArray, height: int, thickness: int = 1) -> Mask:
    """Which pixels of `height` rows are on a line.

    Parameters
    ----------
    low, high : (lines, columns), pixels from the top to where each line begins and ends in a column; NaN: nothing is there.
        What lies outside is cut off.
    height : pixels
    thickness : of a line, pixels

    Returns
    -------
    (height, columns)
    """
    lines, columns = low.shape
    there = (low < height) & (high >= 0)  # NaN is neither
    column = np.broadcast_to(np.arange(columns), (lines, columns))[there]
    top = np.clip(low[there], 0, height - thickness).astype(np.int64)
    bottom = np.clip(high[there], 0, height - thickness).astype(np.int64) + thickness
    size = (height + 1) * columns
    # One more where a span begins, one less after its end: the running sum says how many lie over a pixel.
    steps = np.bincount(top * columns + column, minlength=size) - np.bincount(bottom * columns + column, minlength=size)
    return np.asarray(np.cumsum(steps.reshape(height + 1, columns), axis=0)[:height] > 0)
