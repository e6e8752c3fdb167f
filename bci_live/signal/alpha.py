"""Whether closing the eyes makes alpha waves: the oldest sign that what comes out of a cap is EEG (Berger 1929)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bci_live.signal.positions import position
from bci_live.types import FloatArray

ALPHA_HZ = (8.0, 12.0)
# Beside it, where closing the eyes changes nothing: what grows there, too, is movement or drift.
_BESIDE_HZ = ((4.0, 7.0), (14.0, 20.0))
# So much more of the spectrum must be alpha with closed eyes, and by so many standard errors over the segments: alpha waxes and
# wanes by itself. Of two stretches of 13 s in which nobody closed the eyes, 31 % differ by the ratio alone, 6 % by both (demo.xdf).
SEEN = 1.5
_SURE = 2.0
_SEGMENT_S = 2.0


@dataclass(frozen=True, slots=True)
class AlphaVerdict:
    """`ratio`: relative alpha power with closed eyes over that with open eyes. `errors`: by how many standard errors it is over 1.

    `channels`: where it was looked for.
    """

    ratio: float
    errors: float
    channels: tuple[str, ...]

    @property
    def seen(self) -> bool:
        """Whether closing the eyes made alpha waves."""
        return self.ratio >= SEEN and self.errors >= _SURE

    def describe(self) -> str:
        """One sentence, with the remedy where it is needed."""
        where = ", ".join(self.channels[:4]) + (", …" if len(self.channels) > 4 else "")
        if self.seen:
            return f"Alpha seen: {self.ratio:.1f} × as much with closed eyes ({where})."
        if self.ratio >= SEEN:
            return (
                f"Not clear: {self.ratio:.1f} × with closed eyes ({where}), but it varies as much by itself. Try again."
            )
        below = math.floor(100 * self.ratio) / 100  # rounded, 1.497 would be what it is less than
        return (
            f"Alpha not seen: {below:.2f} × with closed eyes, less than {SEEN:g} ({where}). One person in ten has little; "
            "otherwise look after the electrodes at the back of the head and the reference, and try again."
        )


def alpha_verdict(opened: FloatArray, closed: FloatArray, rate: float, names: Sequence[str]) -> AlphaVerdict:
    """`opened`, `closed`: (n, channels), µV, of some seconds each, EEG alone. The hindmost half of the electrodes is judged."""
    places = [position(name) for name in names]
    back = [index for index, place in enumerate(places) if place is not None and place[1] < -0.3]
    judged = back or list(range(len(names)))
    before, after = (_relative(samples[:, judged], rate) for samples in (opened, closed))
    change = after.mean() - before.mean()
    error = (before.var(ddof=1) / len(before) + after.var(ddof=1) / len(after)) ** 0.5
    return AlphaVerdict(float(np.exp(change)), float(change / max(error, 1e-12)), tuple(names[it] for it in judged))


def _relative(samples: FloatArray, rate: float) -> NDArray[np.float64]:
    """Of each segment the logarithm of alpha power over that of the bands beside it, median over (n, channels)."""
    length = round(_SEGMENT_S * rate)
    pieces = np.stack([samples[start : start + length] for start in range(0, len(samples) - length + 1, length)])
    hz = np.fft.rfftfreq(length, 1 / rate)
    centred = (pieces - pieces.mean(axis=1, keepdims=True)) * np.hanning(length)[:, None]
    power = np.abs(np.fft.rfft(centred, axis=1)) ** 2
    alpha, *beside = (power[:, (hz >= low) & (hz <= high)].mean(axis=1) for low, high in (ALPHA_HZ, *_BESIDE_HZ))
    told: NDArray[np.float64] = np.median(np.log(alpha / np.maximum(np.mean(beside, axis=0), 1e-12)), axis=1)
    return told
