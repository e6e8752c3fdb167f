"""The survey of streams as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bci_live.streams.survey import StreamReport, Survey

# A measured rate that is further from the announced one is no jitter of the measurement.
_RATE_OFF = 0.02
_STALE_S = 1.0
_REFRESH_S = 1.0


def survey_table(reports: Sequence[StreamReport]) -> Table:
    """One line a stream; what is not as announced is red."""
    table = Table(box=None, header_style="bold")
    for heading in ("name", "type", "host"):
        table.add_column(heading, no_wrap=True)
    for heading in ("channels", "announced", "measured", "last sample", "clock offset"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("uid")
    for it in reports:
        table.add_row(
            it.name, it.kind, it.host, str(it.channels), f"{it.rate:g} Hz" if it.rate else "irregular",
            _measured(it), _age(it), _offset(it), it.uid[:8],
        )  # fmt: skip
    return table


def watch_streams(console: Console) -> None:
    """Show the table anew every second until Ctrl-C."""
    with Survey() as listening, Live(console=console, auto_refresh=False) as shown, suppress(KeyboardInterrupt):
        while True:
            reports = listening.listen(_REFRESH_S)
            shown.update(survey_table(reports) if reports else "No LSL stream yet. Ctrl-C ends.", refresh=True)


def _measured(it: StreamReport) -> Text:
    if it.problem:
        return Text(it.problem, "red")
    if not it.rate:
        return Text(f"{it.samples} samples")
    if it.measured_rate is None:
        return Text("nothing came" if not it.samples else "…", "" if it.samples else "red")
    return Text(f"{it.measured_rate:.1f} Hz", "red" if abs(it.measured_rate / it.rate - 1) > _RATE_OFF else "")


def _age(it: StreamReport) -> Text:
    if it.age_s is None:
        return Text("–")
    return Text(f"{it.age_s:.2f} s ago", "red" if it.rate and it.age_s > _STALE_S else "")


def _offset(it: StreamReport) -> Text:
    if it.offset_ms is None or it.offset_spread_ms is None:
        return Text("–")
    return Text(f"{it.offset_ms:.2f} ± {it.offset_spread_ms / 2:.2f} ms")
