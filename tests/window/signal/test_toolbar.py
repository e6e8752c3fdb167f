"""The bar above the signal says what its controls do, and has the room to say it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from bci_live.window import theme
from bci_live.window.example import ExampleSource, example_chunk, example_snapshot
from bci_live.window.signal.channels import RowSettings
from bci_live.window.signal.conditioning import DisplayFilter
from bci_live.window.signal.view import SignalView
from tests.window.conftest import OpenWindow
from tests.window.signal.conftest import noise, part


@pytest.fixture
def dressed(qapp: QApplication) -> Iterator[None]:
    """Fonts and paddings as the user has them."""
    theme.apply_theme(qapp)
    yield
    qapp.setStyleSheet("")


@pytest.mark.usefixtures("dressed")
@pytest.mark.parametrize("size", [(1280, 800), (960, 540)])  # the latter: Full HD at 200 %
def test_no_word_of_the_bar_is_cut_off(open_window: OpenWindow, qtbot: QtBot, size: tuple[int, int]) -> None:
    window = open_window(ExampleSource(example_snapshot(), example_chunk(seconds=60)))
    window.resize(*size)
    signal, bar = window.live.signal, window.live.signal.toolbar
    signal.pager.show_rows(8)
    signal.pager.turn(1)
    signal.look_back(-20)  # what the bar says is longest then
    window.poll_signal()
    words = (bar.band, bar.notch, bar.average, bar.channels, bar.larger, bar.smaller, bar.fit, bar.sweep, bar.hold)
    qtbot.waitUntil(lambda: all(it.width() >= it.sizeHint().width() for it in words), timeout=3000)
    assert (window.width(), window.height()) == size
    if size[0] >= 1280:
        assert signal.heading.shown() == "EEG 9–16 of 32, 10 s (20 s back)"
    assert bar.band.currentText() == "no band-pass"


def test_a_filter_that_the_bar_does_not_offer_is_not_in_force_either(view: SignalView) -> None:
    edited = DisplayFilter((2.0, 25.0), 55.0, average=True)  # as an edited window.json, or an older one, has it
    view.recall(edited, 10.0, False, RowSettings())
    bar = view.toolbar
    assert (bar.band.currentText(), bar.notch.currentText(), bar.average.isChecked()) == (
        "no band-pass",
        "no notch",
        True,
    )
    assert view.filter == DisplayFilter(average=True)


def test_the_common_average_is_subtracted_and_a_hidden_channel_changes_nothing_of_that(view: SignalView) -> None:
    view.show_part(part(noise()))
    box = view.toolbar.average
    box.click()
    assert view.filter == DisplayFilter(average=True)
    view.toolbar.menu.channels[1].trigger()
    assert view.settings.hidden == {"Cz"}
    assert box.isChecked()
    box.click()
    assert view.filter == DisplayFilter()
