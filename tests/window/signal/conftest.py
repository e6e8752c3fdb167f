"""A signal panel of three channels, and signals to feed it with."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from bci_live.live.snapshot import SignalPart
from bci_live.types import Chunk, StreamFacts
from bci_live.window.example import RATE
from bci_live.window.signal.view import SignalView

FACTS = StreamFacts("cap", "EEG", "s", "u", "h", RATE, ("Fz", "Cz", "Oz"), ("microvolts",) * 3)


def part(samples: np.ndarray, first: int = 0, breaks: tuple[int, ...] = ()) -> SignalPart:
    """Sample number 0 was at 100 s."""
    times = 100 + (first + np.arange(len(samples))) / RATE
    return SignalPart(first, Chunk(samples.astype(np.float32), times, 0.0, breaks))


def noise(n: int = 2500, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 5, (n, channels)).astype(np.float32)


@pytest.fixture
def view(qtbot: QtBot) -> SignalView:
    view = SignalView()
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show_stream(FACTS)
    view.show()
    return view
