"""Jitter is straightened, loss is seen, and chunking changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bci_live.streams.dejitter import Dejitter

RATE = 250.0
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
MUSE_RUNS = sorted([*DATA.glob("muse-n170/*.csv"), *DATA.glob("muse-gratings/*.csv")])


def straighten(rate: float, stamps: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    done = Dejitter(rate).straighten(stamps)
    return done.times, done.breaks


def jittered(n: int, seed: int) -> np.ndarray:
    return 10 + np.arange(n) / RATE + np.random.default_rng(seed).normal(0, 0.004, n)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=20), st.integers(0, 100))
def test_the_result_does_not_depend_on_the_chunks(sizes: list[int], seed: int) -> None:
    stamps = jittered(sum(sizes), seed)
    whole = Dejitter(RATE).straighten(stamps)
    dejitter, parts, breaks, first = Dejitter(RATE), [], [], 0
    for size in sizes:
        part = dejitter.straighten(stamps[first : first + size])
        parts.append(part.times)
        breaks += [first + index for index in part.breaks]
        first += size
    np.testing.assert_array_equal(np.concatenate(parts), whole.times)
    assert tuple(breaks) == whole.breaks


def test_after_a_lost_second_the_times_are_right_at_once() -> None:
    stamps = np.arange(5000) / RATE
    kept = np.delete(stamps, slice(2500, 2750))
    times, breaks = straighten(RATE, kept)
    assert breaks == (2500,)
    # liblsl's own dejitter is 999 ms off here.
    assert np.abs(times - kept).max() < 0.002


@pytest.mark.parametrize(("rate", "lost"), [(250.0, 1), (250.0, 3), (1000.0, 1), (1000.0, 4), (500.0, 9), (2000.0, 1)])
def test_a_few_lost_samples_show_by_the_stamps_after_them(rate: float, lost: int) -> None:
    stamps = np.delete(np.arange(5000) / rate, slice(2500, 2500 + lost))
    times, (begin, found) = straighten(rate, stamps)
    assert begin <= 2500  # nothing since then was certain
    assert 0 <= found - 2500 <= rate / 4  # too little to be told from jitter at once
    assert np.abs(times - stamps)[found:].max() < 0.002


@pytest.mark.parametrize("stall_s", [0.02, 0.05, 0.1, 0.2, 0.5])
def test_a_sender_that_stalls_and_catches_up_misdates_no_window_without_a_break(stall_s: float) -> None:
    taken = np.arange(4500) / RATE
    stamps = taken + np.random.default_rng(0).normal(0, 1e-4, len(taken))
    begin = 3000.5 / RATE
    held = (taken > begin) & (taken < begin + stall_s)
    stamps[held] = begin + stall_s + 1e-5 * np.arange(held.sum())  # all that it held back, stamped when it is sent
    times, breaks = straighten(RATE, stamps)
    length = 150  # 0.6 s
    whole = [at for at in range(2500, 4000) if not any(at < it < at + length for it in breaks)]
    assert 1500 - len(whole) < 1.5 * RATE
    assert max(np.abs(times - taken)[at : at + length].max() for at in whole) < 0.005


def test_jitter_is_straightened_to_a_fraction_of_a_sample() -> None:
    times, breaks = straighten(RATE, jittered(10_000, 1))
    truth = 10 + np.arange(10_000) / RATE
    assert breaks == ()
    # 4 ms of jitter go in; half a sample, 2 ms, would put an onset on the wrong one.
    assert np.abs(times - truth)[2500:].max() < 0.001


def test_a_clock_that_runs_100_ppm_fast_is_followed() -> None:
    stamps = np.arange(60_000) / RATE * 1.0001
    times, breaks = straighten(RATE, stamps)
    assert breaks == ()
    assert np.abs(times - stamps).max() < 0.002


def test_a_stamp_that_is_no_number_spoils_nothing_after_it() -> None:
    stamps = np.arange(2000) / RATE
    spoilt = stamps.copy()
    spoilt[[700, 701, 1500]] = np.nan, np.inf, -np.inf
    times, breaks = straighten(RATE, spoilt)
    assert breaks == ()
    assert np.abs(times - stamps).max() < 1e-6


def test_an_irregular_stream_keeps_its_stamps() -> None:
    stamps = np.array([1.0, 5.0, 5.1])
    times, breaks = straighten(0.0, stamps)
    np.testing.assert_array_equal(times, stamps)
    assert breaks == ()


@pytest.mark.skipif(not MUSE_RUNS, reason="the real recordings are not beside the project")
@pytest.mark.parametrize("run", MUSE_RUNS, ids=lambda path: path.stem)
def test_real_muse_packets_are_jitter_and_a_real_hole_is_seen(run: Path) -> None:
    stamps = np.loadtxt(run, delimiter=",", skiprows=1, usecols=0)
    times, breaks = straighten(256.0, stamps)
    assert breaks == ()
    line = np.polyval(np.polyfit(np.arange(len(stamps)), stamps, 1), np.arange(len(stamps)))
    # Stamps stray ± 30 ms from the line; straightened ones by less than half a sample (1.95 ms).
    assert np.abs(times - line)[2560:].max() < 0.00195
    holed = np.delete(stamps, slice(10_000, 10_052))
    assert straighten(256.0, holed)[1] == (10_000,)


@pytest.mark.skipif(not MUSE_RUNS, reason="the real recordings are not beside the project")
@pytest.mark.parametrize("run", MUSE_RUNS, ids=lambda path: path.stem)
@pytest.mark.parametrize("lost", [6, 12], ids=["half a packet", "a packet"])
def test_a_lost_packet_is_seen_through_the_jitter_of_the_others(run: Path, lost: int) -> None:
    stamps = np.loadtxt(run, delimiter=",", skiprows=1, usecols=0)
    for at in range(4_000, 24_000, 5_003):
        breaks = straighten(256.0, np.delete(stamps, slice(at, at + lost)))[1]
        assert 0 <= breaks[-1] - at < 64  # a quarter of a second
        assert len(breaks) == 1 or breaks[0] - at < 24
