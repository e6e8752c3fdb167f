"""Lines from standard input, while the program does something else."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread


def on_each_line(act: Callable[[str], None], ended: Callable[[], None] = lambda: None) -> None:
    """Call `act` with every line of standard input and `ended` at its end, from a thread of its own.

    Read past Python's own buffer: its lock, held by a waiting thread, would stop the program at its very end.
    """
    if hasattr(signal, "SIGTTIN"):  # a program in the background that asks its terminal would be stopped
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    lines = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)

    def follow() -> None:
        with suppress(OSError):
            while line := lines.readline():
                act(line.decode(errors="replace"))
        ended()

    Thread(target=follow, name="commands", daemon=True).start()
