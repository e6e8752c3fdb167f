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

    So does a channel that was no number for a while; the others filter as if it were not there. What does not fit below
    half the rate is left out.
    """

    def __init__(self, wanted: DisplayFilter, rate: float) -> None:
        self._average = wanted.average
        self._sections = _design(wanted, rate)
        self._state: NDArray[np.float64] | None = None

    def restart(self) -> None:
        """The next sample does not follow on the last one."""
        self._state = None

    def __call__(self, samples: FloatArray, breaks: tuple[int, ...], averaged: Sequence[int]) -> FloatArray:
        """(n, channels), µV → the same shape. `averaged`: the channels that the common average is made of, and taken from."""
        if self._sections is not None:
            samples = self._filtered(self._sections, samples, breaks)
        if self._average and len(averaged) > 1:
            samples = samples.copy()
            samples[:, averaged] -= _mean(samples[:, averaged])
        return samples

    def _filtered(self, sections: NDArray[np.float64], samples: FloatArray, breaks: tuple[int, ...]) -> FloatArray:
        """Stretch by stretch, in each of which every channel is a number throughout or not at all.

        What is no number would stay in a filter for ever: its channel begins anew after it, and the others go on.
        """
        from scipy.signal import sosfilt, sosfilt_zi  # takes half a second, which the window's start has not

        told = np.isfinite(samples)
        changes = np.flatnonzero((told[1:] != told[:-1]).any(axis=1)) + 1
        edges = sorted({0, *changes.tolist(), *(index for index in breaks if 0 <= index < len(samples)), len(samples)})
        filtered = np.full_like(samples, np.nan)
        for start, end in itertools.pairwise(edges):
            there = told[start]
            if self._state is None or start in breaks:
                self._state = np.full((len(sections), 2, samples.shape[1]), np.nan)
            self._state[:, :, ~there] = np.nan
            begun = there & ~np.isfinite(self._state).all(axis=(0, 1))
            if begun.any():
                self._state[:, :, begun] = sosfilt_zi(sections)[:, :, None] * samples[start, begun]
            filtered[start:end, there], self._state[:, :, there] = sosfilt(
                sections, samples[start:end, there], axis=0, zi=self._state[:, :, there]
            )
        return filtered


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
