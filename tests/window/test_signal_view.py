"""What is drawn of the samples: every spike, every gap, nothing twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from bci_live.types import Chunk, Marker
from bci_live.window.example import NOW, RATE, example_chunk
from bci_live.window.signal_view import EpochSpan, SignalView
from bci_live.window.traces import make_traces, row_height, stack


def chunk_of(samples: np.ndarray, breaks: tuple[int, ...] = (), times: np.ndarray | None = None) -> Chunk:
    at = np.arange(len(samples)) / RATE if times is None else times
    return Chunk(samples.astype(np.float32), at, 0.0, breaks)


@pytest.fixture
def view(qtbot: QtBot) -> SignalView:
    view = SignalView()
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show_channels(["Fz", "Cz", "Oz"])
    view.show()
    return view


def test_a_spike_of_one_sample_is_drawn_at_its_full_height() -> None:
    samples = np.zeros((5000, 2))
    samples[2345, 1] = 70.0
    traces = make_traces(chunk_of(samples), seconds=20.0, pixels=100)
    assert traces.values.shape[1] <= 2 * 102
    assert traces.values[1].max() == 70.0
    assert traces.values[0].max() == 0.0


@given(st.integers(1, 2000), st.integers(1, 500), st.lists(st.integers(1, 1999), max_size=4, unique=True))
@settings(max_examples=60, deadline=None)
def test_no_extreme_is_lost_and_no_line_crosses_a_gap(n: int, pixels: int, holes: list[int]) -> None:
    breaks = tuple(sorted(hole for hole in holes if hole < n))
    samples = np.random.default_rng(n).normal(0, 10, (n, 2)).astype(np.float32)
    times = np.arange(n) / RATE
    for hole in breaks:
        times[hole:] += 0.5
    traces = make_traces(chunk_of(samples, breaks, times), seconds=8.0, pixels=pixels)
    centred = samples - np.median(samples, axis=0)
    np.testing.assert_array_equal(np.nanmax(traces.values, axis=1), centred.max(axis=0))
    np.testing.assert_array_equal(np.nanmin(traces.values, axis=1), centred.min(axis=0))
    assert int(np.isnan(traces.values[0]).sum()) == len(breaks)
    assert traces.seconds[-1] <= 0
    assert np.all(np.diff(traces.seconds) >= 0)


def test_a_peak_keeps_its_shape_while_it_scrolls() -> None:
    samples = np.random.default_rng(0).normal(0, 10, (3000, 1))
    times = 7.0 + np.arange(3000) / RATE
    earlier = make_traces(chunk_of(samples[:2900], times=times[:2900]), 10.0, 200)
    later = make_traces(chunk_of(samples[37:], times=times[37:]), 10.0, 200)
    # The baseline may move; what may not is the height of each column. The columns at the edges are not whole.
    heights, again = (np.ptp(traces.values[0].reshape(-1, 2), axis=1) for traces in (earlier, later))
    at, at_again = (np.round(traces.seconds[::2] + traces.newest, 6) for traces in (earlier, later))
    _, one, other = np.intersect1d(at, at_again, return_indices=True)
    assert len(one) > 220
    np.testing.assert_allclose(heights[one[1:-1]], again[other[1:-1]], atol=1e-4)


def test_after_the_clock_stepped_back_only_the_newest_pass_is_drawn() -> None:
    times = np.concatenate([100 + np.arange(500) / RATE, 50 + np.arange(300) / RATE])
    traces = make_traces(chunk_of(np.ones((800, 1)), (500,), times), 10.0, 1000)
    assert traces.newest == times[-1]
    assert traces.seconds[0] == pytest.approx(-299 / RATE)
    assert np.isfinite(traces.values).all()


def test_an_empty_chunk_draws_nothing(view: SignalView) -> None:
    view.show_signal(chunk_of(np.zeros((0, 3))))
    assert view.traces is None
    assert make_traces(chunk_of(np.zeros((0, 3))), 10.0, 100).values.shape == (3, 0)


def test_the_row_height_follows_the_signal_in_round_steps_and_does_not_jump() -> None:
    values = np.random.default_rng(1).normal(0, 20, (4, 2000)).astype(np.float32)
    height = row_height(values, None)
    assert 20 <= height <= 75
    assert row_height(values * 0.9, height) == height
    assert row_height(values * 20, height) > 10 * height
    assert row_height(values[:, :0], height) == height
    assert row_height(np.zeros((4, 100), np.float32), None) > 0


def test_a_railed_channel_stays_near_its_row() -> None:
    values = np.zeros((3, 10), np.float32)
    values[1] = 1e6
    rows = stack(values, 50.0)
    assert rows[0].tolist() == [0.0] * 10
    assert rows[1].max() == 2.0  # three rows above its own
    assert rows[2].tolist() == [-2.0] * 10


def test_a_gap_is_drawn_as_a_gap(view: SignalView) -> None:
    view.show_channels([f"E{index}" for index in range(32)])
    view.show_signal(example_chunk(gap_s=0.5))
    x, y = view.curves[0].getData()
    hole, end = np.flatnonzero(np.isnan(y))[:2]
    assert x[hole + 1] - x[hole - 1] == pytest.approx(0.5, abs=0.03)  # a column of pixels is 12 ms wide
    assert x[end - 1] > -0.03
    assert view.curves[0].opts["connect"] == "finite"
    # Sixteen of the rows are of the first colour: each has its hole and its end.
    assert np.isnan(y).sum() == 2 * 16
    assert all(curve.opts["pen"].width() == 1 for curve in view.curves)


def test_every_channel_is_drawn_in_its_own_row(view: SignalView) -> None:
    samples = np.random.default_rng(0).normal(0, 1, (2500, 3))
    view.show_signal(chunk_of(samples))
    drawn = [np.split(curve.getData()[1], np.flatnonzero(np.isnan(curve.getData()[1]))) for curve in view.curves]
    middles = [float(np.nanmean(row)) for rows in drawn for row in rows if len(row) > 1]
    assert middles == pytest.approx([0, -2, -1], abs=0.2)


def test_a_view_of_another_width_is_drawn_anew(view: SignalView) -> None:
    chunk = chunk_of(np.random.default_rng(0).normal(0, 1, (2500, 3)))
    view.show_signal(chunk)
    before = len(view.curves[0].getData()[0])
    view.resize(500, 300)
    view.show_signal(chunk)
    assert len(view.curves[0].getData()[0]) < before


def test_markers_are_labelled_lines_that_scroll_away(view: SignalView) -> None:
    samples = np.random.default_rng(0).normal(0, 10, (2500, 3))
    view.show_signal(chunk_of(samples, times=NOW - np.arange(2500, 0, -1) / RATE))
    view.show_markers(
        [(Marker("dog", NOW - 2), None), (Marker("cat", NOW - 8), "gap"), (Marker("old", NOW - 11), None)]
    )
    assert view.visible_markers() == ["cat (gap)", "dog"]
    assert view.lines[1].label.toPlainText() == "dog"
    assert view.lines[1].value() == pytest.approx(-2 + 1 / RATE)
    view.show_signal(chunk_of(samples, times=NOW + 3 - np.arange(2500, 0, -1) / RATE))
    assert view.visible_markers() == ["dog"]
    assert view.lines[0].label.toPlainText() == "dog"


def test_labels_that_would_overlap_are_shortened(view: SignalView) -> None:
    view.show_signal(chunk_of(np.ones((2500, 3)), times=NOW - np.arange(2500, 0, -1) / RATE))
    view.show_markers([(Marker("motorcycle", NOW - 4.0), None), (Marker("motorcycle", NOW - 3.5), None)])
    first, last = view.visible_markers()
    assert first.endswith("…")
    assert last == "motorcycle"


def test_the_epoch_is_shaded(view: SignalView) -> None:
    view.show_signal(chunk_of(np.ones((2500, 3)), times=NOW - np.arange(2500, 0, -1) / RATE))
    view.show_epoch(EpochSpan(NOW - 2.1, NOW - 1.2))
    assert view.shade.isVisible()
    assert view.shade.getRegion() == pytest.approx((-2.1 + 1 / RATE, -1.2 + 1 / RATE))
    view.show_epoch(EpochSpan(NOW - 22.1, NOW - 21.2))
    assert not view.shade.isVisible()


def test_rows_are_named_and_the_scale_bar_says_its_height(view: SignalView) -> None:
    view.show_signal(chunk_of(np.random.default_rng(0).normal(0, 20, (2500, 3))))
    assert view.plot.getAxis("left")._tickLevels == [[(0, "Fz"), (-1, "Cz"), (-2, "Oz")]]
    assert view.height_uv is not None
    low, high = view.bar.getData()[1]
    assert view.bar_text.toPlainText() == f"{(high - low) * view.height_uv:g} µV"
    view.grab()


def test_a_chunk_of_another_montage_is_not_drawn_in_wrong_rows(view: SignalView) -> None:
    view.show_signal(chunk_of(np.ones((100, 5))))
    assert view.traces is None
