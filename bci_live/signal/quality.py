"""Channels that carry no EEG: flat, at the rail, or not a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bci_live.types import FloatArray

# No electrode on a head is so quiet: amplifiers alone make more noise.
FLAT_UV = 0.1
# So much of the stretch at its very highest or lowest value is no signal but a limit.
RAILED_SHARE = 0.05


def faults(samples: FloatArray, channels: Sequence[str]) -> dict[str, str]:
    """The channels that are not sound in `samples` (n, channels), µV, and what they are: one word each."""
    if len(samples) < 2:
        return {}
    highest, lowest = samples.max(axis=0), samples.min(axis=0)
    with np.errstate(invalid="ignore"):
        span = highest - lowest
    at_limit = np.maximum((samples == highest).mean(axis=0), (samples == lowest).mean(axis=0))
    return {
        name: "NaN" if not np.isfinite(width) else "flat" if width < FLAT_UV else "railed"
        for name, width, share in zip(channels, span, at_limit, strict=True)
        if not FLAT_UV <= width < np.inf or share > RAILED_SHARE
    }
