"""EEG samples → what is drawn of them: arithmetic, no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bci_live.types import Chunk, FloatArray

# A railed or unplugged channel may leave its row by so many rows, not scribble over all of them.
_REACH = 3.0
_STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0)


@dataclass(frozen=True, slots=True)
class Traces:
    """What is drawn: `seconds` (points,) before the newest sample, ≤ 0; `values` (channels, points) in µV around zero.

    NaN at a point breaks the line there: samples were lost. `newest`: the time that 0 s stands for, s.
    """

    seconds: NDArray[np.float64]
    values: FloatArray
    newest: float


def make_traces(chunk: Chunk, seconds: float, pixels: int) -> Traces:
    """Smallest and largest sample of each column of pixels, so that no spike is lost and no point is drawn in vain.

    The columns are anchored to the absolute time: a peak keeps its shape while it scrolls.
    """
    samples, times, breaks = _last_pass(chunk)
    if len(times) == 0:
        return Traces(np.empty(0), np.empty((samples.shape[1], 0), np.float32), 0.0)
    newest = float(times[-1])
    starts, segment = _columns(times, breaks, seconds / max(pixels, 1))
    centred = samples - np.median(samples, axis=0)
    low = np.minimum.reduceat(centred, starts, axis=0)
    high = np.maximum.reduceat(centred, starts, axis=0)
    # Whichever comes first within the column is drawn first, by the slope at its ends.
    rising = centred[starts] <= centred[np.append(starts[1:], len(times)) - 1]
    pairs = np.stack([np.where(rising, low, high), np.where(rising, high, low)], axis=1).reshape(-1, samples.shape[1])
    seconds_of = np.repeat(times[starts] - newest, 2)
    holes = np.flatnonzero(np.diff(np.repeat(segment, 2))) + 1
    pairs = np.insert(pairs, holes, np.nan, axis=0)
    seconds_of = np.insert(seconds_of, holes, seconds_of[holes])
    return Traces(seconds_of, np.ascontiguousarray(pairs.T, dtype=np.float32), newest)


def row_height(values: FloatArray, before: float | None) -> float:
    """µV from one channel's row to the next: a round number, such that most channels fill their rows; peaks cross.

    `before`: the height so far; it stays while it still fits, so that the picture does not jump.
    """
    finite = values[:, np.isfinite(values).all(axis=0)] if values.size else values
    if finite.shape[1] < 2:
        return before or 100.0
    low, high = np.percentile(finite, [6, 94], axis=1)
    swing = float(max(np.median(high - low), 1e-3))
    if before is not None and 0.5 * before <= swing <= 1.25 * before:
        return before
    power = 10.0 ** np.floor(np.log10(swing))
    return float(next((step * power for step in _STEPS if step * power >= swing), 10 * power))


def stack(values: FloatArray, height_uv: float) -> FloatArray:
    """(channels, points) in µV → rows: the first channel at 0, the next at -1; a wild one is cut three rows away."""
    rows = -np.arange(len(values), dtype=np.float32)[:, None]
    return np.asarray(np.clip(values / np.float32(height_uv), -_REACH, _REACH) + rows, dtype=np.float32)


def joined(seconds: NDArray[np.float64], rows: FloatArray) -> tuple[NDArray[np.float64], FloatArray]:
    """Several rows as one curve: a NaN after each keeps it from the next."""
    ends = np.full((len(rows), 1), np.nan, dtype=np.float32)
    apart = np.append(seconds, seconds[-1:])
    return np.tile(apart, len(rows)), np.concatenate([rows, ends], axis=1).ravel()


def _last_pass(chunk: Chunk) -> tuple[FloatArray, NDArray[np.float64], tuple[int, ...]]:
    """The chunk from the sender's last step back in time on: what lies before would be drawn over it."""
    times = chunk.times
    back = [index for index in chunk.breaks if 0 < index < len(times) and times[index] <= times[index - 1]]
    start = back[-1] if back else 0
    breaks = tuple(index - start for index in chunk.breaks if index > start)
    return chunk.samples[start:], times[start:], breaks


def _columns(
    times: NDArray[np.float64], breaks: tuple[int, ...], width_s: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first sample of each column, and the contiguous segment that it belongs to; a column never spans a break."""
    column = np.floor(times / width_s).astype(np.int64)
    segment = np.zeros(len(times), dtype=np.intp)
    segment[list(breaks)] = 1
    segment = np.cumsum(segment)
    new = (np.diff(column) != 0) | (np.diff(segment) != 0)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1]).astype(np.intp)
    return starts, segment[starts]
