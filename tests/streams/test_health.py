"""What is wrong with a stream is counted by kind: loss is not a clock that was set."""

from __future__ import annotations

import numpy as np

from bci_live.streams.arrivals import Arrivals
from bci_live.streams.health import HealthMeter, StreamHealth

RATE = 250.0


def health_of(stamps: np.ndarray, arrived: np.ndarray | None = None) -> StreamHealth:
    """Of a stream that comes in chunks of 10; a chunk arrives with its last sample unless `arrived` says otherwise."""
    arrivals = Arrivals(RATE, 2)
    samples = np.arange(len(stamps), dtype=np.float32)[:, None].repeat(2, axis=1)
    for start in range(0, len(stamps), 10):
        part = slice(start, min(start + 10, len(stamps)))
        arrivals.take(samples[part], stamps[part], float((stamps if arrived is None else arrived)[part.stop - 1]))
    return arrivals.health


def test_a_sound_stream_has_nothing_to_count() -> None:
    assert health_of(np.arange(2000) / RATE) == StreamHealth()


def test_lost_samples_are_counted_by_the_stamps() -> None:
    stamps = np.delete(np.arange(4000) / RATE, [*range(1000, 1250), *range(2000, 2030)])
    assert health_of(stamps) == StreamHealth(lost=280)


def test_a_clock_that_is_set_is_no_loss() -> None:
    arrivals = np.arange(4000) / RATE
    stamps = arrivals + np.where(np.arange(4000) >= 1000, 10.0, 0.0) - np.where(np.arange(4000) >= 2000, 30.0, 0.0)
    # The stamps go back once, too.
    assert health_of(stamps, arrivals) == StreamHealth(clock_steps=2, backwards=1)


def test_odd_stamps_and_values_are_counted() -> None:
    meter = HealthMeter(RATE)
    samples = np.zeros((4, 2), np.float32)
    samples[1] = np.nan, np.inf
    stamps = np.array([1.0, 1.0, 1.004, 1.001])
    meter.add_raw(samples, stamps, twice=0, late=0)
    assert meter.health == StreamHealth(repeated=1, backwards=1, not_numbers=2)
