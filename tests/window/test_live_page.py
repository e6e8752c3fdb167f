"""Panels on the desk: those behind another tab cost nothing."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from bci_live.window.example import ExampleSource
from bci_live.window.theme import is_seen
from tests.window.conftest import OpenWindow


@pytest.mark.parametrize("size", [(1280, 800), (960, 540)])  # the latter: Full HD at 200 %
def test_all_of_a_panel_at_the_side_can_be_seen(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot, size: tuple[int, int]
) -> None:
    window = open_window(source)
    window.resize(*size)
    desk = window.live.desk
    for name in ("quality", "details", "controls", "session"):
        desk.raise_panel(name)
        qtbot.waitUntil(lambda name=name: is_seen(desk.docks[name]), timeout=3000)
        area = desk.docks[name].widget()
        assert isinstance(area, QScrollArea)
        inner, view = area.widget(), area.viewport()
        assert inner is not None
        assert view is not None
        bar = area.horizontalScrollBar()
        assert bar is not None
        if size[0] >= 1280:
            assert inner.width() <= view.width(), name
        else:
            assert inner.width() <= view.width() or bar.isVisible(), name


def test_what_is_behind_another_tab_is_not_computed(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    live = window.live
    qtbot.waitUntil(lambda: bool(live.filmstrip.strip.pairs), timeout=3000)
    assert live.quality.head.electrodes == ()
    assert live.spectrum.plot.graph.lines == ()
    assert live.response.plot.graph.lines == ()
    for name in ("quality", "response"):
        live.desk.raise_panel(name)
    qtbot.waitUntil(lambda: bool(live.quality.head.electrodes and live.response.plot.graph.lines), timeout=3000)
    assert live.spectrum.plot.graph.lines == ()
