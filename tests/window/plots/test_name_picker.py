"""A choice of electrode or class that stays while the names change."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

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
