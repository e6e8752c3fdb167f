"""The simulated head: pictures in, 32 channels of EEG out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bci_live.simulation.background import Background
from bci_live.simulation.conduction import CHANNELS, gain, radial
from bci_live.simulation.vision import GRID, VentralStream, retinotopic
from bci_live.types import FloatArray

Array = NDArray[np.float64]

RESPONSE_S = 0.7
# Root mean square over pictures on the best electrode, at its peak, of the two parts of the response; 6 µV together.
EARLY_UV, LATE_UV = 5.7, 2.6
# Standard deviation of the factor by which responses differ in strength from trial to trial.
GAIN_SPREAD = 0.15
_AXES = 28
# (centre, width) of the bumps of a response, s, with their signs: C1; P1 and N1; N170-like, P3-like.
_STRIATE = (0.075, 0.012)
_EARLY = ((0.100, 0.016, 1.0), (0.160, 0.022, -0.8))
_LATE = ((0.175, 0.025), (0.260, 0.040), (0.380, 0.060))


@dataclass(frozen=True)
class SimulatedHead:
    """Everything that is fixed about a person.

    `early`: (fields, channels, times) response to one unit of contrast in each receptive field, µV.
    `late`: (axes, channels, times) response to one unit on each ventral axis, µV. The response to a picture is linear in
    both, so an optimal decoder of this head can be written down.
    """

    rate: float
    early: Array
    late: Array
    ventral: VentralStream
    background: Background

    @classmethod
    def build(cls, pictures: NDArray[np.uint8], classes: NDArray[np.int64], rate: float = 250.0, seed: int = 0) -> Self:
        """A head whose ventral stream grew up with `pictures` (n, h, w, 3) of `classes` (n,)."""
        rng = np.random.default_rng(seed)
        times = np.arange(round(RESPONSE_S * rate)) / rate
        ventral = VentralStream.grown(pictures, classes, _AXES, seed)
        early, late = _early_patterns(times, rng), _late_patterns(times, ventral.axes.shape[1], rng)
        fields = np.stack([retinotopic(picture) for picture in pictures[:: max(1, len(pictures) // 200)]])
        early *= EARLY_UV / _peak(np.tensordot(fields, early, 1))
        late *= LATE_UV / _peak(np.tensordot(ventral.respond(pictures[:: max(1, len(pictures) // 200)]), late, 1))
        return cls(rate, early, late, ventral, Background.build(rng))

    @property
    def channels(self) -> tuple[str, ...]:
        """Electrode names."""
        return CHANNELS

    def respond(self, pictures: NDArray[np.uint8]) -> Array:
        """The responses to pictures (n, h, w, 3) without any noise: (n, channels, times) from the onset on, µV."""
        fields = np.stack([retinotopic(picture) for picture in pictures])
        return np.asarray(
            np.tensordot(fields, self.early, 1) + np.tensordot(self.ventral.respond(pictures), self.late, 1)
        )

    def watch(
        self, pictures: NDArray[np.uint8], onsets_s: Array, seconds: float, rng: np.random.Generator
    ) -> FloatArray:
        """The EEG of a session (samples, channels), µV, in which picture i comes on at `onsets_s[i]`."""
        n = round(seconds * self.rate)
        samples = self.background.simulate(n, self.rate, rng)
        for response, onset in zip(self.respond(pictures) if len(pictures) else (), onsets_s, strict=True):
            start = round(onset * self.rate)
            stretch = samples[start : start + response.shape[1]]
            # Responses differ in strength from trial to trial.
            stretch += rng.normal(1.0, GAIN_SPREAD) * response.T[: len(stretch)]
        return samples.astype(np.float32)


def _early_patterns(times: Array, rng: np.random.Generator) -> Array:
    """Each receptive field has a source in striate cortex (C1) and one in extrastriate cortex (P1, N1)."""
    across = np.linspace(-1, 1, GRID)
    x, y = (axis.ravel() for axis in np.meshgrid(across, across))
    delays = rng.normal(0, 0.004, GRID**2)
    striate = _striate_leads(x, y, rng)[:, :, None] * _bumps(times, _STRIATE[0] + delays, _STRIATE[1])
    # Left field to the right hemisphere; upper field (y < 0) below.
    positions = np.stack([-0.040 * x, np.full(GRID**2, -0.055), 0.015 + 0.030 * y], axis=1)
    leads = gain(positions, radial(positions, 0.25, rng))
    courses = sum(sign * _bumps(times, centre + delays, width) for centre, width, sign in _EARLY)
    extrastriate = (leads / np.abs(leads).max(axis=0).mean()).T[:, :, None] * courses
    return np.asarray(striate + extrastriate)


def _striate_leads(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """(fields, channels), the largest of a field about 1: the cruciform model.

    The upper field lies on the lower bank of the calcarine fissure and the lower field on the upper bank, so that their
    dipoles point opposite ways and the C1 turns its sign with the place of a stimulus (Jeffreys & Axford 1972; Clark, Fan
    & Hillyard 1995).
    """
    positions = np.stack(
        [-np.sign(x) * (0.006 + 0.010 * np.abs(x)), -0.066 + 0.012 * np.hypot(x, y), 0.012 + 0.010 * y], 1
    )
    pointing = np.stack([-0.5 * x, -0.1 - 0.6 * np.abs(x), y], axis=1) + 0.15 * rng.standard_normal(positions.shape)
    leads = gain(positions, pointing / np.linalg.norm(pointing, axis=1, keepdims=True))
    return np.asarray(leads / np.abs(leads).max(axis=0).mean()).T


def _late_patterns(times: Array, n_axes: int, rng: np.random.Generator) -> Array:
    """Each axis has dipoles of its own in both hemispheres' ventral and parietal cortex, at latencies of its own."""
    patterns = np.zeros((n_axes, len(CHANNELS), len(times)))
    for centre, width in _LATE:
        side = rng.choice([-1.0, 1.0], n_axes)
        positions = np.stack(
            [
                side * rng.uniform(0.02, 0.055, n_axes),
                rng.uniform(-0.055, -0.02, n_axes),
                rng.uniform(-0.015, 0.05, n_axes),
            ],
            axis=1,
        )
        leads = gain(positions, radial(positions, 0.8, rng))
        leads /= np.abs(leads).max(axis=0)
        courses = np.stack([_bump(times, centre + shift, width) for shift in rng.normal(0, 0.025, n_axes)])
        patterns += rng.choice([-1, 1]) * np.einsum("ca,at->act", leads, courses)
    return patterns


def _bumps(times: Array, centres: Array, width: float) -> Array:
    """(n, 1, times), one bump for each of the n centres."""
    return np.stack([_bump(times, centre, width) for centre in centres])[:, None]


def _bump(times: Array, centre: float, width: float) -> Array:
    return np.asarray(np.exp(-0.5 * ((times - centre) / width) ** 2))


def _peak(responses: Array) -> float:
    """Of responses (n, channels, times): the largest over electrodes and times of the root mean square over pictures."""
    return float(np.sqrt((responses**2).mean(axis=0)).max())
