"""The survey of streams as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bci_live.streams.survey import StreamReport, Survey
from bci_live.streams.survey_cells import FIRST_FIGURE, HEADINGS, cells

_REFRESH_S = 1.0


def survey_table(reports: Sequence[StreamReport]) -> Table:
    """One line a stream; what is not as announced is red."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for place, heading in enumerate(HEADINGS):
        figures = FIRST_FIGURE <= place < len(HEADINGS) - 1
        table.add_column(heading, justify="right" if figures else "left", no_wrap=True)
    for report in reports:
        table.add_row(*(Text(cell.text, "red" if cell.wrong else "") for cell in cells(report)))
    return table


def watch_streams(console: Console) -> None:
    """Show the table anew every second until Ctrl-C."""
    with Survey() as listening, Live(console=console, auto_refresh=False) as shown, suppress(KeyboardInterrupt):
        while True:
            reports = listening.listen(_REFRESH_S)
            shown.update(survey_table(reports) if reports else "No LSL stream yet. Ctrl-C ends.", refresh=True)
