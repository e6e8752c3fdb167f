"""Currents in the head to potentials on the scalp: MNE's forward model of a sphere."""

from __future__ import annotations

import mne
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CHANNELS = (
    "Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "FC5", "FC1", "FC2", "FC6", "T7", "C3", "Cz", "C4", "T8",
    "CP5", "CP1", "CP2", "CP6", "P7", "P3", "Pz", "P4", "P8", "PO7", "PO3", "PO4", "PO8", "O1", "Oz", "O2",
)  # fmt: skip
HEAD_RADIUS_M = 0.095
_MICROVOLT_PER_NANOAMPEREMETRE = 1e6 * 1e-9


def gain(positions: Array, orientations: Array) -> Array:
    """What dipoles (n, 3), m from the sphere's centre, of unit orientations (n, 3), put on the electrodes.

    Returns (channels, n), µV for 1 nA m, against the average of the electrodes.
    """
    info = mne.create_info(list(CHANNELS), 250.0, "eeg")
    info.set_montage("standard_1005", verbose="error")
    sphere = mne.make_sphere_model("auto", "auto", info, verbose="error")
    centre = np.asarray(sphere["r0"])
    scale = sphere["layers"][0]["rad"] / HEAD_RADIUS_M * 0.98
    n = len(positions)
    dipoles = mne.Dipole(
        np.arange(n, dtype=float), centre + positions * scale, np.ones(n), orientations, np.full(n, 100.0)
    )
    forward, _ = mne.make_forward_dipole(dipoles, sphere, info, verbose="error")
    leads = forward["sol"]["data"] * _MICROVOLT_PER_NANOAMPEREMETRE
    return np.asarray(leads - leads.mean(axis=0))


def radial(positions: Array, tilt: float, rng: np.random.Generator) -> Array:
    """Unit orientations: outward, tilted at random as the folds of the cortex are."""
    outward = positions / np.linalg.norm(positions, axis=1, keepdims=True)
    tilted = outward + tilt * rng.standard_normal(positions.shape)
    return np.asarray(tilted / np.linalg.norm(tilted, axis=1, keepdims=True))
