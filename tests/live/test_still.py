"""Of windows without markers the picture stays while what is read hardly moves; after a marker one is always drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bci_live.config import DiffusionConfig
from bci_live.live.drawing import Drawer
from bci_live.live.mailbox import Mailbox
from bci_live.live.sliding import LABEL, STREAM
from bci_live.live.stages import ErrorLog
from bci_live.live.still import MOST_IN_A_ROW, StillPictures
from bci_live.live.telemetry import Telemetry
from bci_live.types import Decoding, Epoch, Marker, Reconstruction
from tests.live.fakes import FakeDecoder, FakeReconstructor

RNG = np.random.default_rng(0)
SALIENCY = RNG.random((8, 8, 3)).astype(np.float32)
EMBEDDING, OTHER = RNG.standard_normal((2, 4, 16)).astype(np.float32)


class ReadingDecoder(FakeDecoder):
    """Reads what the epoch's first sample says: so far is the embedding from the one to the other."""

    def decode(self, epoch: Epoch) -> Decoding:
        share = float(epoch.data[0, 0])
        return replace(super().decode(epoch), embedding=(1 - share) * EMBEDDING + share * OTHER, saliency=SALIENCY)


def _draw(shares: list[float], marker: Marker, change_at: int = -1) -> list[bool]:
    """Whether the picture of each epoch is that of before."""
    mailbox: Mailbox[Epoch] = Mailbox(1)
    telemetry = Telemetry(100)
    drawer = Drawer(mailbox, ReadingDecoder(), FakeReconstructor(), telemetry, ErrorLog(), seed=7)  # type: ignore[arg-type]
    for time, share in enumerate(shares):
        if time == change_at:
            drawer.draw_with(DiffusionConfig(), 7, 1)
        moved = replace(marker, time=float(time))
        telemetry.marker(moved)
        mailbox.put(Epoch(np.full((2, 4), share, np.float32), float(time), moved, time + 1.0, time + 1.0))
        drawer.step()
    history = telemetry.history()[0]
    assert len(history) == len(shares)
    for time, picture in enumerate(history):
        assert picture.decoding.epoch.onset == time  # a kept picture is still the outcome of its own window
    return [picture.repeated for picture in history]


SLIDING = Marker(LABEL, 0.0, STREAM)


def test_what_reads_the_same_keeps_its_picture_but_not_for_ever() -> None:
    repeated = _draw([0.0] * (MOST_IN_A_ROW + 3), SLIDING)
    assert repeated == [False, *[True] * MOST_IN_A_ROW, False, True]


def test_what_reads_otherwise_is_drawn() -> None:
    assert _draw([0.0, 0.0, 1.0, 1.0, 0.0], SLIDING) == [False, True, False, True, False]


def test_after_a_marker_each_trial_is_drawn() -> None:
    assert not any(_draw([0.0] * 5, Marker("a", 0.0)))


def test_drawn_otherwise_it_is_drawn_anew() -> None:
    assert _draw([0.0] * 4, SLIDING, change_at=2) == [False, True, False, True]


def test_a_picture_under_way_when_another_way_is_chosen_does_not_stay() -> None:
    """The session's thread may choose while the drawer draws: what is finished then was drawn as before."""
    mailbox: Mailbox[Epoch] = Mailbox(1)
    telemetry, choices = Telemetry(100), iter([DiffusionConfig(steps=8)])

    def between() -> None:
        if (chosen := next(choices, None)) is not None:
            drawer.draw_with(chosen, 7, 1)

    reconstructor = FakeReconstructor(between)
    drawer = Drawer(mailbox, ReadingDecoder(), reconstructor, telemetry, ErrorLog(), seed=7)  # type: ignore[arg-type]
    for time in range(3):
        mailbox.put(Epoch(np.zeros((2, 4), np.float32), float(time), replace(SLIDING, time=float(time)), 1.0, 1.0))
        telemetry.marker(replace(SLIDING, time=float(time)))
        drawer.step()
    assert [picture.repeated for picture in telemetry.history()[0]] == [False, False, True]


@pytest.mark.parametrize(
    ("initial", "saliency", "latent"),
    [("grey", False, False), ("saliency", True, False), ("latent", False, True), ("blend", True, True)],
)
def test_a_start_that_moves_counts_only_where_it_is_drawn_from(initial: str, saliency: bool, latent: bool) -> None:
    epoch = Epoch(np.zeros((1, 1), np.float32), 0.0, SLIDING, 0.0, 0.0)
    before = Decoding(SALIENCY, EMBEDDING, SALIENCY.T, {"a": 1.0}, epoch, 0.0)
    still = StillPictures(np.random.default_rng(1))

    def stays(now: Decoding) -> bool:
        still.drew(Reconstruction(np.zeros((2, 2, 3), np.uint8), 1, 1, 7, before, 0.0, initial=initial), 0)
        return still.instead_of(now, 7, 0) is not None

    assert stays(before)
    assert stays(replace(before, saliency=1 - SALIENCY)) != saliency
    assert stays(replace(before, latent=-SALIENCY.T)) != latent
    assert not stays(replace(before, embedding=OTHER))


def test_the_less_alike_the_less_probably_it_stays_and_never_below_the_threshold() -> None:
    marker = Marker(LABEL, 0.0, STREAM)
    epoch = Epoch(np.zeros((1, 1), np.float32), 0.0, marker, 0.0, 0.0)

    def read(cosine: float) -> Decoding:
        vector = np.array([[cosine, np.sqrt(1 - cosine**2)]], np.float32)
        return Decoding(SALIENCY, vector, None, {"a": 1.0}, epoch, 0.0)

    def stays(cosine: float) -> float:
        still, kept = StillPictures(np.random.default_rng(1)), 0
        for _ in range(2000):
            still.drew(Reconstruction(np.zeros((2, 2, 3), np.uint8), 1, 1, 7, read(1.0), 0.0), 0)
            kept += still.instead_of(read(cosine), 7, 0) is not None
        return kept / 2000

    assert stays(0.995) == pytest.approx(0.75, abs=0.04)  # 1 - (1 - 0.995) / (1 - 0.98)
    assert stays(0.985) == pytest.approx(0.25, abs=0.04)
    assert stays(0.97) == 0
