"""A ring with an inlet's face, and models that read nothing: what is tested is what becomes of the markers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from bci_live.config import DiffusionConfig
from bci_live.errors import BciError
from bci_live.streams.ring import RingBuffer
from bci_live.types import Chunk, Decoding, Epoch, Guess, Marker, Reconstruction, StreamFacts

RATE = 100.0
FACTS = StreamFacts("cap", "EEG", "s", "u", "h", RATE, ("A", "B"), ("microvolts",) * 2)


@dataclass
class FakeEeg:
    """Samples are written by the test."""

    ring: RingBuffer = field(default_factory=lambda: RingBuffer(2, RATE, 30))
    facts: StreamFacts = FACTS

    def write(self, first: int, n: int, shift_s: float = 0.0, breaks: tuple[int, ...] = (), scale: float = 1.0) -> None:
        samples = np.random.default_rng(first).normal(0, scale, (n, 2)).astype(np.float32)
        self.ring.write(Chunk(samples, np.arange(first, first + n) / RATE + shift_s, (first + n) / RATE, breaks))


@dataclass
class FakeMarkers:
    """Markers are put by the test."""

    waiting: list[Marker] = field(default_factory=list)
    dropped: int = 0

    def pop(self) -> list[Marker]:
        popped, self.waiting = self.waiting, []
        return popped

    def pop_dropped(self) -> int:
        popped, self.dropped = self.dropped, 0
        return popped


class FakeDecoder:
    """Says "a" for everything, at first without being sure, or fails; `unsure`: and would rather say nothing."""

    def __init__(self, error: Exception | None = None, unsure: bool = False) -> None:
        self.error, self.unsure = error, unsure
        self.card = SimpleNamespace(channels=("A", "B"), labels=("a", "b"), prefixes=(0.1, 0.25))

    def decode(self, epoch: Epoch) -> Decoding:
        if self.error is not None:
            raise self.error
        blank = np.zeros((2, 2, 3), np.float32)
        return Decoding(blank, blank[0], None, {"a": 0.8, "b": 0.2}, epoch, epoch.ready + 0.1, self.unsure)

    def guess(self, epoch: Epoch, until_s: float) -> Guess:
        if self.error is not None:
            raise self.error
        return Guess({"a": 0.6, "b": 0.4}, until_s, epoch, epoch.ready + 0.01)


class FakeReconstructor:
    """Two steps of black; `between` is called before each."""

    name, note, draws_cold = "black", "", False

    def __init__(self, between: Callable[[], None] = lambda: None) -> None:
        self.between = between

    def load(self) -> None:
        """Nothing to load."""

    def warm_up(self, tokens: int, beside_drawing: bool = False) -> None:
        """Nothing to warm."""

    def draw_as(self, config: DiffusionConfig) -> None:
        """Black, whatever is asked for."""

    def reconstruct(self, decoding: Decoding, seed: int) -> Iterator[Reconstruction]:
        for step in (1, 2):
            self.between()
            yield Reconstruction(np.zeros((2, 2, 3), np.uint8), step, 2, seed, decoding, decoding.made + 0.1 * step)


REFUSAL = BciError("the decoder refuses")
