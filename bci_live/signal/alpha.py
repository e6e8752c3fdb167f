"""Whether closing the eyes makes alpha waves: the oldest sign that what comes out of a cap is EEG (Berger 1929)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bci_live.signal.positions import position
from bci_live.types import FloatArray

ALPHA_HZ = (8.0, 12.0)
# Beside it, where closing the eyes changes nothing: what grows there, too, is movement or drift.
_BESIDE_HZ = ((4.0, 7.0), (14.0, 20.0))
# So much more of the spectrum must be alpha with closed eyes.
SEEN = 1.5
_SEGMENT_S = 2.0


@dataclass(frozen=True, slots=True)
class AlphaVerdict:
    """`ratio`: relative alpha power with closed eyes over that with open eyes. `channels`: where it was looked for."""

    ratio: float
    channels: tuple[str, ...]

    @property
    def seen(self) -> bool:
        """Whether closing the eyes made alpha waves."""
        return self.ratio >= SEEN

    def describe(self) -> str:
        """One sentence, with the remedy where it is needed."""
        where = ", ".join(self.channels[:4]) + (", …" if len(self.channels) > 4 else "")
        if self.seen:
            return f"Alpha seen: {self.ratio:.1f} × as much with closed eyes ({where})."
        return (
            f"Alpha not seen: {self.ratio:.1f} × with closed eyes, less than {SEEN:g} ({where}). One person in ten has little; "
            "otherwise look after the electrodes at the back of the head and the reference, and try again."
        )


def alpha_verdict(opened: FloatArray, closed: FloatArray, rate: float, names: Sequence[str]) -> AlphaVerdict:
    """`opened`, `closed`: (n, channels), µV, of some seconds each, EEG alone. The hindmost half of the electrodes is judged."""
    places = [position(name) for name in names]
    back = [index for index, place in enumerate(places) if place is not None and place[1] < -0.3]
    judged = back or list(range(len(names)))
    change = [_relative(closed[:, index], rate) / _relative(opened[:, index], rate) for index in judged]
    return AlphaVerdict(float(np.median(change)), tuple(names[index] for index in judged))


def _relative(samples: FloatArray, rate: float) -> float:
    """Alpha power over that of the bands beside it, median over segments, so that a blink does not decide."""
    length = round(_SEGMENT_S * rate)
    pieces = [samples[start : start + length] for start in range(0, len(samples) - length + 1, length // 2)]
    hz = np.fft.rfftfreq(length, 1 / rate)
    power = np.median([np.abs(np.fft.rfft((it - it.mean()) * np.hanning(length))) ** 2 for it in pieces], axis=0)
    beside = sum(float(power[(hz >= low) & (hz <= high)].mean()) for low, high in _BESIDE_HZ) / len(_BESIDE_HZ)
    return float(power[(hz >= ALPHA_HZ[0]) & (hz <= ALPHA_HZ[1])].mean()) / max(beside, 1e-12)
