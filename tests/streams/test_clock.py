"""The offset of a sender's clock: steady against a bad probe, quick when the clock was set anew."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from bci_live.streams.clock import ClockOffset


class Inlet:
    """Answers with the given corrections, one a probe."""

    def __init__(self, corrections: list[float]) -> None:
        self._corrections: Iterator[float] = iter(corrections)

    def time_correction(self, timeout: float) -> float:
        return next(self._corrections)


def offsets(corrections: list[float]) -> list[float]:
    """What is told after each probe."""
    seconds = itertools.count(0, 5)
    offset = ClockOffset(Inlet(corrections), lambda: float(next(seconds)))  # type: ignore[arg-type]
    return [offset.seconds() for _ in corrections]


def test_one_bad_probe_moves_nothing() -> None:
    assert offsets([2.0] * 6 + [9.0] + [2.0] * 3)[-4:] == [2.0] * 4


def test_a_clock_that_was_set_anew_is_followed_after_the_second_probe() -> None:
    assert offsets([2.0] * 12 + [-20_000.0] * 3)[-3:] == [2.0, -20_000.0, -20_000.0]


def test_clocks_that_drift_apart_are_followed_between_the_probes() -> None:
    now = 0.0
    drift, inlet = 1e-4, Inlet([])
    inlet.time_correction = lambda timeout: drift * now  # type: ignore[method-assign]
    offset = ClockOffset(inlet, lambda: now)  # type: ignore[arg-type]
    worst = 0.0
    for second in range(300):
        now = second + 0.9
        told = offset.seconds()
        if second > 30:
            worst = max(worst, abs(told - drift * now))
    assert worst < 1e-4  # a median of the last minute is 3 ms behind
