"""Ctrl-C and SIGTERM as an ordinary end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptions() -> Iterator[list[int]]:
    """A list that is empty until Ctrl-C or SIGTERM: work that looks at it ends in order, with everything written.

    No `Event`: a handler that sets it while this very thread holds its lock waits for ever.
    """
    interrupted: list[int] = []
    before = {
        number: signal.signal(number, lambda which, _: interrupted.append(which))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
