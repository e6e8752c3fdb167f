"""By keyboard alone one gets into a panel, and back to the keys of the window."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from bci_live.window.example import ExampleSource, example_chunk
from bci_live.window.keys import HELP
from bci_live.window.main_window import MainWindow
from tests.window.conftest import OpenWindow

KEY, DIRECT = Qt.Key, Qt.FindChildOption.FindDirectChildrenOnly


@pytest.fixture
def window(open_window: OpenWindow, source: ExampleSource, qtbot: QtBot) -> MainWindow:
    source.chunk = example_chunk(seconds=60)
    window = open_window(source)
    window.poll_signal()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=3000)
    return window


def press(qtbot: QtBot, key: Qt.Key) -> None:
    """Where the keys go now."""
    focused = QApplication.focusWidget() or QApplication.activeWindow()
    assert focused is not None
    qtbot.keyClick(focused, key)


def go_to(window: MainWindow, qtbot: QtBot, dock: str, widget: QWidget) -> None:
    window.live.desk.raise_panel(dock)
    qtbot.waitUntil(lambda: widget.setFocus() or widget.hasFocus(), timeout=3000)


def test_esc_brings_back_the_keys_of_the_window_after_a_click_on_a_picture(window: MainWindow, qtbot: QtBot) -> None:
    strip, signal = window.live.filmstrip.strip, window.live.signal
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    markers = [pair.marker for pair in strip.pairs]
    clicked = markers.index(strip.pinned)
    press(qtbot, KEY.Key_Right)  # who has clicked a picture goes on from it
    assert strip.pinned == markers[clicked + 1]
    press(qtbot, KEY.Key_Escape)
    press(qtbot, KEY.Key_Left)
    assert strip.pinned == markers[clicked + 1]
    assert signal.back_s == 1
    assert "Esc" in dict(HELP)


def test_esc_brings_back_the_keys_of_the_window_from_every_kind_of_field(window: MainWindow, qtbot: QtBot) -> None:
    live = window.live
    before = live.signal.back_s
    for dock, widget in (
        ("controls", live.controls.steps), ("controls", live.controls.decoder), ("controls", live.controls.initial),
        ("controls", live.controls.load_button), ("quality", live.quality.head), ("quality", live.quality.mains),
        ("details", live.details.text), ("spectrum", live.spectrum.channel),
    ):  # fmt: skip
        go_to(window, qtbot, dock, widget)
        press(qtbot, KEY.Key_Escape)
        press(qtbot, KEY.Key_Left)
        before += 1
        assert live.signal.back_s == before, widget


def test_esc_brings_back_the_keys_of_the_window_from_a_panel_that_floats(window: MainWindow, qtbot: QtBot) -> None:
    strip, dock = window.live.filmstrip.strip, window.live.desk.docks["filmstrip"]
    dock.setFloating(True)
    dock.activateWindow()
    go_to(window, qtbot, "filmstrip", strip)
    press(qtbot, KEY.Key_Escape)
    press(qtbot, KEY.Key_Left)
    assert strip.pinned is None
    assert window.live.signal.back_s == 1
    dock.setFloating(False)


@pytest.mark.parametrize("dock", ["quality", "controls"])
def test_page_keys_turn_the_channels_from_a_panel_that_does_not_need_them(
    window: MainWindow, qtbot: QtBot, dock: str
) -> None:
    live = window.live
    go_to(window, qtbot, dock, live.quality.head if dock == "quality" else live.controls.load_button)
    press(qtbot, KEY.Key_PageDown)
    assert live.signal.pager.text() == "1–16 of 32"
    press(qtbot, KEY.Key_PageDown)
    assert live.signal.pager.text() == "17–32 of 32"


def test_a_field_that_tab_comes_to_is_scrolled_into_sight(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 560)
    controls = window.live.controls
    go_to(window, qtbot, "controls", controls.device)
    press(qtbot, KEY.Key_Tab)
    assert controls.load_button.hasFocus()
    qtbot.waitUntil(lambda: not controls.load_button.visibleRegion().isEmpty(), timeout=3000)


def test_panels_are_arranged_by_keys(window: MainWindow, qtbot: QtBot) -> None:
    desk = window.live.desk
    scores = desk.docks["scores"]

    def choose(panel: str, downs: int) -> None:
        qtbot.keyClick(window, KEY.Key_P)
        (menu,) = desk.findChildren(QMenu, options=DIRECT)
        qtbot.waitUntil(menu.isVisible, timeout=3000)
        while (action := menu.activeAction()) is not None and action.text() != panel:
            qtbot.keyClick(menu, KEY.Key_Down)
        qtbot.keyClick(menu, KEY.Key_Right)
        assert action is not None
        places = action.menu()
        assert places is not None
        qtbot.waitUntil(places.isVisible, timeout=3000)
        for _ in range(downs):
            qtbot.keyClick(places, KEY.Key_Down)
        qtbot.keyClick(places, KEY.Key_Return)
        qtbot.waitUntil(lambda: not desk.findChildren(QMenu, options=DIRECT), timeout=3000)  # none is left behind

    choose("Scores", 2)
    assert scores.isFloating()
    choose("Scores", 1)
    assert not scores.isFloating()
    assert desk.dockWidgetArea(scores) == Qt.DockWidgetArea.BottomDockWidgetArea
    choose("Spectrum", 0)
    assert desk.dockWidgetArea(desk.docks["spectrum"]) == Qt.DockWidgetArea.RightDockWidgetArea
    qtbot.keyClick(window, KEY.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert desk.dockWidgetArea(scores) == Qt.DockWidgetArea.RightDockWidgetArea
