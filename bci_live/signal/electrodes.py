"""How good the contact of each electrode is, from a few seconds of its signal: a light, and why in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from bci_live.signal.quality import LOUD, faults
from bci_live.types import FloatArray, StreamFacts

BAND_HZ = (1.0, 40.0)
# Mains against EEG, as a ratio of amplitudes.
_MAINS = (1.0, 4.0)
# Amplitude against the median electrode's, as a ratio, upwards and downwards.
_LOUD = (3.0, LOUD)
# The best correlation with any other electrode: neighbours on a head see much of the same (Bigdely-Shamlo et al. 2015 take
# 0.4 as the limit of a bad channel). Two that are this alike are joined by gel.
_ALONE = 0.4
_BRIDGED = 0.9995
_ENOUGH = 4  # electrodes, to compare one with the others
_SHORTEST_S = 1.0
# What is around the electrode's name in that of its impedance: "Fz_imp", "Impedance Fz", "Z-Fz".
_AFFIX = re.compile(r"[\s_-]+(?:impedance|imp|z)$|^(?:impedance|imp|z)[\s_-]+", re.IGNORECASE)
_KILO_OHM = ("kohm", "kohms", "kω", "kiloohm", "kiloohms")


_Tell = Callable[[int, "Light", str], None]


class Light(IntEnum):
    """Of a traffic light; told by shape and words, too."""

    GREEN = 0
    YELLOW = 1
    RED = 2


@dataclass(frozen=True, slots=True)
class Electrode:
    """`why`: in words, empty when it is sound."""

    name: str
    light: Light
    why: tuple[str, ...] = ()


def judge(samples: FloatArray, rate: float, names: Sequence[str], mains_hz: float = 50.0) -> tuple[Electrode, ...]:
    """`samples`: (n, channels), µV, without a gap. Nothing is told of less than a second."""
    if len(samples) < _SHORTEST_S * rate:
        return ()
    worst: list[tuple[Light, list[str]]] = [(Light.GREEN, []) for _ in names]

    def tell(index: int, light: Light, why: str) -> None:
        worst[index] = max(worst[index][0], light), [*worst[index][1], why]

    for name, what in faults(samples, names).items():
        tell(list(names).index(name), Light.RED, what)
    alive = [index for index, (light, _) in enumerate(worst) if light == Light.GREEN]
    if alive:
        spectrum = _Spectrum(samples[:, alive], rate)
        eeg, mains = spectrum.amplitude(*BAND_HZ), spectrum.amplitude(mains_hz - 1.5, mains_hz + 1.5)
        for index, ratio in zip(alive, mains / np.maximum(eeg, 1e-9), strict=True):
            if ratio > _MAINS[0]:
                tell(index, _severity(ratio, _MAINS), f"line noise, {ratio:.1f} × the EEG at {mains_hz:g} Hz")
        if len(alive) >= _ENOUGH:
            # So many samples of so low a band are enough.
            every = max(1, int(rate / (2.5 * BAND_HZ[1])))
            _compare(alive, eeg, spectrum.band(*BAND_HZ)[::every], names, tell)
    return tuple(Electrode(name, light, tuple(why)) for name, (light, why) in zip(names, worst, strict=True))


def impedances(samples: FloatArray, facts: StreamFacts) -> dict[str, float]:
    """The newest impedance of each electrode, kΩ, where the stream has channels of that type, named after their electrodes.

    `samples`: (n, the stream's channels).
    """
    named = zip(facts.channels, facts.channel_types, facts.units, strict=True)
    return {
        _AFFIX.sub("", name).lower(): float(samples[-1, index]) * (1.0 if unit.lower() in _KILO_OHM else 1e-3)
        for index, (name, type_, unit) in enumerate(named)
        if type_.startswith("imp") and len(samples)
    }


class _Spectrum:
    """Of (n, channels), the mean and the trend's ends smoothed away by a Hann window."""

    def __init__(self, samples: FloatArray, rate: float) -> None:
        self._n = len(samples)
        centred = samples - samples.mean(axis=0)
        self._values = np.fft.rfft(centred * np.hanning(self._n)[:, None], axis=0)
        self._hz = np.fft.rfftfreq(self._n, 1 / rate)

    def amplitude(self, low: float, high: float) -> NDArray[np.float64]:
        """Root of the power between `low` and `high` Hz: (channels,)."""
        inside = (self._hz >= low) & (self._hz <= high)
        return np.asarray(np.sqrt((np.abs(self._values[inside]) ** 2).sum(axis=0)))

    def band(self, low: float, high: float) -> NDArray[np.float64]:
        """The signal between `low` and `high` Hz: (n, channels)."""
        inside = (self._hz >= low) & (self._hz <= high)
        return np.asarray(np.fft.irfft(np.where(inside[:, None], self._values, 0), self._n, axis=0))


def _compare(
    alive: list[int], eeg: NDArray[np.float64], band: NDArray[np.float64], names: Sequence[str], tell: _Tell
) -> None:
    """Each electrode with the others."""
    ratio = eeg / max(float(np.median(eeg)), 1e-9)
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = np.asarray(np.nan_to_num(np.corrcoef(band.T)))
    np.fill_diagonal(alike, 0)
    closest = np.abs(alike).argmax(axis=1)
    for place, index in enumerate(alive):
        if ratio[place] > _LOUD[0]:
            tell(index, _severity(ratio[place], _LOUD), f"variance, {ratio[place]:.1f} × the others' amplitude")
        elif ratio[place] < 1 / _LOUD[1]:
            tell(index, Light.YELLOW, f"variance, only {ratio[place]:.2f} × the others' amplitude")
        best = float(np.abs(alike[place]).max())
        if best > _BRIDGED:
            tell(index, Light.YELLOW, f"bridged with {names[alive[closest[place]]]}: their signals are the same")
        elif best < _ALONE:
            tell(index, Light.YELLOW, f"correlation with no other electrode is above {best:.1f}")


def _severity(ratio: float, limits: tuple[float, float]) -> Light:
    return Light.RED if ratio > limits[1] else Light.YELLOW
