"""Parts of the signal, taken one after the other, are the signal."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bci_live.live.parts import part_since
from bci_live.streams.ring import RingBuffer
from bci_live.types import Chunk

RATE = 100.0


def written(n: int, breaks: tuple[int, ...] = (), seconds: float = 30.0) -> RingBuffer:
    ring = RingBuffer(1, RATE, seconds)
    ring.write(Chunk(np.arange(n, dtype=np.float32)[:, None], np.arange(n) / RATE, 0.0, breaks))
    return ring


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.lists(st.integers(1, 200), max_size=3))
def test_parts_joined_are_the_whole_with_every_break(sizes: list[int], holes: list[int]) -> None:
    total = sum(sizes)
    breaks = tuple(sorted({hole for hole in holes if hole < total}))
    ring, begun, position = RingBuffer(1, RATE, 30.0), 0, 0
    samples, told = [], []
    for size in sizes:
        counts = np.arange(begun, begun + size)
        inside = tuple(index - begun for index in breaks if begun <= index < begun + size)
        ring.write(Chunk(counts.astype(np.float32)[:, None], counts / RATE, 0.0, inside))
        begun += size
        part = part_since(ring, position, 30.0)
        assert part.first == position
        told += [index + position for index in part.chunk.breaks]
        samples += part.chunk.samples[:, 0].tolist()
        position += len(part.chunk.times)
    assert samples == list(range(total))
    assert tuple(told) == breaks


def test_who_comes_late_or_from_another_session_gets_the_newest_seconds() -> None:
    ring = written(1000)
    for count in (0, 5000):
        part = part_since(ring, count, 2.0)
        assert (part.first, len(part.chunk.times)) == (800, 200)
    assert part_since(written(50), 5000, 2.0).first == 0
    assert part_since(written(1000, seconds=1.0), 0, 60.0).first == 900


def test_nothing_new_is_an_empty_part() -> None:
    part = part_since(written(100), 100, 2.0)
    assert (part.first, len(part.chunk.times), part.chunk.breaks) == (100, 0, ())
