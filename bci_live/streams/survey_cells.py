"""The survey of streams in words: one cell a figure, and whether it is as announced."""

from __future__ import annotations

from typing import NamedTuple

from bci_live.streams.survey import StreamReport

# A measured rate that is further from the announced one is no jitter of the measurement.
_RATE_OFF = 0.02


class Cell(NamedTuple):
    """`wrong`: not as announced."""

    text: str
    wrong: bool = False


HEADINGS = ("name", "type", "host", "source id", "uid", "ch", "announced", "measured", "last sample", "clock offset")
# Those before tell which stream it is, those from here on are figures.
FIRST_FIGURE = 5


def cells(it: StreamReport) -> tuple[Cell, ...]:
    """One line of the table, under `HEADINGS`."""
    announced = f"{it.rate:g} Hz" if it.rate else "irregular"
    named = (it.name, it.kind, it.host, it.source_id or "–", it.uid[:8], str(it.channels), announced)
    return (*map(Cell, named), _measured(it), _age(it), _offset(it))


def _measured(it: StreamReport) -> Cell:
    if it.problem:
        return Cell(it.problem, True)
    if not it.rate:
        return Cell(f"{it.samples} sample{'s' * (it.samples != 1)}")
    if it.stale:
        return Cell("silent", True)
    if it.measured_rate is None:
        return Cell("…") if it.samples else Cell("nothing came", True)
    return Cell(f"{it.measured_rate:.1f} Hz", abs(it.measured_rate / it.rate - 1) > _RATE_OFF)


def _age(it: StreamReport) -> Cell:
    if it.age_s is None:
        return Cell("–")
    return Cell(f"{it.age_s:.2f} s ago", it.stale)


def _offset(it: StreamReport) -> Cell:
    if it.offset_ms is None:
        return Cell("–")
    spread = "–" if it.offset_spread_ms is None else f"{it.offset_spread_ms / 2:.2f}"
    return Cell(f"{it.offset_ms:.2f} ± {spread} ms")
