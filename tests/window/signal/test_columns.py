"""What is drawn of the samples: every spike, every gap, nothing twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bci_live.window.signal.columns import Changed, ColumnRing
from bci_live.window.signal.raster import spans
from bci_live.window.signal.rows import middles, next_step, row_height, step_by

RATE = 250.0


def noise(n: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10, (n, channels)).astype(np.float32)


def filled(samples: np.ndarray, times: np.ndarray, breaks: tuple[int, ...] = (), width: int = 100) -> ColumnRing:
    ring = ColumnRing(samples.shape[1], width, 10.0)
    ring.add(samples, times, breaks)
    return ring


def test_a_spike_of_one_sample_is_drawn_at_its_full_height() -> None:
    samples = np.zeros((2000, 2), np.float32)
    samples[1345, 1] = 70.0
    ring = filled(samples, np.arange(2000) / RATE)
    assert np.nanmax(ring.high[1]) == 70.0
    assert np.nanmax(ring.high[0]) == 0.0


@given(
    st.integers(2, 1500),
    st.integers(20, 400),
    st.lists(st.integers(1, 1499), max_size=4, unique=True),
    st.integers(1, 60),
)
@settings(max_examples=60, deadline=None)
def test_it_is_the_same_whether_samples_come_at_once_or_bit_by_bit(
    n: int, width: int, holes: list[int], bit: int
) -> None:
    breaks = tuple(sorted(hole for hole in holes if hole < n))
    samples, times = noise(n), np.arange(n) / RATE
    for hole in breaks:
        times[hole:] += 0.7
    at_once = filled(samples, times, breaks, width)
    bitwise = ColumnRing(2, width, 10.0)
    for start in range(0, n, bit):
        inside = tuple(index - start for index in breaks if start <= index < start + bit)
        bitwise.add(samples[start : start + bit], times[start : start + bit], inside)
    assert at_once.last == bitwise.last
    np.testing.assert_allclose(bitwise.low, at_once.low, atol=1e-4)
    np.testing.assert_allclose(bitwise.high, at_once.high, atol=1e-4)
    shown = times > times[-1] - 10.0 + at_once.column_s
    np.testing.assert_array_less(samples[shown].max(axis=0) - 1e-4, np.nanmax(at_once.high, axis=1))
    np.testing.assert_array_less(np.nanmin(at_once.low, axis=1), samples[shown].min(axis=0) + 1e-4)


def test_neighbouring_columns_touch_even_where_samples_are_rarer_than_pixels() -> None:
    ring = filled(noise(300), np.arange(300) / 30.0, width=1000)
    low, high = ring.low[:, ring.order()], ring.high[:, ring.order()]
    known = np.isfinite(low[0])
    low, high = low[:, known], high[:, known]
    assert known.sum() > 990
    assert (low[:, 1:] <= high[:, :-1] + 1e-4).all()
    assert (low[:, :-1] <= high[:, 1:] + 1e-4).all()


def test_a_slower_sensor_that_is_padded_with_what_is_no_number_is_drawn_and_a_long_hole_is_one() -> None:
    samples = noise(2500)
    samples[1::2, 1] = np.nan
    samples[1000:1500, 1] = np.nan  # two seconds, a fifth of the columns
    ring = filled(samples, np.arange(2500) / RATE)
    there = np.isfinite(ring.low[:, ring.order()])
    assert there[0].all()
    assert list(np.flatnonzero(~there[1])) == [*range(40, 60)]
    assert np.array_equal(there, np.isfinite(ring.high[:, ring.order()]))


def test_no_line_crosses_a_gap() -> None:
    times = np.arange(1000) / RATE
    times[500:] += 1.0
    ring = filled(noise(1000), times, (500,))
    low = ring.low[0, ring.order()]
    inside = np.flatnonzero(np.isfinite(low))
    assert np.isnan(low[inside[0] : inside[-1]]).sum() == pytest.approx(10, abs=1)  # a column is 0.1 s


def test_a_break_at_the_first_of_new_samples_is_one() -> None:
    ring = filled(np.zeros((250, 1), np.float32), np.arange(250) / RATE)
    ring.add(np.full((250, 1), 5.0, np.float32), 3.0 + np.arange(250) / RATE, (0,))
    assert np.isnan(ring.low[0, ring.order()[-19:-11]]).all()


def test_only_what_is_new_is_to_be_drawn() -> None:
    ring = ColumnRing(2, 100, 10.0)
    times = np.arange(3000) / RATE
    assert ring.add(noise(2500), times[:2500]) == Changed(0, 100)
    assert ring.add(noise(10), times[2500:2510]) == Changed(
        99, 101
    )  # the line from the sample before crosses column 99
    assert ring.add(noise(0), times[:0]) == Changed(101, 101)


def test_after_the_clock_stepped_back_only_the_newest_pass_is_drawn() -> None:
    ring = filled(noise(500), 100 + np.arange(500) / RATE)
    ring.add(np.ones((300, 2), np.float32), 50 + np.arange(300) / RATE, (0,))
    assert ring.newest == pytest.approx(50 + 299 / RATE)
    assert np.nanmax(ring.high) == 1.0


def test_spans_cover_their_pixels_and_nothing_else() -> None:
    low = np.array([[1.0, np.nan], [6.0, 2.5]], np.float32)
    high = np.array([[3.0, np.nan], [6.0, 99.0]], np.float32)
    drawn = spans(low, high, height=8)
    assert np.flatnonzero(drawn[:, 0]).tolist() == [1, 2, 3, 6]
    assert np.flatnonzero(drawn[:, 1]).tolist() == [2, 3, 4, 5, 6, 7]
    assert spans(low, high, height=8, thickness=2)[:, 0].sum() == 6


def test_the_row_height_follows_the_signal_in_round_steps_and_does_not_jump() -> None:
    low, high = -20 * np.ones((4, 400), np.float32), 20 * np.ones((4, 400), np.float32)
    assert row_height(low, high) == 50
    assert row_height(low * 0.9, high * 0.9, 50) == 50
    assert row_height(low * 20, high * 20, 50) == 1000
    assert row_height(low[:, :0], high[:, :0], 50) == 50
    assert row_height(low * 0, high * 0) is None  # what does not move tells no height
    assert row_height(low * 0, high * 0, 50) == 50


def test_steps_of_scale_are_round_and_can_be_undone() -> None:
    assert [next_step(value) for value in (1, 1.2, 4, 80, 0.03)] == [1, 1.5, 5, 100, 0.03]
    assert step_by(50, 1) == 75
    assert step_by(step_by(50, 4), -4) == 50
    assert step_by(1.0, -1) == pytest.approx(0.75)


def test_the_middles_follow_a_drift_but_not_every_wave() -> None:
    flat = np.zeros((2, 100), np.float32)
    heights = np.full(2, 50.0, np.float32)
    first = middles(flat, flat, None, heights)
    assert middles(flat + 5, flat + 5, first, heights).tolist() == [0, 0]
    assert middles(flat + 40, flat + 40, first, heights).tolist() == [40, 40]
