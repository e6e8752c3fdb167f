"""Channels without EEG are told from those with some."""

from __future__ import annotations

import numpy as np

from bci_live.signal.quality import faults


def test_flat_railed_and_broken_channels_are_named_and_sound_ones_are_not() -> None:
    noise = np.random.default_rng(0).normal(0, 15, (250, 5)).astype(np.float32)
    noise[:, 1] = 3.0
    noise[:, 2] = (40 * noise[:, 2]).clip(-500, 500)
    noise[100, 3] = np.nan
    found = faults(noise, ("Cz", "loose", "saturated", "broken", "Oz"))
    assert found == {"loose": "flat", "saturated": "railed", "broken": "NaN"}
    assert faults(noise[:0], ("Cz", "loose", "saturated", "broken", "Oz")) == {}


def test_coarse_steps_of_a_converter_are_no_rail() -> None:
    coarse = np.round(np.random.default_rng(1).normal(0, 8, (256, 1)) / 0.488).astype(np.float32) * 0.488
    assert faults(coarse, ("TP9",)) == {}
