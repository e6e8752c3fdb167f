"""A screenful of channels at a time: by the keys, by the menu, and at the next start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from bci_live.window.example import ExampleSource, example_chunk, example_facts, example_snapshot
from bci_live.window.main_window import MainWindow
from bci_live.window.memory import WindowMemory, keep, kept
from bci_live.window.signal.paging import ALL, SIZES, Page
from bci_live.window.signal.picture import EDGE
from bci_live.window.signal.surround import LEFT, NAME_PIXELS, TOP
from bci_live.window.signal.view import SignalView
from tests.window.signal.conftest import FACTS, noise, part

DOWN, UP, SHIFT = Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.KeyboardModifier.ShiftModifier


def source_of(channels: int) -> ExampleSource:
    snapshot = replace(example_snapshot(), facts=example_facts(channels))
    return ExampleSource(snapshot, example_chunk(channels, seconds=2))


def opened(
    qtbot: QtBot, source: ExampleSource, memory: WindowMemory | None = None, size: tuple[int, int] = (1280, 1000)
) -> MainWindow:
    window = MainWindow(source, "bci_live", memory)
    qtbot.addWidget(window)
    window.resize(*size)
    window.show()
    qtbot.waitUntil(lambda: window.live.signal.canvas.rows is not None, timeout=10_000)
    return window


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    """A cap of 128 channels, all on display, with room for the names of 16."""
    return opened(qtbot, source_of(128))


def places(signal: SignalView) -> list[int]:
    """The numbers of the channels that are drawn, from the top, counted from 1."""
    assert signal.canvas.rows is not None
    return (signal.canvas.rows.channels + 1).tolist()


def through(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


def entry(signal: SignalView, text: str) -> None:
    """Trigger the menu's entry."""
    menu = signal.toolbar.menu
    next(action for action in (*menu.actions(), *menu.sizes.actions()) if action.text() == text).trigger()


def test_page_down_and_up_go_through_the_channels_a_screenful_at_a_time(window: MainWindow, qtbot: QtBot) -> None:
    signal = window.live.signal
    assert places(signal) == through(1, 128)
    qtbot.keyClick(window, UP)  # there is nothing before
    assert places(signal) == through(1, 128)
    qtbot.keyClick(window, DOWN)
    assert places(signal) == through(1, 16)
    qtbot.keyClick(window, DOWN)
    assert places(signal) == through(17, 32)
    assert signal.heading.text().startswith("EEG 17–32 of 128, ")
    for _ in range(20):
        qtbot.keyClick(window, DOWN)
    assert places(signal) == through(113, 128)
    for _ in range(20):
        qtbot.keyClick(window, UP)
    assert places(signal) == through(1, 16)


@pytest.mark.parametrize(("size", "rows"), [((1280, 720), 8), ((1280, 1000), 16), ((1280, 1500), 32)])
def test_the_first_screenful_has_as_many_rows_as_there_is_room_for_names(
    qtbot: QtBot, size: tuple[int, int], rows: int
) -> None:
    window = opened(qtbot, source_of(128), size=size)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == size, timeout=3000)
    qtbot.keyClick(window, DOWN)
    assert places(window.live.signal) == through(1, rows)
    assert window.live.signal.canvas.plot.height() / (rows + 2 * EDGE) >= NAME_PIXELS


def test_with_shift_they_show_fewer_or_more_rows_until_all(window: MainWindow, qtbot: QtBot) -> None:
    signal = window.live.signal
    seen = []
    for key in (UP, UP, UP, UP, UP, DOWN, DOWN, DOWN, DOWN, DOWN):
        qtbot.keyClick(window, key, SHIFT)
        seen.append(len(places(signal)))
    assert seen == [64, 32, 16, 8, 8, 16, 32, 64, 128, 128]
    assert signal.heading.text().startswith("EEG, ")


def test_the_menu_of_channels_does_all_that_the_keys_do(window: MainWindow) -> None:
    signal, menu = window.live.signal, window.live.signal.toolbar.menu
    entry(signal, "32")
    assert places(signal) == through(1, 32)
    assert [action.text() for action in menu.sizes.actions() if action.isChecked()] == ["32"]
    assert not menu.before.isEnabled()
    entry(signal, "Next channels (PgDn)")
    assert places(signal) == through(33, 64)
    entry(signal, "Channels before (PgUp)")
    assert places(signal) == through(1, 32)
    menu.sizes.actions()[0].trigger()
    assert places(signal) == through(1, 128)
    assert menu.next.isEnabled()


def test_several_channels_are_hidden_without_opening_the_menu_again(window: MainWindow, qtbot: QtBot) -> None:
    signal, menu = window.live.signal, window.live.signal.toolbar.menu
    menu.popup(QPoint(0, 0))
    qtbot.waitUntil(menu.isVisible, timeout=3000)
    for action in menu.channels[:2]:
        menu.setActiveAction(action)
        qtbot.mouseRelease(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
        assert menu.isVisible()
    assert places(signal) == through(3, 128)
    menu.close()


def test_no_more_rows_are_offered_than_there_are_channels(view: SignalView) -> None:
    menu = view.toolbar.menu
    view.show_stream(example_facts(32))
    assert [it.text() for it in menu.sizes.actions() if it.isEnabled()] == ["All", "8", "16"]
    view.show_stream(FACTS)
    assert [it.text() for it in menu.sizes.actions() if it.isEnabled()] == ["All"]
    assert not menu.next.isEnabled()


def test_pages_are_of_the_picked_channels_alone(window: MainWindow, qtbot: QtBot) -> None:
    signal = window.live.signal
    qtbot.keyClick(window, DOWN)
    qtbot.keyClick(window, Qt.Key.Key_2)
    assert places(signal) == [1, *through(3, 17)]
    assert signal.heading.text().startswith("EEG 1–16 of 127, 1 hidden, ")
    qtbot.keyClick(window, DOWN)
    assert places(signal) == through(18, 33)
    assert signal.channels is not None
    signal.pick(signal.channels.names[40:50])  # fewer than a screenful
    assert places(signal) == through(41, 50)
    assert signal.heading.text().startswith("EEG 10 of 128, ")
    entry(signal, "8")
    assert places(signal) == through(43, 50)  # there were 16 before: the last screenful of these
    signal.pick(signal.channels.names)
    assert len(places(signal)) == 8


def test_the_arrows_turn_the_page_where_they_leave_it(window: MainWindow, qtbot: QtBot) -> None:
    signal = window.live.signal
    assert signal.channels is not None
    names = signal.channels.names
    qtbot.keyClick(window, DOWN)
    qtbot.keyClick(window, Qt.Key.Key_Up)  # the last of the page
    assert signal.canvas.chosen == names[15]
    qtbot.keyClick(window, Qt.Key.Key_Down)
    assert (signal.canvas.chosen, places(signal)) == (names[16], through(17, 32))
    qtbot.keyClick(window, Qt.Key.Key_Up)
    assert (signal.canvas.chosen, places(signal)) == (names[15], through(1, 16))
    # After another page was turned to, what is chosen is on it: B marks nothing that is not seen.
    qtbot.keyClick(window, DOWN)
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert not signal.bad
    qtbot.keyClick(window, Qt.Key.Key_Down)
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert signal.bad == {names[16]}


def test_a_click_on_a_name_marks_the_channel_of_this_page(view: SignalView, qtbot: QtBot) -> None:
    view.show_stream(example_facts(32))
    view.show_part(part(noise(channels=32)))
    view.pager.show_rows(8)
    view.pager.turn(2)
    row = view.canvas.plot.height() / (8 + 2 * EDGE)
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(LEFT // 2, round(TOP + (3 + 0.5 + EDGE) * row)))
    assert view.bad == {example_facts(32).channels[19]}


def test_a_page_is_drawn_larger_at_the_same_scale(view: SignalView) -> None:
    view.show_stream(example_facts(32))
    samples = noise(channels=32)
    samples[:, 20:] *= 100
    view.show_part(part(samples))
    assert view.channels is not None
    before = dict(view.channels.heights)
    view.pager.show_rows(8)
    view.pager.turn(3)
    view.show_part(part(noise(channels=32) * np.float32(1.1), first=2500))
    assert view.channels.heights == before
    assert view.canvas.rows is not None
    assert len(view.canvas.rows.channels) == 8


def test_so_many_rows_are_shown_at_the_next_start_and_of_another_stream(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, DOWN)
    qtbot.keyClick(window, DOWN)
    keep(window.memory())
    again = opened(qtbot, source_of(64), kept())
    assert places(again.live.signal) == through(1, 16)
    again.live.signal.show_stream(example_facts(32))
    again.live.signal.show_part(part(noise(channels=32)))
    assert places(again.live.signal) == through(1, 16)
    # A headset of few channels shows all, and costs the setting nothing.
    again.live.signal.show_stream(example_facts(4))
    assert again.memory().rows == 16


def test_rows_that_nobody_could_choose_show_all(qtbot: QtBot) -> None:
    window = opened(qtbot, source_of(32), WindowMemory(rows=-5))
    assert places(window.live.signal) == through(1, 32)
    qtbot.keyClick(window, UP, SHIFT)
    assert places(window.live.signal) == through(1, 16)


@given(
    st.sampled_from([ALL, *SIZES]),
    st.integers(1, 300),
    st.integers(-1, 100),
    st.lists(st.tuples(st.sampled_from(["turned", "resized", "turned_to"]), st.integers(-3, 3)), max_size=8),
)
def test_however_it_is_turned_a_page_is_full_and_of_channels_that_there_are(
    rows: int, count: int, named: int, turns: list[tuple[str, int]]
) -> None:
    page = Page(rows)
    for how, steps in turns:
        if how == "turned_to":
            place = steps % count
            page = page.turned_to(place, count)
            assert place in page.places(count)
        elif how == "turned":
            page = page.turned(steps, count, named)
        else:
            page = page.resized(steps, count)
        shown = page.places(count)
        assert set(shown) <= set(range(count))
        assert len(shown) == (page.rows if ALL < page.rows < count else count)
