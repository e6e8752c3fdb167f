"""What is in every EEG whatever is seen: 1/f activity, alpha, blinks, line noise, noise of the electrodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from bci_live.simulation.conduction import gain, radial

Array = NDArray[np.float64]

_SOURCES = 120
BROADBAND_UV, ALPHA_UV, LINE_UV, ELECTRODE_UV = 5.2, 9.0, 1.5, 0.6
_LINE_HZ = 50.0
_BLINKS_A_MINUTE = 6.0
_BLINK_S = 0.3
_ALPHA_EDGE_S = 5.0


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of activity: sources alike in time, each with its own place.

    `topography`: (channels, sources), µV. `course`: (n, rate, random generator) → one (n, sources) course a source.
    """

    topography: Array
    course: Callable[[int, float, np.random.Generator], Array]


@dataclass(frozen=True)
class Background:
    """All that goes on whatever is seen: the sum of its parts, which are independent of each other."""

    parts: tuple[Part, ...]

    @classmethod
    def build(cls, rng: np.random.Generator) -> Self:
        """Random dipoles all over the cortex, a few at the back for alpha, the eyes for blinks; line and electrode noise."""
        directions = rng.standard_normal((_SOURCES, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        everywhere = directions * rng.uniform(0.05, 0.075, (_SOURCES, 1))
        back = np.array([[-0.03, -0.06, 0.02], [0.03, -0.06, 0.02], [-0.015, -0.055, 0.045], [0.015, -0.055, 0.045]])
        broadband = gain(everywhere, radial(everywhere, 0.7, rng))
        broadband *= BROADBAND_UV / np.sqrt((broadband**2).sum(axis=1)).mean()
        alpha = gain(back, radial(back, 0.3, rng))
        alpha *= ALPHA_UV / np.sqrt((alpha**2).sum(axis=1)).max()
        channels = len(broadband)
        return cls(
            (
                Part(broadband, lambda n, _, rng: pink(n, _SOURCES, rng)),
                Part(alpha, lambda n, rate, rng: _alpha(n, len(back), rate, rng)),
                Part(blink_topography()[:, None], lambda n, rate, rng: _blinks(n, rate, rng)[:, None]),
                Part(LINE_UV * rng.uniform(0.3, 1, (channels, 1)), lambda n, rate, _: _line(n, rate)[:, None]),
                Part(ELECTRODE_UV * np.eye(channels), lambda n, _, rng: rng.standard_normal((n, channels))),
            )
        )

    def simulate(self, n: int, rate: float, rng: np.random.Generator) -> Array:
        """(n, channels), µV."""
        return np.asarray(sum(part.course(n, rate, rng) @ part.topography.T for part in self.parts))


def blink_topography() -> Array:
    """(channels,), 1 on the strongest: the eye is positive in front, so it is largest right above it and small behind Fz."""
    eyes = np.array([[-0.03, 0.075, -0.01], [0.03, 0.075, -0.01]])
    blink = gain(eyes, np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])).sum(axis=1)
    return np.asarray(blink / np.abs(blink).max())


def pink(n: int, sources: int, rng: np.random.Generator) -> Array:
    """(n, sources) of unit variance with a power that falls as 1/f."""
    spectrum = np.fft.rfft(rng.standard_normal((n, sources)), axis=0)
    frequency = np.maximum(np.fft.rfftfreq(n), 1 / n)[:, None]
    noise = np.fft.irfft(spectrum / np.sqrt(frequency), n, axis=0)
    return np.asarray(noise / noise.std(axis=0))


def _alpha(n: int, sources: int, rate: float, rng: np.random.Generator) -> Array:
    """10 Hz that waxes and wanes."""
    edge = round(_ALPHA_EDGE_S * rate)  # filters begin and end wildly
    length = n + 2 * edge
    carrier = sosfiltfilt(
        butter(2, (8.5, 11.5), "bandpass", fs=rate, output="sos"), rng.standard_normal((length, sources)), axis=0
    )[edge : n + edge]
    swell = sosfiltfilt(butter(1, 0.3, fs=rate, output="sos"), rng.standard_normal((length, 1)), axis=0)[
        edge : n + edge
    ]
    return np.asarray(carrier / carrier.std() * np.clip(0.6 + swell / swell.std() * 0.5, 0, None))


def _line(n: int, rate: float) -> Array:
    return np.asarray(np.sin(2 * np.pi * _LINE_HZ * np.arange(n) / rate))


def _blinks(n: int, rate: float, rng: np.random.Generator) -> Array:
    course = np.zeros(n)
    length = round(_BLINK_S * rate)
    shape = np.hanning(length)
    for start in rng.integers(0, max(n - length, 1), rng.poisson(_BLINKS_A_MINUTE * n / rate / 60)):
        course[start : start + length] += rng.uniform(50, 90) * shape[: n - start]
    return course
