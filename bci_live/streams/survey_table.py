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
_SHORTEST_NAME = 8


def table_console() -> Console:
    """Standard output, as wide as the terminal; without a terminal, as wide as the table."""
    console = Console()
    return console if console.is_terminal else Console(width=_FULL_WIDTH)


def survey_table(reports: Sequence[StreamReport], width: int | None = None) -> Table:
    """One line a stream; what is not as announced is red.

    What is wider than `width` columns goes without the uid, then without the host, then names are cut; figures never are.
    """
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    lines = [tuple(map(Cell, HEADINGS)), *map(cells, reports)]
    widths = {heading: max(cell_len(line[place].text) for line in lines) for place, heading in enumerate(HEADINGS)}
    excess = sum(widths.values()) + len(widths) - (width or _FULL_WIDTH)
    for heading in ("uid", "host"):
        if excess > 0:
            excess -= widths.pop(heading) + 1
    widths["name"] = max(min(_SHORTEST_NAME, widths["name"]), widths["name"] - max(0, excess))
    for heading, wide in widths.items():
        figures = FIRST_FIGURE <= HEADINGS.index(heading) < len(HEADINGS) - 1
        table.add_column(heading, justify="right" if figures else "left", no_wrap=True, min_width=wide)
    for line in lines[1:]:
        texts = dict(zip(HEADINGS, (Text(cell.text, "red" if cell.wrong else "") for cell in line), strict=True))
        texts["name"].truncate(widths["name"], overflow="ellipsis")
        table.add_row(*(texts[heading] for heading in widths))
    return table


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
