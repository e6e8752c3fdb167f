"""The signal bit by bit, for a display that draws only what is new."""

from __future__ import annotations

from bci_live.live.snapshot import SignalPart
from bci_live.streams.ring import RingBuffer
from bci_live.types import Chunk


def part_since(ring: RingBuffer, count: int, seconds: float) -> SignalPart:
    """What came after the first `count` samples, but the newest `seconds` at most; all of those where there were fewer.

    A part that begins where the last one ended follows on it, unless it has a break at 0.
    """
    end = ring.count
    oldest = max(0, end - ring.capacity, end - int(seconds * ring.rate))
    first = count if oldest <= count <= end else oldest
    # The ring tells of a break before the first sample only together with the sample before it.
    chunk = ring.between(first - 1, end)
    before = max(0, len(chunk.times) - (end - first))
    breaks = tuple(index - before for index in chunk.breaks if index >= before)
    return SignalPart(first, Chunk(chunk.samples[before:], chunk.times[before:], chunk.arrived, breaks))
