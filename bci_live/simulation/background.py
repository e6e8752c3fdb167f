"""What is in every EEG whatever is seen: 1/f activity, alpha, blinks, line noise, noise of the electrodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from bci_live.simulation.conduction import gain, radial

Array = NDArray[np.float64]

_SOURCES = 120
BROADBAND_UV, ALPHA_UV, LINE_UV, ELECTRODE_UV = 7.0, 5.0, 1.5, 0.6
_LINE_HZ = 50.0
_BLINKS_A_MINUTE = 6.0
_BLINK_S = 0.3


@dataclass(frozen=True)
class Background:
    """Topographies, each (channels, sources) or (channels,), scaled so that its strongest electrode has 1."""

    broadband: Array
    alpha: Array
    blink: Array

    @classmethod
    def build(cls, rng: np.random.Generator) -> Self:
        """Random dipoles all over the cortex, a few at the back for alpha, the eyes for blinks."""
        directions = rng.standard_normal((_SOURCES, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        everywhere = directions * rng.uniform(0.05, 0.075, (_SOURCES, 1))
        back = np.array([[-0.03, -0.06, 0.02], [0.03, -0.06, 0.02], [-0.015, -0.055, 0.045], [0.015, -0.055, 0.045]])
        eyes = np.array([[-0.03, 0.075, -0.01], [0.03, 0.075, -0.01]])
        broadband = gain(everywhere, radial(everywhere, 0.7, rng))
        alpha = gain(back, radial(back, 0.3, rng))
        # The eye is positive in front: a blink is largest right above it, and less than half as large at Fz.
        blink = gain(eyes, np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])).sum(axis=1)
        return cls(
            broadband / np.sqrt((broadband**2).sum(axis=1)).mean(),
            alpha / np.sqrt((alpha**2).sum(axis=1)).max(),
            blink / np.abs(blink).max(),
        )

    def simulate(self, n: int, rate: float, rng: np.random.Generator) -> Array:
        """(n, channels), µV."""
        one_over_f = pink(n, self.broadband.shape[1], rng)
        samples = BROADBAND_UV * one_over_f @ self.broadband.T
        samples += ALPHA_UV * _alpha(n, self.alpha.shape[1], rate, rng) @ self.alpha.T
        samples += np.outer(_blinks(n, rate, rng), self.blink)
        line = np.sin(2 * np.pi * _LINE_HZ * np.arange(n) / rate)
        samples += LINE_UV * np.outer(line, rng.uniform(0.3, 1, samples.shape[1]))
        return np.asarray(samples + ELECTRODE_UV * rng.standard_normal(samples.shape))


def pink(n: int, sources: int, rng: np.random.Generator) -> Array:
    """(n, sources) of unit variance with a power that falls as 1/f."""
    spectrum = np.fft.rfft(rng.standard_normal((n, sources)), axis=0)
    frequency = np.maximum(np.fft.rfftfreq(n), 1 / n)[:, None]
    noise = np.fft.irfft(spectrum / np.sqrt(frequency), n, axis=0)
    return np.asarray(noise / noise.std(axis=0))


def _alpha(n: int, sources: int, rate: float, rng: np.random.Generator) -> Array:
    """10 Hz that waxes and wanes."""
    carrier = sosfiltfilt(
        butter(2, (8.5, 11.5), "bandpass", fs=rate, output="sos"), rng.standard_normal((n, sources)), axis=0
    )
    swell = sosfiltfilt(butter(1, 0.3, fs=rate, output="sos"), rng.standard_normal((n, 1)), axis=0)
    return np.asarray(carrier / carrier.std() * np.clip(0.6 + swell / swell.std() * 0.5, 0, None))


def _blinks(n: int, rate: float, rng: np.random.Generator) -> Array:
    course = np.zeros(n)
    length = round(_BLINK_S * rate)
    shape = np.hanning(length)
    for start in rng.integers(0, max(n - length, 1), rng.poisson(_BLINKS_A_MINUTE * n / rate / 60)):
        course[start : start + length] += rng.uniform(50, 90) * shape[: n - start]
    return course
