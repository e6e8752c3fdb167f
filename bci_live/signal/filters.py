"""Causal filters, run over one stretch of samples from a defined start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, iirnotch, sosfilt, sosfilt_zi, tf2sos

from bci_live.config import FilterConfig
from bci_live.errors import MontageError

NOTCH_QUALITY = 30.0


@dataclass(frozen=True, slots=True)
class CausalFilter:
    """`sections`: (n, 6), of second order. `settled`: (n, 2), their state after a constant 1."""

    sections: NDArray[np.float64]
    settled: NDArray[np.float64]

    def run(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """Filter (n, channels) forward in time, starting as if the first sample had stood there for ever.

        The result depends on these samples alone, never on what came before: that makes online and offline the same.
        """
        start = self.settled[:, :, None] * samples[0].astype(np.float64)
        filtered, _ = sosfilt(self.sections, samples.astype(np.float64), axis=0, zi=start)
        return np.asarray(filtered)


def design(rate: float, config: FilterConfig) -> CausalFilter:
    """The Butterworth band-pass and, where set, the notch.

    Raises
    ------
    MontageError
        If the band does not fit below half the rate.
    """
    if config.high_hz >= rate / 2:
        raise MontageError(
            f"A stream of {rate:g} Hz holds nothing above {rate / 2:g} Hz, but the filter goes up to {config.high_hz:g} Hz. "
            "Use a faster stream, or a decoder with a lower band."
        )
    sections = butter(config.order, (config.low_hz, config.high_hz), btype="bandpass", fs=rate, output="sos")
    if config.notch_hz is not None:
        sections = np.vstack([sections, tf2sos(*iirnotch(config.notch_hz, NOTCH_QUALITY, fs=rate))])
    return CausalFilter(sections, sosfilt_zi(sections))
