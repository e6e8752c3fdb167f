"""Panels on the desk: those behind another tab cost nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PyQt6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from bci_live.live.snapshot import LiveSnapshot, ReplayStatus
from bci_live.types import Marker, Missed, MissedReason
from bci_live.window.example import NOW, ExampleSource, example_decoding, example_reconstruction
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


def test_trials_that_a_replay_brings_again_are_not_counted_twice(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    page, state = window.live, source.state
    assert state is not None

    def count(at_s: float, snapshot: LiveSnapshot) -> int:
        source.played = ReplayStatus(at_s, 100.0, False, True, False)
        page.show_snapshot(snapshot)
        return page._averages.counts.total()

    assert count(90.0, state) == len(state.history)
    assert page.status.figure("Top-1 right").startswith("7/8 = ")
    again = example_reconstruction(example_decoding("dog", NOW + 5))
    page.desk.raise_panel("response")
    qtbot.waitUntil(lambda: bool(page.response.plot.graph.lines), timeout=3000)
    page.desk.raise_panel("accuracy")
    qtbot.waitUntil(lambda: bool(page.accuracy.said.text()), timeout=3000)
    late = example_reconstruction(example_decoding("cat", NOW + 1))
    playing = replace(state, markers=(*state.markers, late.decoding.epoch.marker))
    assert count(91.0, playing) == len(state.history)
    # The first marker of the new pass may be there as soon as the jump is seen.
    went_back = replace(state, markers=(*playing.markers, again.decoding.epoch.marker))
    assert count(1.0, went_back) == 0
    assert (page.accuracy.plot.graph.lines, page.accuracy.said.text()) == ((), "")
    page.desk.raise_panel("response")
    page.response.show_averages(page._averages, went_back)
    assert page.response.plot.graph.lines == ()
    # What was shown before the replay went back, and is finished only now, has been counted.
    assert count(1.5, replace(went_back, history=(*state.history, late))) == 0
    assert count(2.0, replace(went_back, history=(*state.history, late, again))) == 1
    page.accuracy.show_averages(page._averages, len(state.labels))
    assert page.status.figure("Top-1 right").startswith("1/1 = ")
    assert page.accuracy.said.text().startswith("1 of 1 drawn = ")


def test_what_abstained_is_counted_of_the_same_stretch_as_the_accuracy(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window = open_window(source)
    page, state = window.live, source.state
    assert state is not None
    first, last = (Missed(Marker("dog", NOW + place), MissedReason.UNSURE) for place in (1, 8))

    def told(at_s: float, *missed: Missed) -> str:
        source.played = ReplayStatus(at_s, 100.0, False, True, False)
        markers = (*state.markers, *(it.marker for it in missed))
        page.show_snapshot(replace(state, missed=missed, markers=markers))
        page.accuracy.show_averages(page._averages, len(state.labels))
        return page.accuracy.said.text()

    assert told(90.0, first).endswith("1 abstained: not judged.")
    assert told(1.0, first) == ""  # the replay went back
    assert told(2.0, first, last) == "1 abstained: not judged."


def test_another_session_s_trials_do_not_add_up_with_the_last_one_s(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window = open_window(source)
    page, state = window.live, source.state
    assert state is not None
    source.played = ReplayStatus(90.0, 100.0, False, True, False)
    page.show_snapshot(state)
    assert page._averages.counts.total() == len(state.history)
    source.played = None
    few = tuple(example_reconstruction(example_decoding(label, NOW + 5, channels=4)) for label in ("dog", "cat"))
    page.show_snapshot(replace(state, began=1.0, history=(), markers=()))
    assert page._averages.counts.total() == 0
    page.show_snapshot(replace(state, began=1.0, history=few, channels=state.channels[:4]))
    average = page._averages.average()
    assert average is not None
    assert (len(average), page._averages.counts.total()) == (4, 2)


def test_another_session_s_signal_follows_live_without_the_last_one_s_minute_and_shade(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window = open_window(source)
    page, state = window.live, source.state
    assert state is not None
    page.show_snapshot(state)
    assert page.signal.canvas.span is not None
    page.signal.hold(True)
    page.poll_signal()
    assert page.signal.holding
    page.show_snapshot(replace(state, began=1.0, decoding=None, history=(), markers=()))
    assert not page.signal.holding
    assert page.signal.canvas.span is None


def test_the_signal_keeps_room_when_the_window_is_made_smaller(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    window.resize(1280, 1000)
    qtbot.waitUntil(lambda: window.height() == 1000, timeout=3000)
    window.resize(1280, 560)
    qtbot.waitUntil(lambda: window.height() == 560, timeout=3000)
    assert window.live.signal.height() >= 150


def test_the_electrodes_are_told_that_the_stream_stopped(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window, state = open_window(source), source.state
    assert state is not None
    assert state.status is not None
    source.state = replace(state, status=replace(state.status, age_s=60.0, stale=True))
    window.live.desk.raise_panel("quality")
    qtbot.waitUntil(lambda: "Nothing has come for 60 s" in window.live.quality.told.text(), timeout=3000)


def test_a_channel_marked_bad_in_the_signal_is_so_in_the_other_panels(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    assert "The decoder reads it all the same" in window.live.signal.toolbar.channels.toolTip().replace("\n", " ")
    window.live.signal.mark("Oz")
    window.poll_snapshot()
    assert window.live.status.figure("Channels") == "all sound; 1 marked bad"
    window.live.desk.raise_panel("quality")
    qtbot.waitUntil(lambda: "1 marked bad" in window.live.quality.told.text(), timeout=3000)
