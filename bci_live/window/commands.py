"""What each key does to the window; `keys.HELP` tells it in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bci_live.window.main_window import MainWindow


def commands(window: MainWindow) -> dict[str, Callable[[], object]]:
    """By the name of the key, as `keys.pressed` has it."""
    signal, details = window.live.signal, window.live.details
    return {
        "Space": window.rest,
        "Left": partial(signal.look_back, -1.0),
        "Right": partial(signal.look_back, 1.0),
        "Shift+Left": partial(signal.look_back, -5.0),
        "Shift+Right": partial(signal.look_back, 5.0),
        "L": signal.follow,
        "+": partial(signal.zoom, -1),
        "=": partial(signal.zoom, -1),
        "-": partial(signal.zoom, 1),
        "A": signal.fit,
        "W": lambda: signal.sweep(not signal.canvas.sweeping),
        "Up": partial(signal.pager.choose, -1),
        "Down": partial(signal.pager.choose, 1),
        "PgUp": partial(signal.pager.turn, -1),
        "PgDown": partial(signal.pager.turn, 1),
        "Shift+PgUp": partial(signal.pager.resize, -1),
        "Shift+PgDown": partial(signal.pager.resize, 1),
        "B": signal.mark_chosen,
        "Home": partial(signal.lengthen, -1),
        "End": partial(signal.lengthen, 1),
        **{str(number + 1): partial(signal.toggle_channel, number) for number in range(8)},
        "Ctrl+U": lambda: window.open_streams(window.pages.currentWidget() is not window.streams),
        "F9": window.record.click,
        "M": window.save_screenshot,
        "Ctrl+S": details.save,
        "Ctrl+C": details.copy,
        "Ctrl+T": window.change_look,
        "Ctrl+R": window.live.arrange,
        "P": window.live.desk.offer_places,
        "F11": window.toggle_full_screen,
        "?": window.help.toggle,
        "F1": window.help.toggle,
        "Esc": window.step_back,
        "Ctrl+Q": window.close,
    }
