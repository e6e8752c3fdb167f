"""Guesses come early or not at all; what becomes of a marker is none of their business."""

from __future__ import annotations

import numpy as np
import pytest

from bci_live.config import EpochConfig, FilterConfig
from bci_live.live.drawing import Drawer
from bci_live.live.epocher import Epocher
from bci_live.live.guesser import Guesser
from bci_live.live.mailbox import Mailbox
from bci_live.live.snapshot import Shown
from bci_live.live.stages import ErrorLog
from bci_live.live.telemetry import Telemetry
from bci_live.signal.epoching import EpochPlan
from bci_live.types import Epoch, Guess, Marker, Missed, MissedReason
from tests.live.fakes import RATE, REFUSAL, FakeDecoder, FakeEeg, FakeMarkers, FakeReconstructor

# The decoder's beginnings end 0.1 and 0.25 s after the onset.
PLAN = EpochPlan(RATE, RATE, FilterConfig(pre_roll_s=0.5), EpochConfig(stop_s=0.4))


class Bench:
    """An epocher, a guesser and a drawer without threads; time is that of the newest sample."""

    def __init__(self, decoder: FakeDecoder | None = None) -> None:
        self.now, self.first = 0.0, 0
        self.eeg, self.markers, self.telemetry = FakeEeg(), FakeMarkers(), Telemetry(history=10)
        mailbox: Mailbox[Epoch] = Mailbox(100)
        decoder = decoder or FakeDecoder()
        card = decoder.card
        card.marker_labels = {}
        self.guesser = Guesser(self.eeg, PLAN, decoder, self.telemetry, lambda: self.now)  # type: ignore[arg-type]
        self.epocher = Epocher(
            self.eeg, self.markers, PLAN, card, mailbox, self.telemetry, lambda: self.now, 5, self.guesser.watch
        )  # type: ignore[arg-type]
        self.drawer = Drawer(mailbox, FakeDecoder(), FakeReconstructor(), self.telemetry, ErrorLog(), 7)  # type: ignore[arg-type]

    def hear(self, until_s: float, shift_s: float = 0.0, breaks: tuple[int, ...] = (), scale: float = 1.0) -> None:
        """Samples until then, and everything looks once."""
        n = round((until_s - shift_s) * RATE) - self.first
        self.eeg.write(self.first, n, shift_s, breaks, scale)
        self.first += n
        self.now = until_s
        self.epocher.step()
        self.guesser.step()

    def told(self) -> list[tuple[str, list[float]]]:
        """Of each marker that has ended: how, and where the beginnings that were guessed from end."""
        self.drawer.step()
        return [
            (o.reason.value if isinstance(o, Missed) else "shown", [guess.until_s for guess in o.guesses])
            for o in self.telemetry.drain()
        ]


def test_each_beginning_is_guessed_as_soon_as_it_is_there_and_gives_way_to_the_whole() -> None:
    bench = Bench()
    bench.markers.waiting = [Marker("a", 1.0)]
    bench.hear(1.09)
    assert bench.telemetry.guess() is None
    for until_s in (0.1, 0.25):
        bench.hear(1.0 + until_s)
        guess = bench.telemetry.guess()
        assert guess is not None
        assert (guess.until_s, guess.epoch.marker) == (until_s, Marker("a", 1.0))
        assert guess.after_ms == pytest.approx(10)  # the fake's
    bench.hear(1.4)
    bench.drawer.step()
    assert bench.telemetry.guess() is None
    (outcome,) = bench.telemetry.drain()
    assert isinstance(outcome, Shown)
    whole = outcome.reconstruction.decoding.epoch.data
    assert [guess.epoch.data.shape for guess in outcome.guesses] == [(2, 20), (2, 35)]
    for guess in outcome.guesses:
        np.testing.assert_array_equal(guess.epoch.data, whole[:, : guess.epoch.data.shape[1]])


def test_a_gap_costs_the_guesses_that_it_lies_in() -> None:
    bench = Bench()
    bench.markers.waiting = [Marker("a", 1.0)]
    bench.hear(1.2)
    bench.hear(1.6, shift_s=0.1, breaks=(0,))
    assert bench.telemetry.guess() is None  # its marker has ended
    assert bench.told() == [("gap", [0.1])]


def test_an_artefact_costs_the_guesses_that_it_lies_in() -> None:
    bench = Bench()
    bench.markers.waiting = [Marker("a", 1.0)]
    bench.hear(1.2)
    bench.hear(1.5, scale=1000)
    assert bench.told() == [("artefact", [0.1])]


def test_what_comes_when_its_window_is_over_is_read_whole_at_once() -> None:
    bench = Bench()
    bench.hear(2.0)
    bench.markers.waiting = [Marker("a", 1.0)]
    bench.hear(2.1)
    bench.hear(2.4)  # one so late is held for a quarter of a second
    assert bench.told() == [("shown", [])]


def test_a_bug_in_guessing_costs_one_guess_and_no_picture() -> None:
    bench = Bench(FakeDecoder(error=REFUSAL))
    bench.markers.waiting = [Marker("a", 1.0)]
    bench.hear(1.05)
    for until_s in (0.1, 0.25):
        with pytest.raises(type(REFUSAL), match="refuses"):
            bench.hear(1.0 + until_s)
        bench.guesser.step()
    bench.hear(1.4)
    assert bench.told() == [("shown", [])]


def test_a_flood_of_markers_is_not_guessed_and_keeps_the_newest_only() -> None:
    bench = Bench()
    bench.hear(1.0)
    bench.markers.waiting = [Marker("a", 0.9 + index / 10_000) for index in range(1_000)]
    bench.hear(1.3)
    bench.hear(1.6)
    bench.markers.waiting = []
    for _ in range(100):
        bench.drawer.step()
    ended = bench.telemetry.drain()
    assert len(ended) == 1_000
    guessed = [outcome.marker.time for outcome in ended if outcome.guesses]
    assert guessed
    assert min(guessed) >= 0.9 + (1_000 - 16) / 10_000


def test_a_guess_of_a_marker_that_has_ended_is_not_told() -> None:
    telemetry, marker = Telemetry(history=5), Marker("a", 1.0)
    guess = Guess({"a": 1.0}, 0.1, Epoch(np.zeros((1, 1), np.float32), 1.0, marker, 1.1, 1.1), 1.1)
    telemetry.marker(marker)
    telemetry.ended(Missed(marker, MissedReason.GAP))
    telemetry.guessed(guess)
    assert telemetry.guess() is None
    assert [outcome.guesses for outcome in telemetry.drain()] == [()]
