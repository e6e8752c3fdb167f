"""What a stream brings twice, late or with holes, however it is cut into chunks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bci_live.streams.arrivals import Arrivals
from bci_live.streams.ring import RingBuffer, Window
from bci_live.types import Chunk

RATE = 250.0


def counted(counts: np.ndarray, stamps: np.ndarray, sizes: list[int] | None = None) -> tuple[list[Chunk], Arrivals]:
    """Samples that tell their own count in the first of two channels, in chunks of these sizes."""
    samples = np.stack([counts, np.sin(counts)], axis=1).astype(np.float32)
    arrivals, chunks, first = Arrivals(RATE, 2), [], 0
    for size in sizes or [len(counts)]:
        chunks.append(arrivals.take(samples[first : first + size], stamps[first : first + size], 0.0))
        first += size
    return chunks, arrivals


def test_a_packet_that_is_sent_twice_is_taken_once() -> None:
    counts = np.insert(np.arange(2000), 1012, np.arange(1000, 1012))
    (chunk,), arrivals = counted(counts, counts / RATE)
    np.testing.assert_array_equal(chunk.samples[:, 0], np.arange(2000))
    assert chunk.breaks == ()
    assert (arrivals.health.twice, arrivals.health.lost) == (12, 0)


def test_equal_stamps_of_different_samples_are_jitter_and_all_are_taken() -> None:
    stamps = np.arange(2000) // 2 * 2 / RATE
    (chunk,), arrivals = counted(np.arange(2000), stamps)
    assert len(chunk.samples) == 2000
    assert (arrivals.health.twice, arrivals.health.repeated) == (0, 1000)


def test_a_dead_headset_whose_packets_have_one_stamp_each_loses_nothing() -> None:
    stamps = np.arange(2000) // 10 * 10 / RATE
    (chunk,), arrivals = counted(np.zeros(2000), stamps)
    assert len(chunk.samples) == 2000
    assert arrivals.health.twice == 0


def test_a_packet_with_one_stamp_that_is_sent_twice_is_taken_once() -> None:
    counts = np.insert(np.arange(2000), 1010, np.arange(1000, 1010))
    (chunk,), arrivals = counted(counts, counts // 10 * 10 / RATE)
    np.testing.assert_array_equal(chunk.samples[:, 0], np.arange(2000))
    assert arrivals.health.twice == 10


def test_a_packet_that_was_overtaken_is_left_out_of_its_hole_and_counted() -> None:
    order = np.concatenate([np.arange(1000), np.arange(1012, 1024), np.arange(1000, 1012), np.arange(1024, 2000)])
    (chunk,), arrivals = counted(order, order / RATE)
    np.testing.assert_array_equal(chunk.samples[:, 0], np.delete(np.arange(2000), slice(1000, 1012)))
    assert chunk.breaks == (1000,)
    assert (arrivals.health.late, arrivals.health.lost, arrivals.health.clock_steps) == (12, 12, 0)
    # The stamps after it are not led astray by it.
    assert np.abs(chunk.times - chunk.samples[:, 0] / RATE).max() < 0.002


def test_a_stamp_that_is_no_number_hides_no_repetition() -> None:
    counts = np.insert(np.arange(2000), 1012, np.arange(1000, 1012))
    stamps = counts / RATE
    stamps[900] = np.nan
    (chunk,), arrivals = counted(counts, stamps)
    assert arrivals.health.twice == 12
    assert len(chunk.samples) == 2000


# About as long as what is taken for a loss at once: the first sample after it is not, the second is.
@example(rate=250.0, lost=5, jitter_ms=0.3, sizes=[1, 1, 1, 1, 1], seed=0)
# One sample: 2, 1 and 0.5 ms.
@example(rate=500.0, lost=1, jitter_ms=0.2, sizes=[20, 20, 20, 20, 20], seed=0)
@example(rate=1000.0, lost=1, jitter_ms=0.0, sizes=[20, 20, 20, 20, 20], seed=0)
@example(rate=2000.0, lost=1, jitter_ms=0.0, sizes=[20, 20, 20, 20, 20], seed=0)
@settings(max_examples=20, deadline=None)
@given(
    rate=st.sampled_from([250.0, 500.0, 1000.0, 2000.0]),
    lost=st.integers(1, 12),
    jitter_ms=st.sampled_from([0.0, 0.2, 0.3, 1.0]),
    sizes=st.lists(st.integers(1, 60), min_size=5, max_size=20),
    seed=st.integers(0, 1000),
)
def test_no_window_is_ever_given_out_over_a_loss_however_the_samples_come(
    rate: float, lost: int, jitter_ms: float, sizes: list[int], seed: int
) -> None:
    """While a loss of a few samples is not yet told from jitter, windows behind it wait; none holds a hole.

    One that is shorter than six times the jitter (standard deviation) cannot be told from it; without jitter each is.
    """
    at = int(3.2 * rate)
    counts = np.delete(np.arange(int(4 * rate)), slice(at, at + lost))
    jitter = np.random.default_rng(seed).normal(0, jitter_ms / 1000, len(counts))
    samples = counts[:, None].astype(np.float32).repeat(2, axis=1)
    arrivals, ring, first, size = Arrivals(rate, 2), RingBuffer(2, rate, 60.0), at - 100, 0
    ring.write(arrivals.take(samples[:first], counts[:first] / rate + jitter[:first], 0.0))
    given_out = 0
    hides = lost * 1000 / rate < 6 * jitter_ms
    while first < len(counts):
        part = slice(first, first + sizes[size % len(sizes)])
        ring.write(arrivals.take(samples[part], counts[part] / rate + jitter[part], 0.0))
        first, size = part.stop, size + 1
        # The newest windows of 25 samples that can be had now: those that a hasty reader would get wrong.
        for back in range(14, 60, 3):
            window = ring.window((counts[min(first, len(counts)) - 1] - back) / rate, 12, 13)
            if isinstance(window, Window):
                given_out += 1
                assert hides or (np.diff(window.samples[:, 0]) == 1).all()
    assert given_out > 20
    # Counted to the sample, or to the jitter of the stamp behind the loss.
    assert hides or abs(arrivals.health.lost - lost) * 1000 / rate <= 6 * jitter_ms


def test_samples_before_the_first_with_a_time_are_left_out_and_spoil_nothing() -> None:
    stamps = np.arange(2000) / RATE
    stamps[:3] = np.nan
    stamps[1500:1502] = np.inf
    (chunk,), arrivals = counted(np.arange(2000), stamps)
    np.testing.assert_array_equal(chunk.samples[:, 0], np.arange(3, 2000))
    assert np.abs(chunk.times - np.arange(3, 2000) / RATE).max() < 1e-6
    assert arrivals.health.late == 3


@pytest.mark.parametrize("rate", [250.0, 2000.0])
@pytest.mark.parametrize("better_s", [0.001, -0.001, 0.01])
def test_a_better_measurement_of_the_clock_offset_is_no_loss(rate: float, better_s: float) -> None:
    arrivals, times = Arrivals(rate, 1), []
    for first in range(0, int(10 * rate), 20):
        offset_s = 100.0 if first < 5 * rate else 100.0 + better_s
        counts = np.arange(first, first + 20)
        chunk = arrivals.take(counts[:, None].astype(np.float32), counts / rate, 0.0, offset_s)
        assert chunk.breaks == ()
        times += chunk.times.tolist()
    assert arrivals.health.lost == 0
    assert (np.diff(times) > 0).all()
    assert abs(times[-1] - (100.0 + better_s + (len(times) - 1) / rate)) < 1e-6


def test_another_clock_is_a_break() -> None:
    arrivals = Arrivals(RATE, 1)
    counts = np.arange(1000)
    samples = counts[:, None].astype(np.float32)
    arrivals.take(samples[:500], counts[:500] / RATE, 0.0, 100.0)
    chunk = arrivals.take(samples[500:], counts[500:] / RATE, 2.0, 700.0)
    assert chunk.breaks == (0,)
    np.testing.assert_allclose(chunk.times, 700 + counts[500:] / RATE, atol=1e-6)
