"""The ring gives exactly the samples around a time, or says why it cannot."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bci_live.streams.ring import RingBuffer, Window
from bci_live.types import Chunk, MissedReason

RATE = 100.0


def chunk(first: int, n: int, offset_s: float = 0.0, breaks: tuple[int, ...] = ()) -> Chunk:
    index = np.arange(first, first + n)
    samples = np.stack([index, -index], axis=1).astype(np.float32)
    return Chunk(samples, index / RATE + offset_s, float(first + n), breaks)


def test_a_window_holds_exactly_the_samples_around_the_time() -> None:
    ring = RingBuffer(2, RATE, 10)
    ring.write(chunk(0, 300))
    window = ring.window(1.002, before=10, after=20)
    assert isinstance(window, Window)
    np.testing.assert_array_equal(window.samples[:, 0], np.arange(90, 120))
    assert window.onset == 1.0


def test_a_window_that_is_not_complete_is_awaited() -> None:
    ring = RingBuffer(2, RATE, 10)
    ring.write(chunk(0, 110))
    assert ring.window(1.0, 10, 20) is None
    ring.write(chunk(110, 10))
    window = ring.window(1.0, 10, 20)
    assert isinstance(window, Window)
    assert window.arrived == 120.0


def test_a_window_over_a_gap_is_missed_not_spliced() -> None:
    ring = RingBuffer(2, RATE, 10)
    ring.write(chunk(0, 100))
    ring.write(chunk(100, 200, offset_s=0.5, breaks=(0,)))
    assert ring.window(0.95, 10, 20) is MissedReason.GAP
    assert ring.window(1.2, 10, 20) is MissedReason.GAP
    assert ring.window(1.55, 10, 20) is MissedReason.GAP
    assert isinstance(ring.window(2.0, 10, 20), Window)


def test_what_was_overwritten_is_too_old() -> None:
    ring = RingBuffer(2, RATE, 5)
    for first in range(0, 2000, 50):
        ring.write(chunk(first, 50))
    assert ring.window(14.95, 10, 20) is MissedReason.TOO_OLD
    assert isinstance(ring.window(15.5, 10, 20), Window)


@given(st.lists(st.integers(1, 170), min_size=1, max_size=30), st.integers(0, 3000))
def test_chunks_of_any_size_read_back_as_one(sizes: list[int], at: int) -> None:
    ring = RingBuffer(2, RATE, 4)
    first = 0
    for size in sizes:
        ring.write(chunk(first, size))
        first += size
    found = ring.window(at / RATE, 7, 13)
    oldest = max(0, first - ring.capacity)
    if at - 7 < oldest and at <= first - 1:
        assert found is MissedReason.TOO_OLD
    elif at + 13 > first:
        assert found is None
    else:
        assert isinstance(found, Window)
        np.testing.assert_array_equal(found.samples[:, 0], np.arange(at - 7, at + 13))


def test_the_latest_second_is_a_copy_with_its_breaks() -> None:
    ring = RingBuffer(2, RATE, 4)
    ring.write(chunk(0, 350))
    ring.write(chunk(350, 50, offset_s=1.0, breaks=(0,)))
    latest = ring.latest(1.0)
    np.testing.assert_array_equal(latest.samples[:, 0], np.arange(300, 400))
    assert latest.breaks == (50,)
