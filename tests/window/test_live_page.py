"""Panels on the desk: those behind another tab cost nothing."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from bci_live.window.example import ExampleSource
from tests.window.conftest import OpenWindow


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
