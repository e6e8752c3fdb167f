"""The offset of a sender's clock: steady against a bad probe, quick when the clock was set anew."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from bci_live.streams import clock
from bci_live.streams.clock import ClockOffset


class Inlet:
    """Answers with the given corrections, one a probe."""

    def __init__(self, corrections: list[float]) -> None:
        self._corrections: Iterator[float] = iter(corrections)

    def time_correction(self, timeout: float) -> float:
        return next(self._corrections)


def offsets(monkeypatch: pytest.MonkeyPatch, corrections: list[float]) -> list[float]:
    """What is told after each probe."""
    seconds = itertools.count(0, 5)
    monkeypatch.setattr(clock.time, "monotonic", lambda: float(next(seconds)))
    offset = ClockOffset(Inlet(corrections))  # type: ignore[arg-type]
    return [offset.seconds() for _ in corrections]


def test_one_bad_probe_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert offsets(monkeypatch, [2.0] * 6 + [9.0] + [2.0] * 3)[-4:] == [2.0] * 4


def test_a_clock_that_was_set_anew_is_followed_after_the_second_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert offsets(monkeypatch, [2.0] * 12 + [-20_000.0] * 3)[-3:] == [2.0, -20_000.0, -20_000.0]
