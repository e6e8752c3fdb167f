"""Opens the window and runs until it is closed. Importing this loads no Qt."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bci_live.window.display import check_display

if TYPE_CHECKING:
    from types import TracebackType

    from PyQt6.QtWidgets import QWidget

    from bci_live.window.source import SessionSource

_log = logging.getLogger(__name__)

# The source never got a session, or lost it for good: what a user can mend ends with 2 everywhere.
PROBLEM = 2


def run_window(source: SessionSource, title: str = "bci_live") -> int:
    """Show `source` until the window is closed or Ctrl-C; the exit code is 2 if the source had a fatal problem, else 0.

    The source is opened when the window is on the screen: what it loads would hold that up by seconds.

    Raises
    ------
    WindowError
        If no display can be opened.
    """
    check_display()
    from PyQt6.QtWidgets import QApplication

    from bci_live.window.main_window import MainWindow
    from bci_live.window.memory import keep, kept
    from bci_live.window.theme import LOOKS, apply_theme

    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([title])
    memory = kept()
    apply_theme(app, LOOKS[memory.look])
    window = MainWindow(source, title, memory)

    def leave() -> None:
        window.asks_before_closing = False  # Ctrl-C has answered
        if window.close():  # what is still being saved holds it up; a second Ctrl-C leaves without that
            app.exit(0)

    with _interrupts(leave), _bugs_shown(window.show_bug):
        window.show()
        app.processEvents()
        with source:
            if window.isVisible():  # it may have been closed meanwhile
                app.exec()
            keep(window.memory())
            window.asks_before_closing = False
            window.close()
    destroy(window)
    return PROBLEM if source.problem() is not None else 0


def destroy(window: QWidget) -> None:
    """Delete a closed window now. Left to the interpreter's end, it may go after its application, and Qt crashes."""
    from PyQt6.QtCore import QCoreApplication, QEvent

    window.deleteLater()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)


@contextmanager
def _interrupts(leave: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C leaves in order. Python sees the signal between two of the window's timer ticks."""
    before = signal.signal(signal.SIGINT, lambda *_: leave())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _bugs_shown(show: Callable[[str], None]) -> Iterator[None]:
    """A bug in a timer's callback is logged once with its traceback and shown; PyQt would abort the program."""
    seen: set[tuple[type, str]] = set()

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> Any:
        if (kind, str(error)) not in seen:
            seen.add((kind, str(error)))
            _log.error("The window met a bug", exc_info=(kind, error, trace))
        show(f"{kind.__name__} in the window: {error}. See the log.")

    before, sys.excepthook = sys.excepthook, report
    try:
        yield
    finally:
        sys.excepthook = before
