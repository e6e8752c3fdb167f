"""The display is held and looked back in: by the button, the arrows, the wheel and the bar. The session goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QApplication, QStyle, QStyleOptionSlider
from pytestqt.qtbot import QtBot

from bci_live.types import Marker
from bci_live.window.example import NOW, RATE, ExampleSource, example_chunk, example_facts
from bci_live.window.signal.canvas import EpochSpan
from bci_live.window.signal.conditioning import DisplayFilter
from bci_live.window.signal.surround import LEFT
from bci_live.window.signal.view import SignalView


@pytest.fixture
def source(view: SignalView) -> ExampleSource:
    """A minute of signal, of which the last 10 s are on display."""
    source = ExampleSource(chunk=example_chunk(3, seconds=60))
    view.poll(source)
    return source


def turn(view: SignalView, x: int = 0, y: int = 0, control: bool = False) -> None:
    """The wheel over the canvas; 120 is a notch, to the left or away from the user."""
    where = QPointF(view.canvas.rect().center())
    modifiers = Qt.KeyboardModifier.ControlModifier if control else Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        where, view.canvas.mapToGlobal(where), QPoint(), QPoint(x, y), Qt.MouseButton.NoButton, modifiers,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.canvas, event)


def handle(view: SignalView) -> QPoint:
    """The middle of the bar's handle."""
    option, style = QStyleOptionSlider(), view.bar.style()
    view.bar.initStyleOption(option)
    assert style is not None
    part = QStyle.SubControl.SC_ScrollBarSlider
    return style.subControlRect(QStyle.ComplexControl.CC_ScrollBar, option, part, view.bar).center()


def test_held_it_stands_still_and_scrolls_back_until_live_is_followed_again(view: SignalView, qtbot: QtBot) -> None:
    source = ExampleSource(chunk=example_chunk(3, seconds=60))
    view.poll(source)
    qtbot.mouseClick(view.toolbar.hold, Qt.MouseButton.LeftButton)
    view.poll(source)
    assert view.canvas.ring is not None
    newest = NOW - 1 / RATE
    source.chunk = replace(example_chunk(3, seconds=60), times=example_chunk(3, seconds=60).times + 5)
    view.poll(source)
    assert view.canvas.ring.newest == pytest.approx(newest)
    view.look_back(-20)
    view.poll(source)
    assert view.canvas.ring.newest == pytest.approx(newest - 20, abs=0.01)
    assert "20 s back" in view.heading.text()
    view.look_back(-500)
    view.poll(source)
    assert view.canvas.ring.newest == pytest.approx(newest - 50, abs=0.01)  # what is held begins there
    view.look_back(500)
    view.poll(source)
    assert view.canvas.ring.newest == pytest.approx(newest)
    qtbot.mouseClick(view.toolbar.hold, Qt.MouseButton.LeftButton)
    view.poll(source)
    assert view.canvas.ring.newest == pytest.approx(newest + 5)
    assert view.toolbar.hold.text() == "Hold"


def test_what_is_held_keeps_its_markers_and_its_shade(view: SignalView) -> None:
    source, span = ExampleSource(chunk=example_chunk(3)), EpochSpan(NOW - 4, NOW - 3)
    view.poll(source)
    view.show_markers([(Marker("dog", NOW - 4), None)])
    view.show_epoch(span)
    view.hold(True)
    view.poll(source)
    later = EpochSpan(NOW + 9, NOW + 10)
    view.show_markers([(Marker("cat", NOW + 9), None)])
    view.show_epoch(later)
    assert (view.visible_markers(), view.canvas.span) == (["dog"], span)
    view.follow()
    view.show_markers([(Marker("cat", NOW - 1), None)])
    view.show_epoch(later)
    assert (view.visible_markers(), view.canvas.span) == (["cat"], later)


def test_arrows_back_hold_it_at_once(view: SignalView) -> None:
    source = ExampleSource(chunk=example_chunk(3, seconds=60))
    view.poll(source)
    view.look_back(-1)
    view.poll(source)
    assert view.holding
    assert view.canvas.ring is not None
    assert view.canvas.ring.newest == pytest.approx(NOW - 1, abs=0.01)


def test_the_wheel_back_holds_and_each_notch_is_a_second(view: SignalView, source: ExampleSource) -> None:
    turn(view, y=120)
    view.poll(source)
    assert view.holding
    assert view.canvas.ring is not None
    assert view.canvas.ring.newest == pytest.approx(NOW - 1, abs=0.01)
    turn(view, x=240)
    assert view.back_s == 3
    for _ in range(8):
        turn(view, y=-15)  # a touchpad's
    assert view.back_s == 2


def test_the_wheel_forward_does_not_hold_and_at_the_newest_end_does_not_let_go(
    view: SignalView, source: ExampleSource
) -> None:
    turn(view, y=-120)
    assert not view.holding
    turn(view, y=120)
    view.poll(source)
    for _ in range(5):
        turn(view, y=-120)
    assert view.back_s == 0
    assert view.holding


def test_several_notches_before_the_next_frame_reach_no_further_than_what_is_held(
    view: SignalView, source: ExampleSource
) -> None:
    for _ in range(99):
        turn(view, y=120)
    view.poll(source)
    assert view.back_s == pytest.approx(50, abs=0.01)
    for _ in range(99):
        turn(view, y=120)
    turn(view, y=-120)
    assert view.back_s == pytest.approx(49, abs=0.01)


def test_however_many_moves_come_before_the_next_frame_they_are_drawn_once(
    view: SignalView, source: ExampleSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.hold(True)
    view.poll(source)
    drawn: list[int] = []
    add = view.canvas.add
    monkeypatch.setattr(view.canvas, "add", lambda *given: (drawn.append(1), add(*given)))
    for _ in range(4):
        turn(view, y=120)
        view.bar.setValue(view.bar.value() - 10)
    view.show_filter(DisplayFilter((1.0, 30.0)))
    assert not drawn
    view.poll(source)
    view.poll(source)
    assert len(drawn) == 1


def test_hold_while_the_session_goes_to_another_montage_follows_live(view: SignalView, source: ExampleSource) -> None:
    view.show_filter(DisplayFilter(average=True))
    view.hold(True)
    source.chunk = example_chunk(2)  # the stream that it belongs to is not shown yet
    view.poll(source)
    assert not view.holding
    assert not view.toolbar.hold.isChecked()
    view.show_stream(example_facts(2))
    view.hold(True)
    view.poll(source)
    assert view.holding


@pytest.mark.parametrize("sweeping", [True, False])
def test_held_the_seconds_below_say_how_long_ago_each_place_was(
    view: SignalView, source: ExampleSource, sweeping: bool
) -> None:
    view.sweep(sweeping)
    view.look_back(-23)
    view.poll(source)
    canvas, plot = view.canvas, view.canvas.plot
    told = canvas.told_seconds()
    assert -33.1 < min(told) < -30 < -25 < max(told) < -22.9
    for count, seconds in enumerate(told):
        place = (canvas.x_of(NOW + seconds) - plot.left()) / plot.width()
        assert abs((place - count / 5 + 0.5) % 1 - 0.5) < 0.01  # in a sweep the left edge goes on from the right one
    view.follow()
    assert canvas.told_seconds() == pytest.approx([0, 2, 4, 6, 8, 10] if sweeping else [-10, -8, -6, -4, -2, 0])


def test_the_wheel_with_ctrl_zooms_like_plus_and_minus(view: SignalView, source: ExampleSource) -> None:
    assert view.channels is not None
    before = view.channels.heights["eeg"]
    turn(view, y=120, control=True)
    assert view.channels.heights["eeg"] < before
    turn(view, y=-120, control=True)
    assert view.channels.heights["eeg"] == before
    assert not view.holding


def test_the_bar_is_there_while_it_is_held_and_takes_no_height_from_the_signal(
    view: SignalView, source: ExampleSource
) -> None:
    height = view.canvas.height()
    assert not view.bar.isVisible()
    view.hold(True)
    view.poll(source)
    assert view.bar.isVisible()
    assert view.canvas.height() == height
    assert view.canvas.geometry().bottom() < view.bar.y()
    assert view.rect().contains(view.bar.geometry())
    assert view.bar.x() == view.canvas.x() + LEFT
    view.follow()
    assert not view.bar.isVisible()


def test_the_bar_s_handle_lies_where_the_display_is(view: SignalView, source: ExampleSource) -> None:
    view.look_back(-25)
    view.poll(source)
    assert view.bar.value() / view.bar.maximum() == pytest.approx(0.5, abs=0.01)  # 25 of 50 s
    assert view.bar.pageStep() / (view.bar.maximum() + view.bar.pageStep()) == pytest.approx(1 / 6, abs=0.01)
    view.lengthen(1)
    view.poll(source)
    assert view.bar.maximum() == 400  # tenths of a second: 60 s held, 20 s of them on display


def test_the_bar_can_be_dragged_through_the_held_minute(view: SignalView, source: ExampleSource, qtbot: QtBot) -> None:
    view.hold(True)
    view.poll(source)
    begun = handle(view)
    qtbot.mousePress(view.bar, Qt.MouseButton.LeftButton, pos=begun)
    qtbot.mouseMove(view.bar, begun - QPoint(view.bar.width() // 3, 0))
    view.poll(source)
    # A minute is as long as the bar: a third of it is 20 s.
    assert view.back_s == pytest.approx(20, abs=1.5)
    assert view.canvas.ring is not None
    assert view.canvas.ring.newest == pytest.approx(NOW - view.back_s, abs=0.01)
    assert f"({view.back_s:g} s back)" in view.heading.text()
    qtbot.mouseMove(view.bar, QPoint(-500, 3))
    assert view.back_s == pytest.approx(50, abs=0.01)
    qtbot.mouseRelease(view.bar, Qt.MouseButton.LeftButton, pos=QPoint(0, 3))
    assert view.holding


def test_behind_a_clock_that_went_back_there_is_nothing_to_look_at(view: SignalView) -> None:
    whole = example_chunk(3, seconds=60)
    half = len(whole.times) // 2
    times = whole.times.copy()
    times[half:] -= 20.0
    source = ExampleSource(chunk=replace(whole, times=times, breaks=(half, half + 1000)))
    view.poll(source)
    view.look_back(-25)
    view.poll(source)
    assert view.held is not None
    assert len(view.held.times) == len(times) - half
    assert view.held.breaks == (1000,)
    assert view.back_s == pytest.approx(20, abs=0.1)  # of the 30 s since then 10 are on display
    assert view.canvas.ring is not None
    assert view.canvas.ring.newest == pytest.approx(times[-1] - view.back_s, abs=0.01)


def test_before_the_first_sample_there_is_nothing_to_hold(view: SignalView) -> None:
    whole = example_chunk(3, seconds=60)
    empty = ExampleSource(chunk=replace(whole, samples=whole.samples[:0], times=whole.times[:0]))
    view.hold(True)
    view.poll(empty)
    assert not view.holding
    assert not view.toolbar.hold.isChecked()
