"""The signal stands while a pen goes over it; channels are marked by the keys alone."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from bci_live.types import Marker
from bci_live.window import theme
from bci_live.window.example import RATE, ExampleSource, example_chunk, example_snapshot
from bci_live.window.main_window import MainWindow
from bci_live.window.signal.canvas import EpochSpan
from bci_live.window.signal.surround import TOP
from bci_live.window.signal.view import SignalView
from tests.window.signal.conftest import noise, part


@pytest.fixture(autouse=True)
def sweeping(view: SignalView) -> None:
    """It sweeps, and was written on for more than a whole sweep of 10 s: 100 s … 112.4 s."""
    view.sweep(True)
    view.show_part(part(noise(3100)))


def test_what_was_drawn_stands_while_the_pen_goes_on(view: SignalView) -> None:
    canvas = view.canvas
    before = canvas.x_of(111.0)
    view.show_part(part(noise(125), first=3100))
    assert canvas.x_of(111.0) == pytest.approx(before)
    newest = 100 + 3225 / RATE
    assert canvas.x_of(111.0) - canvas.plot.left() == pytest.approx(111.0 % 10 / 10 * canvas.plot.width(), abs=2)
    assert canvas.x_of(newest - 9.5) > canvas.x_of(newest - 0.01)  # what is nearly a sweep old lies before the pen
    view.sweep(False)
    view.show_part(part(noise(125), first=3225))
    assert canvas.x_of(111.0) < canvas.plot.right() - 1.5 / 10 * canvas.plot.width()


def test_markers_stand_where_they_were_and_vanish_when_a_sweep_is_over(view: SignalView) -> None:
    view.show_markers([(Marker("dog", 105.0), None), (Marker("cat", 111.0), None), (Marker("old", 101.0), None)])
    assert view.visible_markers() == ["cat", "dog"]  # from the left: 1 s and 5 s of the sweep
    assert view.canvas.lines()[0].x == pytest.approx(view.canvas.x_of(111.0))


def test_an_epoch_over_the_edge_is_shaded_on_both_sides(view: SignalView) -> None:
    view.show_markers([])
    view.show_epoch(EpochSpan(109.5, 110.5))
    picture, plot = view.canvas.grab().toImage(), view.canvas.plot
    unshaded = QColor(theme.now.panel)

    def shaded(share: float) -> bool:
        column = round(plot.left() + share * plot.width())
        return all(picture.pixelColor(column, TOP + row) != unshaded for row in range(2, 8))

    assert shaded(0.97)
    assert shaded(0.03)
    assert not shaded(0.5)


def test_a_channel_is_marked_bad_by_the_keys(qtbot: QtBot) -> None:
    window = MainWindow(ExampleSource(example_snapshot(), example_chunk()), "bci_live")
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    signal = window.live.signal
    qtbot.waitUntil(lambda: signal.canvas.rows is not None, timeout=10_000)
    assert signal.channels is not None
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_Down)
    qtbot.keyClick(window, Qt.Key.Key_Up)
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert signal.channels.bad == {signal.channels.names[1]}
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert signal.channels.bad == set()
    qtbot.keyClick(window, Qt.Key.Key_W)
    assert signal.canvas.sweeping
    assert window.memory().sweeping
