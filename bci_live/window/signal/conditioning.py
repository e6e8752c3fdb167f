"""What the display does to a copy of the samples: band-pass, notch, common average. The decoder never sees it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bci_live.types import FloatArray

_ORDER = 2
_QUALITY = 30.0
# A sensor of 2 Hz within a faster stream still counts as one that goes on.
_HOLE_S = 0.5
_NEVER = 2**40


@dataclass(frozen=True, slots=True)
class DisplayFilter:
    """`band`: Hz, kept of all channels. `notch_hz`: taken out. `average`: the mean of the sound EEG channels is subtracted."""

    band: tuple[float, float] | None = None
    notch_hz: float | None = None
    average: bool = False

    @property
    def filters(self) -> bool:
        """Whether samples depend on those before them."""
        return self.band is not None or self.notch_hz is not None


class Conditioner:
    """Filters causally, chunk by chunk as if it were one; after a break it begins as if the first sample had stood for ever.

    What is no number would stay in a filter for ever. Where a channel has none, the filter goes on with its last one, and
    the result has none there either: a slower sensor that is padded is filtered as steps. After more than half a second
    without, a channel begins as after a break. What does not fit below half the rate is left out.
    """

    def __init__(self, wanted: DisplayFilter, rate: float) -> None:
        self._average = wanted.average
        self._sections = _design(wanted, rate)
        self._longest = round(_HOLE_S * rate)
        self._state: _State | None = None

    def restart(self) -> None:
        """The next sample does not follow on the last one."""
        self._state = None

    def __call__(self, samples: FloatArray, breaks: tuple[int, ...], averaged: Sequence[int]) -> FloatArray:
        """(n, channels), µV → the same shape. `averaged`: the channels that the common average is made of, and taken from."""
        if self._sections is not None:
            edges = sorted({0, *(index for index in breaks if 0 <= index < len(samples)), len(samples)})
            filtered = np.empty_like(samples)
            for start, end in itertools.pairwise(edges):
                if start in breaks:
                    self.restart()
                filtered[start:end] = self._filtered(self._sections, samples[start:end])
            samples = filtered
        if self._average and len(averaged) > 1:
            samples = samples.copy()
            samples[:, averaged] -= _mean(samples[:, averaged])
        return samples

    def _filtered(self, sections: NDArray[np.float64], samples: FloatArray) -> NDArray[np.float64]:
        """A stretch without a break: all channels at once, but those that begin within it."""
        from scipy.signal import sosfilt  # takes half a second, which the window's start has not

        if self._state is None:
            self._state = _State(sections, samples.shape[1])
        state, told = self._state, np.isfinite(samples)
        filled, begun = state.fill(samples, told, self._longest)
        filtered = np.empty(samples.shape)
        late = begun[1:].any(axis=0)
        for group in (np.flatnonzero(~late), *np.flatnonzero(late)[:, None]):
            edges = sorted({0, *np.flatnonzero(begun[:, group].any(axis=1)).tolist(), len(samples)})
            for start, end in itertools.pairwise(edges):
                those = group[begun[start, group]]
                state.filter[:, :, those] = state.stood[:, :, None] * filled[start, those]
                filtered[start:end, group], state.filter[:, :, group] = sosfilt(
                    sections, filled[start:end, group], axis=0, zi=state.filter[:, :, group]
                )
        filtered[~told] = np.nan
        return filtered


class _State:
    """What a stretch leaves to the next. `filter`: (sections, 2, channels); `stood`: where 1 had stood for ever, (sections, 2)."""

    def __init__(self, sections: NDArray[np.float64], channels: int) -> None:
        from scipy.signal import sosfilt_zi

        self.stood: NDArray[np.float64] = sosfilt_zi(sections)
        self.filter = np.zeros((len(sections), 2, channels))
        self._last = np.zeros(channels, np.float32)  # each channel's last number
        self._ago = np.full(channels, _NEVER)  # so many samples before the newest

    def fill(self, samples: FloatArray, told: NDArray[np.bool_], longest: int) -> tuple[FloatArray, NDArray[np.bool_]]:
        """With a channel's last number where it has none; and where one begins, after more than `longest` samples without."""
        begun = np.zeros(told.shape, np.bool_)
        gappy = np.flatnonzero((self._ago > 0) | ~told.all(axis=0))
        if len(gappy):
            places = np.arange(len(samples))[:, None]
            latest = np.maximum.accumulate(np.where(told[:, gappy], places, -1 - self._ago[gappy]), axis=0)
            before = np.vstack([-1 - self._ago[gappy], latest[:-1]])
            begun[:, gappy] = told[:, gappy] & (places - before - 1 > longest)
            held = np.take_along_axis(samples[:, gappy], np.maximum(latest, 0), axis=0)
            samples = samples.copy()
            samples[:, gappy] = np.where(latest < 0, self._last[gappy], held)
            self._ago[gappy] = len(samples) - 1 - latest[-1]
        self._last = samples[-1].copy()
        return samples, begun


def _mean(samples: FloatArray) -> FloatArray:
    """(n, 1): over the channels that are a number at that sample; 0 where none is."""
    told = np.isfinite(samples)
    total = np.where(told, samples, 0).sum(axis=1, keepdims=True)
    return np.asarray(total / np.maximum(told.sum(axis=1, keepdims=True), 1), dtype=samples.dtype)


def _design(wanted: DisplayFilter, rate: float) -> NDArray[np.float64] | None:
    """Second-order sections, or None where nothing is filtered."""
    if not wanted.filters:
        return None
    from scipy.signal import butter, iirnotch, tf2sos

    sections = []
    if wanted.band is not None:
        low, high = wanted.band
        if high < rate / 2:
            sections.append(butter(_ORDER, (low, high), btype="bandpass", fs=rate, output="sos"))
        elif low < rate / 2:
            sections.append(butter(_ORDER, low, btype="highpass", fs=rate, output="sos"))
    if wanted.notch_hz is not None and wanted.notch_hz < rate / 2:
        sections.append(tf2sos(*iirnotch(wanted.notch_hz, _QUALITY, fs=rate)))
    return np.vstack(sections) if sections else None
