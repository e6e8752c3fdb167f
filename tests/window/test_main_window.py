"""What the window shows of a snapshot, and that it is there before the session is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint
from PyQt6.QtGui import QHelpEvent
from PyQt6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from bci_live.live import sliding
from bci_live.live.snapshot import Counts, LiveSnapshot, RecordingStatus, ReplayStatus
from bci_live.streams.health import StreamHealth
from bci_live.types import Guess, Marker, MissedReason
from bci_live.window.example import (
    NOW,
    ExampleSource,
    example_chunk,
    example_decoding,
    example_facts,
    example_labels,
    example_reconstruction,
)
from bci_live.window.main_window import SIGNAL_EVERY_MS, SIGNAL_WHILE_LOADING_MS, MainWindow
from bci_live.window.picture_panel import to_picture
from tests.window.conftest import OpenWindow, pixels_of


def state_of(source: ExampleSource) -> LiveSnapshot:
    assert source.state is not None
    return source.state


def show(window: MainWindow, source: ExampleSource, state: LiveSnapshot) -> None:
    source.state = state
    window.poll_snapshot()
    window.poll_signal()


def test_the_window_is_there_with_a_progress_line_before_the_session_is(open_window: OpenWindow, qtbot: QtBot) -> None:
    source = ExampleSource()
    window = open_window(source)
    assert window.start.isVisible()
    assert window.start.line.text() == "Loading the decoder …"
    source.line = "Warming up …"
    qtbot.waitUntil(lambda: window.start.line.text() == "Warming up …", timeout=3000)


def test_a_session_that_cannot_start_says_why_in_the_bar(open_window: OpenWindow) -> None:
    source = ExampleSource()
    window = open_window(source)
    assert not window.errors.isVisible()
    source.fatal = "No LSL stream named 'X' was found. Switch the headset on."
    window.poll_snapshot()
    assert window.errors.isVisible()
    assert window.errors.text.text() == source.fatal
    assert not window.start.bar.isVisible()


def test_a_bug_of_the_window_leaves_the_bar_when_it_does_not_come_again(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bci_live.window.main_window.BUG_SHOWN_MS", 300)
    window = open_window(source)
    window.show_bug("ValueError in the window")
    window.poll_snapshot()
    assert window.errors.text.text() == "ValueError in the window"
    source.rec_problem = "The disk is full."
    qtbot.waitUntil(lambda: window.errors.text.text() == "The disk is full.", timeout=3000)


def test_the_timers_bring_a_session_onto_the_screen(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    waiting = ExampleSource()
    window = open_window(waiting)
    waiting.state, waiting.chunk = source.state, source.chunk
    qtbot.waitUntil(lambda: window.live.signal.isVisible() and window.live.signal.canvas.rows is not None, timeout=3000)
    assert window.live.signal.canvas.rows is not None
    assert len(window.live.signal.canvas.rows.channels) == 32


def test_the_signal_takes_little_of_the_processor_while_the_pipeline_loads(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window, state = open_window(source), state_of(source)
    show(window, source, replace(state, phase="warming", decoding=None, reconstruction=None))
    assert window._signal_timer.interval() == SIGNAL_WHILE_LOADING_MS
    assert "loading" in window.live.pictures.reconstruction.view.placeholder
    show(window, source, state)
    assert window._signal_timer.interval() == SIGNAL_EVERY_MS


def test_the_three_pictures_are_the_session_s_own(open_window: OpenWindow, source: ExampleSource) -> None:
    window, state = open_window(source), state_of(source)
    assert state.decoding is not None
    assert state.reconstruction is not None
    np.testing.assert_array_equal(pixels_of(window.live.pictures.saliency.pixmap), to_picture(state.decoding.saliency))
    np.testing.assert_array_equal(pixels_of(window.live.pictures.reconstruction.pixmap), state.reconstruction.image)
    assert window.live.pictures.truth.caption.text() == state.decoding.epoch.marker.label
    assert pixels_of(window.live.pictures.truth.pixmap).shape == (256, 256, 3)
    assert window.live.pictures.reconstruction.note.text() == "Detail is invented by diffusion."


def test_a_new_saliency_map_empties_the_reconstruction_of_the_marker_before(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window, state = open_window(source), state_of(source)
    camera = example_decoding("camera", NOW)
    show(window, source, replace(state, decoding=camera))
    assert window.live.pictures.reconstruction.pixmap is None
    assert window.live.pictures.truth.caption.text() == "camera"
    half = example_reconstruction(camera, step=2)
    show(window, source, replace(state, decoding=camera, reconstruction=half))
    np.testing.assert_array_equal(pixels_of(window.live.pictures.reconstruction.pixmap), half.image)
    assert "step 2 of 4" in window.live.pictures.reconstruction.caption.text()


def test_a_marker_that_the_catalogue_does_not_know_has_no_true_picture(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window, state = open_window(source), state_of(source)
    decoding = example_decoding("dog", NOW)
    unknown = replace(decoding, epoch=replace(decoding.epoch, marker=Marker("../etc/passwd", NOW)))
    show(window, source, replace(state, decoding=unknown, history=(example_reconstruction(unknown),)))
    assert window.live.pictures.truth.pixmap is None
    assert window.live.scores.bars.truth is None
    assert window.live.filmstrip.strip.pairs[-1].right is None
    window.grab()  # the strip draws a pair without truth


def test_the_badge_tells_what_kind_of_data_this_is(open_window: OpenWindow, source: ExampleSource) -> None:
    window, state = open_window(source), state_of(source)
    assert state.status is not None
    stale = replace(state.status, stale=True, age_s=3.4)
    assert window.header.badge.text() == "SIMULATED · REPLAY"
    recorded = replace(example_facts(), simulated=False)
    show(window, source, replace(state, facts=recorded))
    assert window.header.badge.text() == "REPLAY"
    live = replace(recorded, replay=False)
    show(window, source, replace(state, facts=live))
    assert window.header.badge.text() == "LIVE"
    show(window, source, replace(state, facts=live, status=stale))
    assert window.header.badge.text() == "STALE"
    assert window.header.notice.text() == "No sample for 3 s"
    show(window, source, replace(state, status=stale))
    assert window.header.badge.text() == "SIMULATED · REPLAY · STALE"
    show(window, source, replace(state, facts=live, simulated_decoder=True))
    assert window.header.badge.text() == "LIVE · SIMULATED DECODER"
    show(window, source, replace(state, simulated_decoder=True))
    assert window.header.badge.text() == "SIMULATED · REPLAY"


def test_the_header_names_no_stream_when_none_is_connected_any_more(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window, state = open_window(source), state_of(source)
    source.state = None
    window.poll_snapshot()
    assert window.header.stream.text() == ""
    assert not window.header.badge.isVisible()
    show(window, source, state)
    assert window.header.badge.isVisible()
    assert window.header.badge.text() == "SIMULATED · REPLAY"


def test_a_warning_has_the_room_that_the_header_has_and_is_told_in_full_when_hovered(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    note = "A decoder of simulated EEG: on a real head it means nothing."
    facts = replace(example_facts(), simulated=False, replay=False)
    source.state = replace(state_of(source), note=note, facts=facts, simulated_decoder=True)
    source.rec = RecordingStatus(Path("a.xdf"), True, 75.0, 3_100_000, 21_000_000_000, ())
    window = open_window(source)
    window.poll_snapshot()
    stream = window.header.stream
    qtbot.waitUntil(lambda: stream.shown().startswith(note), timeout=3000)
    assert stream.text() != stream.shown()
    where = QPoint(5, 5)
    QApplication.sendEvent(stream, QHelpEvent(QEvent.Type.ToolTip, where, stream.mapToGlobal(where)))
    qtbot.waitUntil(lambda: QToolTip.text() == stream.text(), timeout=3000)


def test_windows_that_slide_are_lines_without_a_label(open_window: OpenWindow, source: ExampleSource) -> None:
    state, slid = state_of(source), Marker(sliding.LABEL, NOW - 3, sliding.STREAM)
    source.state = replace(state, markers=(Marker("dog", NOW - 6), slid))
    window = open_window(source)
    window.poll_signal()
    assert window.live.signal.visible_markers() == ["dog", ""]


def test_scores_are_bars_best_first_with_the_confidence(open_window: OpenWindow, source: ExampleSource) -> None:
    window, state = open_window(source), state_of(source)
    assert state.decoding is not None
    best = sorted(state.decoding.scores.values(), reverse=True)[:5]
    assert [probability for _, probability in window.live.scores.bars.rows] == best
    assert window.live.scores.top.text() == state.decoding.top == "mushroom"
    assert window.live.scores.confidence.text() == "Confidence 62 %. Right."
    wrong = replace(state.decoding, scores={**state.decoding.scores, "tent": 0.9})
    show(window, source, replace(state, decoding=wrong))
    assert window.live.scores.confidence.text() == "Confidence 90 %. Shown was: mushroom"
    window.live.scores.confidence.resize(100, 16)
    assert window.live.scores.confidence.shown().endswith("…")


def test_while_a_window_fills_the_bars_show_the_first_guess_and_say_so(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window, state = open_window(source), state_of(source)
    rocket = example_decoding("rocket", NOW, confidence=0.4)
    guess = Guess(rocket.scores, 0.25, rocket.epoch, NOW + 0.25)
    show(window, source, replace(state, guess=guess))
    assert window.live.scores.heading.text() == f"First guess at 250 ms, of {len(example_labels())} labels"
    assert window.live.scores.bars.rows[0] == ("rocket", 0.4)
    assert window.live.scores.confidence.text() == "Confidence 40 %. Right."
    pictures = window.live.pictures
    headings = [panel.heading for panel in (pictures.saliency, pictures.reconstruction, pictures.truth)]
    assert all(heading.text().endswith("· the stimulus before") for heading in headings)
    # Missed after all: what was read before is there again.
    show(window, source, state)
    assert window.live.scores.top.text() == "mushroom"
    assert [heading.text() for heading in headings] == ["Saliency map", "Reconstruction", "What was shown"]
    assert window.live.scores.heading.text() == f"What the EEG tells, of {len(example_labels())} labels"
    show(window, source, replace(state, decoding=replace(rocket, scores={**rocket.scores, "rocket": 0.9})))
    assert window.live.scores.bars.rows[0] == ("rocket", 0.9)


def test_a_new_session_begins_with_empty_scores(open_window: OpenWindow, source: ExampleSource) -> None:
    window, state = open_window(source), state_of(source)
    assert window.live.scores.top.text() == "mushroom"
    show(window, source, replace(state, decoding=None, reconstruction=None, history=(), began=1.0))
    assert "Waiting" in window.live.pictures.truth.view.placeholder
    assert (window.live.scores.top.text(), window.live.scores.bars.rows) == ("–", ())
    assert window.live.scores.confidence.text() == "Nothing decoded yet"


def test_every_marker_is_counted_and_accuracy_stands_beside_chance(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window, state = open_window(source), state_of(source)
    figure = window.live.status.figure
    assert (figure("Markers"), figure("Shown"), figure("Missed")) == ("57", "55", "2: artefact 1, gap 1")
    assert figure("Top-1 right") == f"7/8 = 88 %, chance {100 / len(example_labels())} %"
    show(window, source, replace(state, counts=Counts(57, 50, {MissedReason.UNSURE: 7})))
    assert figure("Top-1 right").endswith("%, of those drawn")
    show(window, source, state)
    assert figure("Finished picture") == "188 · 188 · 263"
    assert figure("Clock offset") == "0.00 ms"
    assert figure("Memory").endswith(("MB", "GB"))
    assert (figure("Announced"), figure("Measured"), figure("Breaks")) == ("250 Hz", "249.9 Hz", "1")
    assert figure("Last sample") == "10 ms ago"
    assert figure("Channels") == "all sound"
    assert state.status is not None
    ill = replace(state.status, breaks=2, health=StreamHealth(lost=1250, clock_steps=1))
    bad = dict.fromkeys(("Fz", "Cz", "Pz", "Oz", "O1", "O2"), "flat")
    show(window, source, replace(state, status=ill, faults=bad))
    assert figure("Breaks") == "2, 1,250 samples lost or skipped, clock set 1 ×"
    assert figure("Channels") == "Fz flat, Cz flat, Pz flat and 3 more"
    stale = replace(state.status, stale=True, age_s=3.4)
    show(window, source, replace(state, status=stale))
    assert (figure("Measured"), figure("Last sample")) == ("silent", "3.4 s ago")
    nothing = replace(
        state, counts=Counts(3, 0, {MissedReason.TOO_OLD: 3}), latency={}, status=None, began=1.0, history=()
    )
    show(window, source, nothing)
    assert (figure("Missed"), figure("Top-1 right"), figure("Epoch cut")) == ("3: too old 3", "–", "–")


def test_figures_badge_scores_and_pictures_say_what_they_mean_when_hovered(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window = open_window(source)
    live, status = window.live, window.live.status
    for widgets in (status._titles, status._values):
        assert all(widget.toolTip() for widget in widgets.values())
        assert "artefact: the amplitude" in widgets["Missed"].toolTip()
        assert "the median" in widgets["Epoch cut"].toolTip()
    assert window.header.badge.toolTip() == "SIMULATED: a made-up head, no person\nREPLAY: a recording is played again"
    assert "calibrated" in live.scores.toolTip()
    for panel in (live.pictures.saliency, live.pictures.reconstruction, live.pictures.truth):
        assert panel.view.toolTip()


def test_a_silent_stream_is_told_with_what_to_do_and_a_replay_that_rests_is_not_silent(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window, state = open_window(source), state_of(source)
    assert state.status is not None
    silent = replace(state, status=replace(state.status, stale=True, age_s=8.2), present_errors=())
    show(window, source, silent)
    assert "has sent nothing for 8 s. Is the headset switched on" in window.errors.text.text()
    assert window.errors.isVisible()
    source.played = ReplayStatus(75.0, 400.0, paused=True, loop=True, ended=False)
    show(window, source, silent)
    assert not window.errors.isVisible()


def test_the_filmstrip_holds_all_that_the_session_keeps_beside_the_truth(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window, state = open_window(source), state_of(source)
    strip = window.live.filmstrip.strip
    assert [pair.marker.label for pair in strip.pairs] == [entry.decoding.epoch.marker.label for entry in state.history]
    qtbot.waitUntil(lambda: strip.pairs[-1].marker in strip.pixmaps, timeout=3000)  # made when it is painted
    newest, truth = strip.pixmaps[strip.pairs[-1].marker]
    np.testing.assert_array_equal(pixels_of(newest), state.history[-1].image)
    assert truth is not None
    assert [pair.right for pair in strip.pairs] == [True] * 4 + [False] + [True] * 3
    thirty = tuple(example_reconstruction(example_decoding("dog", NOW + index)) for index in range(30))
    show(window, source, replace(state, history=thirty))
    assert [pair.marker.time for pair in strip.pairs] == [NOW + index for index in range(30)]


def test_errors_stand_in_one_bar_and_go_when_they_are_gone(open_window: OpenWindow, source: ExampleSource) -> None:
    window, state = open_window(source), state_of(source)
    assert not window.errors.isVisible()
    show(window, source, replace(state, present_errors=("drawing: out of memory", "epoching: odd", "decoding: odd")))
    assert window.errors.isVisible()
    assert window.errors.text.text() == "drawing: out of memory (and 2 others before)"
    show(window, source, state)
    assert not window.errors.isVisible()


def test_words_from_the_network_are_shown_as_plain_text(open_window: OpenWindow, source: ExampleSource) -> None:
    window, state = open_window(source), state_of(source)
    name = "<img src=x>{0.__class__}"
    show(window, source, replace(state, facts=replace(example_facts(), name=name), markers=(Marker(name, NOW - 3),)))
    assert name in window.header.stream.text()
    assert window.live.signal.visible_markers() == [name]


def test_missed_markers_say_why_in_the_signal(open_window: OpenWindow, source: ExampleSource) -> None:
    window = open_window(source)
    window.poll_signal()
    # The first two of the eight are older than the ten seconds shown.
    assert window.live.signal.visible_markers()[:2] == ["guitar", "rocket"]
    assert len(window.live.signal.visible_markers()) == 7
    assert [line.text[:2] for line in window.live.signal.canvas.lines() if line.missed] == ["an"]


def test_without_a_decoding_the_panels_say_what_is_waited_for(open_window: OpenWindow, source: ExampleSource) -> None:
    empty = replace(state_of(source), decoding=None, reconstruction=None, history=(), markers=(), phase="waiting")
    window = open_window(ExampleSource(empty, example_chunk()))
    assert window.live.pictures.saliency.pixmap is None
    assert window.live.pictures.saliency.view.placeholder == "Waiting for the first sample …"
    window.grab()


def test_a_closed_window_asks_no_more(open_window: OpenWindow, source: ExampleSource, qtbot: QtBot) -> None:
    window = open_window(source)
    window.close()
    source.state = replace(state_of(source), counts=Counts(99, 99))
    qtbot.wait(250)  # two of the slower timer's periods: nothing to wait for can be seen
    assert window.live.status.figure("Markers") == "57"
