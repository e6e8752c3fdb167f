"""When things are due in a replay, without a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bci_live.errors import RecordingError
from bci_live.sessions.recording import Recording
from bci_live.sessions.schedule import make_schedule
from bci_live.types import Marker

Make = Callable[..., Recording]


def test_samples_are_due_at_their_stamps_and_never_before_their_predecessors(make_recording: Make) -> None:
    recording = make_recording()
    jitter = np.random.default_rng(1).uniform(-0.01, 0.01, len(recording.stamps))
    recording = replace(recording, stamps=recording.stamps + jitter)
    due = make_schedule(recording).samples
    assert np.all(np.diff(due) >= 0)
    assert np.all(due >= recording.stamps - recording.stamps[0] - 1e-9)
    assert due == pytest.approx(np.arange(1000) / 250, abs=0.021)


def test_a_hole_takes_its_time_and_a_step_back_of_the_clock_takes_none(make_recording: Make) -> None:
    recording = make_recording()
    stamps = recording.stamps.copy()
    stamps[400:] += 3.0
    stamps[700:] -= 500.0
    due = make_schedule(replace(recording, stamps=stamps)).samples
    assert due[400] - due[399] == pytest.approx(3.004, abs=1e-3)
    assert due[700] - due[699] == pytest.approx(0.004, abs=1e-3)
    assert due[-1] == pytest.approx(999 / 250 + 3, abs=1e-2)


def test_a_start_skips_the_samples_and_the_markers_before_it(make_recording: Make) -> None:
    schedule = make_schedule(make_recording(), start_s=1.5)
    assert schedule.first == 375
    assert schedule.samples[0] == 0
    assert [index for index, _ in schedule.markers] == [3, 4, 5, 6, 7, 8]
    assert schedule.markers[0][1] == pytest.approx((400 - 375) / 250)


def test_a_lead_sends_samples_but_no_markers_from_before_the_start(make_recording: Make) -> None:
    plain, led = (make_schedule(make_recording(), start_s=1.5, lead_s=lead) for lead in (0.0, 1.0))
    assert led.first == 125
    assert [index for index, _ in led.markers] == [index for index, _ in plain.markers]
    assert led.markers[0][1] == pytest.approx(plain.markers[0][1] + 1.0)
    assert make_schedule(make_recording(), start_s=0.5, lead_s=1.0).first == 0


def test_a_start_after_the_end_is_refused(make_recording: Make) -> None:
    with pytest.raises(RecordingError, match=r"lasts 4\.0 s and cannot start at 9 s"):
        make_schedule(make_recording(), start_s=9)


def test_markers_far_outside_the_samples_are_sent_at_the_edges(make_recording: Make) -> None:
    recording = make_recording()
    far = (Marker("before", 2.0), Marker("in", float(recording.stamps[500])), Marker("after", 1e6))
    schedule = make_schedule(replace(recording, markers=far))
    assert [due for _, due in schedule.markers] == pytest.approx([0.0, 2.0, schedule.length_s + 1.0])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chunk=st.integers(1, 1200),
    start_s=st.floats(0, 3.9),
    marker_times=st.lists(st.floats(990, 1010), max_size=20),
    steps=st.lists(st.tuples(st.integers(1, 999), st.floats(-50, 5)), max_size=3),
)
def test_every_sample_comes_once_and_everything_in_the_order_of_time(
    make_recording: Make, chunk: int, start_s: float, marker_times: list[float], steps: list[tuple[int, float]]
) -> None:
    recording = make_recording()
    stamps = recording.stamps.copy()
    for place, step in steps:
        stamps[place:] += step
    markers = tuple(Marker("m", time) for time in marker_times)
    schedule = make_schedule(replace(recording, stamps=stamps, markers=markers), start_s)
    played = list(schedule.steps(chunk))
    dues = [due for due, _ in played]
    assert dues == sorted(dues)
    samples = [row for _, step in played if isinstance(step, slice) for row in range(step.start, step.stop)]
    assert samples == list(range(schedule.first, 1000))
    sent = sorted(step for _, step in played if isinstance(step, int))
    assert sent == sorted({index for index, _ in schedule.markers})
    assert start_s > 0 or sent == list(range(len(markers)))
