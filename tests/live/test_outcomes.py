"""Every marker ends exactly once: shown, or missed with its reason."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bci_live.config import EpochConfig, FilterConfig
from bci_live.live.drawing import Drawer
from bci_live.live.epocher import MOST_PENDING, Epocher
from bci_live.live.mailbox import Mailbox
from bci_live.live.snapshot import Shown
from bci_live.live.stages import ErrorLog
from bci_live.live.telemetry import Telemetry
from bci_live.signal.epoching import EpochPlan
from bci_live.types import Epoch, Marker, Missed, MissedReason
from tests.live.fakes import RATE, REFUSAL, FakeDecoder, FakeEeg, FakeMarkers, FakeReconstructor

CARD = SimpleNamespace(channels=("A", "B"), labels=("a", "b"), marker_labels={"1": "a"})
PLAN = EpochPlan(RATE, RATE, FilterConfig(pre_roll_s=0.5), EpochConfig(stop_s=0.4))


class Bench:
    """An epocher and a drawer without threads; time is what the test says."""

    def __init__(self, decoder: FakeDecoder | None = None, waiting: int = 4, abstain: bool = False) -> None:
        self.now = 0.0
        self.eeg, self.markers, self.errors = FakeEeg(), FakeMarkers(), ErrorLog()
        self.telemetry = Telemetry(history=10)
        self.mailbox: Mailbox[Epoch] = Mailbox(waiting)
        self.epocher = Epocher(
            self.eeg, self.markers, PLAN, CARD, self.mailbox, self.telemetry, lambda: self.now, timeout_s=5
        )  # type: ignore[arg-type]
        self.drawer = Drawer(
            self.mailbox, decoder or FakeDecoder(), FakeReconstructor(), self.telemetry, self.errors, 7, abstain
        )  # type: ignore[arg-type]

    def reasons(self) -> list[str]:
        return [o.reason.value if isinstance(o, Missed) else "shown" for o in self.telemetry.drain()]


@pytest.mark.parametrize(
    ("unsure", "abstain", "ends"), [(True, True, "unsure"), (True, False, "shown"), (False, True, "shown")]
)
def test_what_the_decoder_is_not_sure_of_gets_no_picture_where_it_is_to_abstain(
    unsure: bool, abstain: bool, ends: str
) -> None:
    bench = Bench(FakeDecoder(unsure=unsure), abstain=abstain)
    bench.markers.waiting = [Marker("a", 1.0)]
    bench.eeg.write(0, 160)
    bench.now = 1.45
    bench.epocher.step()
    bench.drawer.step()
    decoding, reconstruction, _ = bench.telemetry.newest()
    assert decoding is not None  # scores and saliency map are seen in any case
    assert (reconstruction is None) == (ends == "unsure")
    assert bench.reasons() == [ends]


def test_a_marker_that_is_no_label_is_shown_under_the_one_that_the_decoder_remembers() -> None:
    bench = Bench()
    bench.markers.waiting = [Marker("1", 1.0), Marker("2", 1.0)]
    bench.eeg.write(0, 160)
    bench.now = 1.45
    bench.epocher.step()
    bench.drawer.step()
    unknown, shown = bench.telemetry.drain()
    assert isinstance(shown, Shown)
    assert shown.marker == Marker("a", 1.0)
    assert isinstance(unknown, Missed)
    assert unknown.reason is MissedReason.UNKNOWN_LABEL


def test_a_marker_whose_window_is_whole_is_shown_with_its_times() -> None:
    bench = Bench()
    bench.markers.waiting = [Marker("a", 1.0)]
    bench.eeg.write(0, 120)
    bench.epocher.step()
    assert bench.telemetry.open == 1
    bench.eeg.write(120, 20)
    bench.now = 1.45
    bench.epocher.step()
    bench.drawer.step()
    (outcome,) = bench.telemetry.drain()
    assert isinstance(outcome, Shown)
    assert outcome.reconstruction.seed == 7
    # The window's last sample came in at 1.40 s; cut at 1.45, decoded 100 ms, drawn 200 and 300 ms later.
    times = outcome.timings
    assert [round(t) for t in (times.epoch_ms, times.saliency_ms, times.first_image_ms, times.image_ms)] == [
        50,
        150,
        250,
        350,
    ]


def test_a_gap_a_label_nobody_knows_and_an_artefact_are_missed_with_reason() -> None:
    bench = Bench()
    bench.eeg.write(0, 200)
    bench.eeg.write(200, 200, shift_s=0.5, breaks=(0,))
    bench.eeg.write(400, 200, shift_s=0.5, scale=500)
    bench.markers.waiting = [Marker("a", 1.9), Marker("zebra", 1.0), Marker("b", 5.2), Marker("a", 0.2)]
    bench.epocher.step()
    assert sorted(bench.reasons()) == ["artefact", "gap", "too_old", "unknown_label"]


def test_when_the_stream_stalls_the_marker_is_late() -> None:
    bench = Bench()
    bench.eeg.write(0, 100)
    bench.markers.waiting = [Marker("a", 0.9)]
    bench.epocher.step()
    bench.now = 7.0
    bench.epocher.step()
    assert bench.reasons() == ["late"]


def test_a_marker_dated_by_another_clock_is_late_and_told_why() -> None:
    bench = Bench()
    bench.markers.waiting = [Marker("a", 1.7e9), Marker("a", 1.0)]
    bench.epocher.step()
    for second in range(8):
        bench.eeg.write(second * 100, 100)
        bench.now = second + 1.0
        bench.epocher.step()
    (late,) = bench.telemetry.drain()
    assert isinstance(late, Missed)
    assert late.reason is MissedReason.LATE
    assert "local_clock" in late.detail
    bench.drawer.step()
    assert bench.reasons() == ["shown"]


def test_a_bug_in_preparing_costs_one_marker_not_those_that_wait() -> None:
    bench = Bench()
    bench.eeg.write(0, 200)
    bench.now = 1.6
    bench.markers.waiting = [Marker("a", 1.9), Marker("a", 1.0), Marker("b", 1.2)]
    with patch.object(EpochPlan, "prepare", side_effect=[ValueError("a bug"), np.zeros((2, 50), np.float32)]):
        with pytest.raises(ValueError, match="a bug"):
            bench.epocher.step()
        bench.epocher.step()
    bench.drawer.step()
    assert bench.reasons() == ["error", "shown"]
    assert bench.telemetry.open == 1
    bench.epocher.give_up()
    assert bench.reasons() == ["late"]


def test_a_flood_of_markers_is_dropped_not_hoarded_and_those_before_it_stay() -> None:
    bench = Bench()
    bench.markers.waiting = [Marker("a", 1.0 + index / 1000) for index in range(MOST_PENDING + 500)]
    bench.epocher.step()
    dropped = bench.telemetry.drain()
    assert [o.reason for o in dropped if isinstance(o, Missed)] == [MissedReason.DROPPED] * 500
    assert min(o.marker.time for o in dropped if isinstance(o, Missed)) == 1.0 + MOST_PENDING / 1000
    assert bench.telemetry.open == MOST_PENDING


def test_markers_that_were_dropped_before_anybody_looked_have_ended_too() -> None:
    bench = Bench()
    bench.markers.waiting, bench.markers.dropped = [Marker("a", 1.0)], 3
    bench.epocher.step()
    bench.epocher.step()
    bench.epocher.give_up()
    counts = bench.telemetry.counts()
    assert counts.markers == sum(counts.missed.values()) == 4
    assert counts.missed[MissedReason.DROPPED] == counts.unread == 3


def test_five_thousand_markers_a_second_are_cut_to_the_last_one() -> None:
    bench = Bench(waiting=100_000)
    shown = 0
    for tenth in range(20):
        bench.eeg.write(tenth * 10, 10)
        bench.now = (tenth + 1) / 10
        bench.markers.waiting = [Marker("a", tenth / 10 + index / 5000) for index in range(500)]
        bench.epocher.step()
    bench.epocher.give_up()
    while (epoch := bench.mailbox.take(0.0)) is not None:
        assert abs(epoch.onset - epoch.marker.time) <= 0.5 / RATE + 1e-9
        shown += 1
    # From the first whole pre-roll (0.6 s) to the last whole window (0.4 s before the end at 2.0 s).
    assert shown == pytest.approx(5000, abs=60)
    assert len(bench.telemetry.drain()) + shown == 10_000


def test_a_marker_that_is_sent_twice_is_shown_once() -> None:
    bench = Bench()
    bench.eeg.write(0, 200)
    bench.now = 1.45
    bench.markers.waiting = [Marker("a", 1.0), Marker("a", 1.0), Marker("b", 1.0)]
    bench.epocher.step()
    for _ in range(3):
        bench.drawer.step()
    assert sorted(bench.reasons()) == ["shown", "shown", "twice"]


def test_what_comes_too_fast_to_be_drawn_is_dropped_oldest_first() -> None:
    bench = Bench(waiting=2)
    bench.eeg.write(0, 400)
    bench.markers.waiting = [Marker("a", time) for time in (1.0, 1.5, 2.0, 2.5)]
    bench.epocher.step()
    dropped = bench.telemetry.drain()
    assert [(o.reason, o.marker.time) for o in dropped if isinstance(o, Missed)] == [
        (MissedReason.DROPPED, 1.0), (MissedReason.DROPPED, 1.5),
    ]  # fmt: skip


def test_a_decoder_that_refuses_costs_one_marker_and_is_shown() -> None:
    bench = Bench(FakeDecoder(REFUSAL))
    bench.eeg.write(0, 200)
    bench.markers.waiting = [Marker("a", 1.0)]
    bench.epocher.step()
    bench.drawer.step()
    assert bench.reasons() == ["error"]
    assert "refuses" in bench.errors.recent()[0]


@pytest.mark.parametrize("watched", [True, False])
def test_a_newer_epoch_ends_a_drawing_between_steps_but_not_every_one(watched: bool) -> None:
    bench, coming = Bench(), iter((Marker("b", 1.1), Marker("a", 1.2)))

    def between() -> None:
        bench.markers.waiting = [marker for marker in (next(coming, None),) if marker]
        bench.now += 0.1
        bench.epocher.step()

    bench.drawer = Drawer(
        bench.mailbox, FakeDecoder(), FakeReconstructor(between), bench.telemetry, bench.errors, 7, give_way=watched
    )  # type: ignore[arg-type]
    bench.eeg.write(0, 200)
    bench.now = 1.45
    bench.markers.waiting = [Marker("a", 1.0)]
    bench.epocher.step()
    for _ in range(3):
        bench.drawer.step()
    outcomes = bench.telemetry.drain()
    assert [outcome.marker.time for outcome in outcomes] == [1.0, 1.1, 1.2]
    # The one for which the first was ended is drawn to its end, though the third came meanwhile.
    kinds = [o.reason if isinstance(o, Missed) else "shown" for o in outcomes]
    assert kinds == ([MissedReason.INTERRUPTED, "shown", "shown"] if watched else ["shown"] * 3)
    assert bench.telemetry.open == 0
    assert bench.telemetry.counts().missed == ({MissedReason.INTERRUPTED: 1} if watched else {})


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "x"]), st.floats(-1, 12)), max_size=25),
    st.lists(st.integers(1, 150), min_size=1, max_size=10),
    st.integers(0, 9),
)
def test_each_marker_ends_exactly_once_whatever_arrives_when(
    markers: list[tuple[str, float]], sizes: list[int], gap_at: int
) -> None:
    bench = Bench(waiting=2)
    first = 0
    sent = [Marker(label, time) for label, time in markers]
    per_step = -(-len(sent) // len(sizes)) if sent else 0
    for index, size in enumerate(sizes):
        shift = 1.0 if index >= gap_at else 0.0
        bench.eeg.write(first, size, shift_s=shift, breaks=(0,) if index == gap_at else ())
        first += size
        bench.now = first / RATE + shift
        bench.markers.waiting += sent[index * per_step : (index + 1) * per_step]
        bench.epocher.step()
        bench.drawer.step()
    bench.epocher.give_up()
    for _ in range(3):
        bench.drawer.step()
    outcomes = bench.telemetry.drain()
    assert Counter(o.marker for o in outcomes if isinstance(o, Missed) and o.reason is MissedReason.TWICE) == Counter(
        marker for marker in sent if marker.label != "x"
    ) - Counter({marker for marker in sent if marker.label != "x"})
    ended = [o.marker for o in outcomes]
    assert sorted(ended, key=repr) == sorted(sent, key=repr)
    counts = bench.telemetry.counts()
    assert counts.markers == counts.shown + sum(counts.missed.values()) == len(sent)
