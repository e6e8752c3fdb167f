"""Lines from standard input, while the program does something else."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType

# A terminal shows the end of what is typed as a new line: back to the line before, which is drawn anew.
_BACK = Control((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))


def on_each_line(
    act: Callable[[str], None], ended: Callable[[], None] = lambda: None, console: Console | None = None
) -> None:
    """Call `act` with every line of standard input and `ended` at its end, from a thread of its own.

    `console` draws its last line over and over: what is typed leaves no copy of that line behind.

    Read past Python's own buffer: its lock, held by a waiting thread, would stop the program at its very end.
    """
    if hasattr(signal, "SIGTTIN"):  # a program in the background that asks its terminal would be stopped
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    lines = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    typed = lines.isatty()

    def follow() -> None:
        with suppress(OSError):
            while line := lines.readline():
                if console is not None and typed and line.endswith(b"\n"):
                    console.control(_BACK)
                act(line.decode(errors="replace"))
        ended()

    Thread(target=follow, name="commands", daemon=True).start()
