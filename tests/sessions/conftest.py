"""Recordings to test with: small ones made on the spot, and the real ones beside the project."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bci_live.sessions.recording import Recording
from bci_live.types import Marker, StreamFacts

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def data() -> Path:
    """The folder of real data."""
    if not DATA.is_dir():
        pytest.skip(f"no real data at {DATA}")
    return DATA


def make_facts(n_channels: int = 4, rate: float = 250.0, units: tuple[str, ...] | None = None) -> StreamFacts:
    return StreamFacts(
        name="Test head",
        kind="EEG",
        source_id="test-head",
        uid="",
        host="here",
        rate=rate,
        channels=tuple(f"E{number}" for number in range(1, n_channels + 1)),
        units=units or ("microvolts",) * n_channels,
    )


@pytest.fixture
def make_recording() -> Callable[..., Recording]:
    """Channel 0 counts the samples; a marker lies on every 100th sample but the first."""

    def make(seconds: float = 4.0, rate: float = 250.0, origin: float = 1000.0) -> Recording:
        n = round(seconds * rate)
        samples = np.random.default_rng(0).normal(scale=20, size=(n, 4)).astype(np.float32)
        samples[:, 0] = np.arange(n)
        stamps = origin + np.arange(n) / rate
        markers = tuple(
            Marker(label=f"m{row}", time=float(stamps[row]), stream="stimuli", detail=json.dumps({"row": row}))
            for row in range(100, n, 100)
        )
        return Recording(make_facts(rate=rate), samples, stamps, markers, Path("test.xdf"))

    return make
