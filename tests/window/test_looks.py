"""Every panel, at the sizes and in the looks that it is promised for: nothing is cut off, and it comes back so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PyQt6.QtCore import QRect
from PyQt6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from bci_live.live.machine import MachineLoad
from bci_live.live.snapshot import ReplayStatus
from bci_live.window import theme
from bci_live.window.example import ExampleSource
from bci_live.window.main_window import MainWindow
from bci_live.window.memory import keep, kept
from tests.window.conftest import OpenWindow, pixels_of


@pytest.fixture(autouse=True)
def dark_again(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply_theme(qapp)
    qapp.setStyleSheet("")


def cut_off(window: MainWindow) -> list[str]:
    """Words on the screen that have less room than they need; those that end in … say the whole when hovered."""
    words = [it for kind in (QLabel, QAbstractButton, QComboBox) for it in window.findChildren(kind)]
    seen = [it for it in words if theme.is_seen(it) and not isinstance(it, theme.ShortLabel)]
    return [f"{it} {text}" for it in seen if (text := text_of(it)) and lacks_room(it, text)]


def text_of(widget: QWidget) -> str:
    return widget.currentText() if isinstance(widget, QComboBox) else str(getattr(widget, "text", str)())


def lacks_room(widget: QWidget, text: str) -> bool:
    room = widget.contentsRect()
    if isinstance(widget, QLabel) and widget.wordWrap():
        needed = widget.fontMetrics().boundingRect(QRect(0, 0, room.width(), 9999), 0x1000, text)
        return needed.height() > room.height() + 1
    lines = max(widget.fontMetrics().horizontalAdvance(line) for line in text.split("\n"))
    return bool(lines > room.width())


@pytest.mark.parametrize("look", ["dark", "light"])
@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_no_words_are_cut_off_in_any_panel(
    open_window: OpenWindow, source: ExampleSource, qapp: QApplication, size: tuple[int, int], look: str
) -> None:
    source.played = ReplayStatus(75.0, 400.0, paused=False, loop=True, ended=False)
    theme.apply_theme(qapp, theme.LOOKS[look])
    window = open_window(source)
    window.resize(*size)
    window.live.filmstrip.strip.pin(window.live.filmstrip.strip.pairs[0].marker)
    for name, dock in window.live.desk.docks.items():
        dock.raise_()
        qapp.processEvents()
        window.poll_signal()
        window.poll_snapshot()
        qapp.processEvents()
        assert theme.is_seen(dock), name
        assert cut_off(window) == [], name
        scrolled = dock.widget()
        if isinstance(scrolled, QScrollArea) and (bar := scrolled.horizontalScrollBar()) is not None:
            assert bar.maximum() == 0, f"{name} is wider than its dock"
    corner = pixels_of(window.grab())[3, 3]
    assert (corner.mean() > 128) == (look == "light")
    assert (window.width(), window.height()) == size


def test_look_and_size_come_back(
    open_window: OpenWindow, source: ExampleSource, qapp: QApplication, qtbot: QtBot
) -> None:
    theme.apply_theme(qapp)
    window = open_window(source)
    window.setGeometry(0, 30, 1, 600)  # as narrow as it can be; the screen that there is not is narrower
    window.change_look()
    keep(window.memory())
    memory = kept()
    assert memory.look == "light"
    again = MainWindow(source, "bci_live", memory)
    qtbot.addWidget(again)
    again.show()
    qapp.processEvents()
    qtbot.waitUntil(lambda: again.size() == window.size(), timeout=3000)
    assert again.height() == 600


def test_a_gpu_has_a_row_where_a_model_is_on_one(open_window: OpenWindow, source: ExampleSource) -> None:
    window = open_window(source)
    status = window.live.status
    row = status._values["GPU"]
    load = MachineLoad(12.0, 900_000_000)
    status.show_machine(load)
    assert row.isHidden()
    status.show_machine(replace(load, gpu_used=2_000_000_000, gpu_total=80_000_000_000))
    assert not row.isHidden()
    assert status.figure("GPU") == "2.0 GB of 80.0 GB"
    status.show_machine(replace(load, gpu_percent=34, gpu_used=2_000_000_000, gpu_total=80_000_000_000))
    assert status.figure("GPU") == "34 %, 2.0 GB of 80.0 GB"
