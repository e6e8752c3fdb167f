"""The survey of streams as a table for the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bci_live.streams.survey import StreamReport, Survey
from bci_live.streams.survey_cells import FIRST_FIGURE, HEADINGS, Cell, cells

_REFRESH_S = 1.0
# Without a terminal nothing is cut, however long the names are.
_FULL_WIDTH = 10_000


def table_console() -> Console:
    """Standard output, as wide as the terminal; without a terminal, as wide as the table."""
    console = Console()
    return console if console.is_terminal else Console(width=_FULL_WIDTH)


def survey_table(reports: Sequence[StreamReport], width: int | None = None) -> Table:
    """One line a stream; what is not as announced is red.

    Where that is wider than `width` columns, what tells which stream it is stands in one column, in several lines, wrapped
    and never cut; its figures beside the first of them.
    """
    lines = [cells(report) for report in reports]
    wide = _table(HEADINGS, [_texts(line) for line in lines], FIRST_FIGURE)
    if width is None or Console(width=_FULL_WIDTH).measure(wide).maximum <= width:
        return wide
    narrow = [(Text("\n").join(_texts(line[:FIRST_FIGURE])), *_texts(line[FIRST_FIGURE:])) for line in lines]
    return _table(("stream", *HEADINGS[FIRST_FIGURE:]), narrow, 1)


def _table(headings: Sequence[str], lines: Sequence[Sequence[Text]], first_figure: int) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        if place < first_figure:
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, justify="right", no_wrap=True, min_width=_widest(heading, lines, place))
    for line in lines:
        table.add_row(*line)
    return table


def _widest(heading: str, lines: Sequence[Sequence[Text]], place: int) -> int:
    return max(cell_len(heading), *(line[place].cell_len for line in lines))


def _texts(line: Sequence[Cell]) -> list[Text]:
    return [Text(cell.text, "red" if cell.wrong else "") for cell in line]


def watched(seconds: float | None) -> Iterator[tuple[StreamReport, ...]]:
    """What there is, anew every second, for `seconds`, or for ever."""
    end = None if seconds is None else time.monotonic() + seconds
    with Survey() as listening:
        while end is None or time.monotonic() < end:
            left = _REFRESH_S if end is None else end - time.monotonic()
            yield listening.listen(min(_REFRESH_S, left))


def watch_streams(console: Console, seconds: float | None = None) -> None:
    """Show the table anew every second, for `seconds` or until Ctrl-C; in a file, one below the other."""
    if not console.is_terminal:
        with suppress(KeyboardInterrupt):
            for reports in watched(seconds):
                console.print(survey_table(reports, console.width), "", crop=False)
        return
    with Live(console=console, auto_refresh=False) as shown, suppress(KeyboardInterrupt):
        for reports in watched(seconds):
            shown.update(
                survey_table(reports, console.width) if reports else "No LSL stream yet. Ctrl-C ends.", refresh=True
            )
