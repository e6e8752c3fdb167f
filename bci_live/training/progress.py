"""What a training tells of itself while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bci_live.training.validation import Phase


@contextmanager
def phases(shown: bool) -> Iterator[Phase]:
    """A progress bar with one line a phase: `phase(name)` begins one and returns what reports its share and losses."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[losses]}"))
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bar:

        def begin(name: str) -> Callable[[float, str], None]:
            for earlier in bar.task_ids:
                bar.update(earlier, completed=1.0)
            if shown and not bar.console.is_terminal:  # where no bar can be drawn
                bar.console.print(f"{name} …")
            task = bar.add_task(name, total=1.0, losses="")
            return lambda share, losses: bar.update(task, completed=share, losses=losses)

        yield begin
