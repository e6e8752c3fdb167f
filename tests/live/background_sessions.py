"""Sessions as the window has them, and headsets: real outlets in other processes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from bci_live.config import bundled
from bci_live.errors import BciError
from bci_live.live import remembered, runner
from bci_live.live.background import BackgroundSession
from bci_live.live.demo import DEMO_DECODER
from bci_live.live.launcher import LiveRequest
from bci_live.types import Decoding, Reconstruction
from tests.live.test_session import Draws, SaysDog

ROOT = Path(__file__).resolve().parents[2]
SENDER = """
import sys, time
import numpy as np
import pylsl
from bci_live.streams.outlet import open_eeg_outlet, open_marker_outlet
from bci_live.types import StreamFacts
name, markers, begin, count = sys.argv[1], sys.argv[2], pylsl.local_clock(), 0
eeg = open_eeg_outlet(StreamFacts(name, "EEG", name, "", "", 250.0, ("E1", "E2"), ("uV", "uV")))
if markers:
    outlet = open_marker_outlet(StreamFacts(markers, "Markers", markers, "", "", 0.0, ("m",), ("",)))
while True:
    until = int((pylsl.local_clock() - begin) * 250)
    rows = np.random.default_rng(count).normal(0, 10, (until - count, 2)).astype(np.float32)
    if len(rows):
        eeg.push_chunk(rows, begin + np.arange(count, until) / 250)
    if markers and count // 250 < until // 250:
        outlet.push_sample(["dog"], begin + (until // 250))
    count = until
    time.sleep(0.02)
"""


@contextmanager
def headset(name: str, markers: str = "") -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", SENDER, name, markers], cwd=ROOT)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def name() -> str:
    return f"head-{uuid.uuid4()}"


@pytest.fixture(autouse=True)
def forgotten(tmp_path: Path) -> Iterator[None]:
    with (
        patch.object(remembered, "_file", lambda: tmp_path / "config" / "streams.json"),
        patch.object(remembered, "_drawing_file", lambda: tmp_path / "config" / "drawing.json"),
        patch.object(remembered, "_models_file", lambda: tmp_path / "config" / "models.json"),
    ):
        yield


def decoder_of(folder: Path, *channels: str) -> Path:
    """A decoder of a montage, as far as it is read before it is loaded."""
    card = json.loads((bundled(DEMO_DECODER) / "decoder.json").read_text(encoding="utf-8"))
    folder.mkdir()
    (folder / "decoder.json").write_text(json.dumps(card | {"channels": channels}), encoding="utf-8")
    return folder


class DrawsOnceLoaded(Draws):
    """Takes until `loaded` to be so, or fails then; and until `warm` to be that, which a GPU must be to draw, and a processor not."""

    def __init__(self, cold: bool = True, error: BciError | None = None) -> None:
        super().__init__()
        self.draws_cold, self._error = cold, error
        self.loaded, self.warm, self.drew, self.began_warming = (threading.Event() for _ in range(4))

    def load(self) -> None:
        assert self.loaded.wait(60)
        if self._error is not None:
            raise self._error

    def warm_up(self, tokens: int, beside_drawing: bool = False) -> None:
        assert beside_drawing == self.draws_cold
        assert not beside_drawing or self.drew.is_set()  # beside the warming up the first picture would take seconds
        self.began_warming.set()
        assert self.warm.wait(60)

    def reconstruct(self, decoding: Decoding, seed: int) -> Iterator[Reconstruction]:
        if self._error is not None:
            raise self._error
        yield from super().reconstruct(decoding, seed)
        self.drew.set()


@contextmanager
def session(draws: Draws | None = None, **request: str | Path | float) -> Iterator[BackgroundSession]:
    """A session with models that read and draw nothing."""
    with (
        patch.object(runner, "load_models", return_value=(SaysDog(), draws or Draws())),
        BackgroundSession(LiveRequest(Path("decoder"), **request)) as running,  # type: ignore[arg-type]
    ):
        yield running


def listens_to(running: BackgroundSession) -> str:
    snapshot = running.snapshot()
    return snapshot.facts.name if snapshot and snapshot.facts else ""


def told(running: BackgroundSession) -> str:
    """What the session says in the window's bar."""
    snapshot = running.snapshot()
    return " ".join(snapshot.present_errors) if snapshot else ""
