"""A choice of electrode or class that stays while the names change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PyQt6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from bci_live.window.example import ExampleSource, example_facts
from bci_live.window.main_window import MainWindow
from bci_live.window.memory import keep, kept
from bci_live.window.plots.name_picker import NamePicker

MUSE = ("TP9", "AF7", "AF8", "TP10")


@pytest.fixture
def picker(qtbot: QtBot) -> NamePicker:
    picker = NamePicker("Which", first="all")
    qtbot.addWidget(picker)
    picker.show_names(("Cz", "Oz"))
    return picker


def shown(picker: QComboBox) -> list[str]:
    return [picker.itemText(k) for k in range(picker.count())]


def test_a_choice_stays_with_its_name_wherever_that_stands(picker: NamePicker) -> None:
    picker.setCurrentText("Oz")
    picker.show_names(("Oz", "Cz", "Fz"), {"Oz": "Oz, 3"})
    assert (picker.name, picker.currentText()) == ("Oz", "Oz, 3")
    assert shown(picker) == ["all", "Oz, 3", "Cz", "Fz"]


def test_a_choice_whose_name_has_gone_gives_way_to_the_first_and_comes_back_with_it(picker: NamePicker) -> None:
    picker.setCurrentText("Oz")
    picker.show_names(MUSE)
    assert (picker.name, picker.currentText(), picker.wanted) == ("", "all", "Oz")
    picker.show_names(("Cz", "Oz"))
    assert picker.name == "Oz"


def test_who_picks_the_first_while_the_choice_is_gone_keeps_the_first(picker: NamePicker) -> None:
    picker.setCurrentText("Oz")
    picker.show_names(MUSE)
    picker.activated.emit(0)  # as Qt does for the entry that stands there already
    picker.show_names(("Cz", "Oz"))
    assert (picker.name, picker.wanted) == ("", "")


def test_a_list_that_is_open_does_not_change_below_the_pointer(picker: NamePicker, qtbot: QtBot) -> None:
    picker.show()
    picker.showPopup()
    view = picker.view()
    assert view is not None
    qtbot.waitUntil(view.isVisible, timeout=3000)
    picker.show_names(MUSE)
    assert shown(picker) == ["all", "Cz", "Oz"]
    picker.hidePopup()
    qtbot.waitUntil(lambda: not view.isVisible(), timeout=3000)
    picker.show_names(MUSE)
    assert shown(picker) == ["all", *MUSE]


def test_long_names_do_not_widen_the_panel(picker: NamePicker) -> None:
    narrow = picker.minimumSizeHint().width()
    picker.show_names(("a label from the network that goes on and on " * 4,))
    assert picker.minimumSizeHint().width() == narrow


def test_the_electrodes_of_response_and_spectrum_come_back_at_the_next_start(
    qtbot: QtBot, source: ExampleSource
) -> None:
    def panels(window: MainWindow) -> tuple[NamePicker, NamePicker]:
        qtbot.addWidget(window)
        window.resize(1280, 800)
        window.show()
        for name, plot in (("response", window.live.response.plot), ("spectrum", window.live.spectrum.plot)):
            window.live.desk.raise_panel(name)
            qtbot.waitUntil(lambda plot=plot: bool(plot.graph.lines), timeout=3000)
        return window.live.response.channel, window.live.spectrum.channel

    first = MainWindow(source, "bci_live")
    response, spectrum = panels(first)
    response.setCurrentText("Oz")
    spectrum.setCurrentText("O2")
    keep(first.memory())
    again = MainWindow(source, "bci_live", kept())
    response, spectrum = panels(again)
    assert (response.currentText(), spectrum.currentText()) == ("Oz", "O2")
    assert again.live.response.plot.graph.y_title == "µV at Oz"
    assert again.live.spectrum.plot.graph.lines[1].name == "O2"
    # A stream without them forgets neither.
    assert source.state is not None
    muse = replace(example_facts(4), channels=MUSE)
    source.state = replace(source.state, facts=muse, channels=MUSE, history=(), began=1.0)
    again.live.desk.raise_panel("response")
    qtbot.waitUntil(lambda: response.currentText() == "strongest electrode", timeout=3000)
    assert (again.memory().response_electrode, again.memory().spectrum_electrode) == ("Oz", "O2")
