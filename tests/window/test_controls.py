"""Streams, REC and the replay's transport: what they show, and what they command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from bci_live.live.remembered import StreamChoice
from bci_live.live.snapshot import RecordingRequest, RecordingStatus, ReplayStatus
from bci_live.sessions.recorder import StreamProgress
from bci_live.streams.survey_cells import HEADINGS
from bci_live.window import theme
from bci_live.window.example import ExampleSource, example_reports
from bci_live.window.main_window import MainWindow
from bci_live.window.record_button import bytes_text
from bci_live.window.transport_bar import clock_text
from tests.window.conftest import OpenWindow

LEFT = Qt.MouseButton.LeftButton
RUNNING = RecordingStatus(
    Path("rec/a.xdf"), True, 75.0, 3_100_000, 21_000_000_000, (StreamProgress("Muse", 19_200), StreamProgress("m", 30))
)


def cell(window: MainWindow, row: int, column: int) -> tuple[str, QColor]:
    item = window.streams.table.item(row, column)
    assert item is not None
    return item.text(), item.foreground().color()


def test_streams_are_listened_to_while_their_page_is_open(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    qtbot.mouseClick(window.header.streams_button, LEFT)
    assert window.streams.isVisible()
    assert source.commands == [("watch", True)]
    assert cell(window, 0, 0)[0] == "Muse"
    measured = HEADINGS.index("measured")
    assert cell(window, 1, measured) == ("silent", QColor(theme.now.vermillion))
    assert cell(window, 0, measured) == ("255.9 Hz", QColor(theme.now.text))
    qtbot.mouseClick(window.streams.rescan_button, LEFT)
    qtbot.mouseClick(window.streams.back_button, LEFT)
    assert source.commands[1:] == [("watch", False), ("watch", True), ("watch", False)]
    assert window.live.isVisible()
    assert not window.header.streams_button.isChecked()


def test_what_is_not_connected_says_why_and_the_streams_stay(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    window.open_streams(True)
    source.refusal = "That is the replay."
    qtbot.mouseClick(window.streams.connect_button, LEFT)
    window.poll_snapshot()
    assert window.streams.isVisible()
    assert window.streams.missing.text() == source.refusal
    qtbot.keyClick(window.streams.eeg, Qt.Key.Key_Down)
    window.poll_snapshot()
    assert window.streams.missing.text() == ""
    qtbot.mouseClick(window.streams.connect_button, LEFT)
    for wanted in (False, True):
        window.open_streams(wanted)
    assert window.streams.missing.text() == ""


def test_what_is_chosen_is_connected(open_window: OpenWindow, source: ExampleSource, qtbot: QtBot) -> None:
    window = open_window(source)
    window.open_streams(True)
    page = window.streams
    assert [page.eeg.itemText(k) for k in range(page.eeg.count())] == [
        "the only one there is",
        "Muse · lab",
        "cap · lab",
    ]
    page.eeg.setFocus()
    qtbot.keyClick(page.eeg, Qt.Key.Key_Down)
    qtbot.keyClick(page.eeg, Qt.Key.Key_Down)
    qtbot.keyClick(page.markers, Qt.Key.Key_Down)
    source.heard = example_reports()[1:]  # what is chosen stays, whatever comes and goes
    window.poll_snapshot()
    qtbot.mouseClick(page.connect_button, LEFT)
    choice = StreamChoice(stream="cap", stream_id="cap-7", markers="stimuli", markers_id="stim")
    assert ("connect", choice) in source.commands
    assert window.live.isVisible()


def test_a_chosen_stream_that_is_not_there_is_named_in_red(open_window: OpenWindow, source: ExampleSource) -> None:
    source.taken = StreamChoice(stream="Unicorn", stream_id="u-1", markers="stimuli")
    window = open_window(source)
    window.open_streams(True)
    page = window.streams
    assert page.missing.text() == "Missing: the EEG stream 'Unicorn'"
    assert page.missing.objectName() == "alarm"  # which the style sheet paints red
    assert page.eeg.currentText() == "Unicorn (not there)"
    assert page.markers.currentText() == "stimuli · desk"
    unicorn = replace(example_reports()[0], name="Unicorn", source_id="u-1")
    source.heard = (*source.heard, unicorn)
    window.poll_snapshot()
    assert page.missing.text() == ""
    assert page.eeg.currentText() == "Unicorn · lab"
    source.heard = (*example_reports(), replace(unicorn, problem="is gone"))
    window.poll_snapshot()
    assert "Unicorn" in page.missing.text()


def test_where_it_is_not_clear_which_stream_is_meant_the_page_comes_up(open_window: OpenWindow) -> None:
    source = ExampleSource()
    window = open_window(source)
    assert window.start.isVisible()
    source.unclear, source.fatal = True, "Several streams could be the EEG stream: 'Muse', 'cap'."
    window.poll_snapshot()
    assert window.streams.isVisible()
    assert window.errors.text.text() == source.fatal
    assert ("watch", True) in source.commands
    assert not window.record.isEnabled()  # nothing to record


def test_rec_records_under_the_names_of_the_page_and_ends_it(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    window.streams.subject.setText("07")
    window.streams.folder.setText("lab")
    qtbot.mouseClick(window.record, LEFT)
    assert source.commands == [("record", RecordingRequest(Path("lab"), "07", "01", "pictures"))]
    source.rec = RUNNING
    window.poll_snapshot()
    assert window.record.text() == "■ 1:15 · 3.1 MB · 21.0 GB free"
    assert "a.xdf" in window.record.toolTip()
    assert "Muse 19,200" in window.record.toolTip()
    source.rec = replace(RUNNING, streams=(StreamProgress("Muse", 0), StreamProgress("m", 30)))
    window.poll_snapshot()
    assert window.record.text().endswith("free · no sample yet from 'Muse'")
    source.rec = replace(RUNNING, free=400_000_000)
    window.poll_snapshot()
    assert window.record.text().endswith("only 400 MB free")
    qtbot.mouseClick(window.record, LEFT)
    assert source.commands[-1] == ("stop", None)
    source.rec = replace(RUNNING, running=False)
    window.poll_snapshot()
    assert window.record.text() == "● REC"
    assert "rec/a.xdf" in window.record.toolTip().replace("\\", "/")
    assert window.header.notice.text() == f"Recorded: {Path('rec/a.xdf')}"


def test_a_recording_in_trouble_is_told_in_the_bar(open_window: OpenWindow, source: ExampleSource) -> None:
    window = open_window(source)
    source.rec = replace(RUNNING, problem="The stream 'Muse' is gone.")
    window.poll_snapshot()
    assert window.errors.text.text() == "The stream 'Muse' is gone."
    source.rec_problem = "The disk is full."
    window.poll_snapshot()
    assert window.errors.text.text() == "The disk is full."


def test_what_hinders_rec_is_told_beside_an_error_that_stood_there_before(open_window: OpenWindow) -> None:
    source = ExampleSource()
    source.unclear, source.fatal = True, "The decoder fits no headset that streams."
    window = open_window(source)
    source.rec_problem = "'/proc/nope' cannot be made. Choose another folder."
    window.poll_snapshot()
    assert window.errors.text.text() == f"{source.rec_problem}\n{source.fatal}"


@pytest.mark.parametrize(("answer", "stays"), [("Cancel", True), ("Close", False)])
def test_closing_while_recording_asks(
    open_window: OpenWindow, source: ExampleSource, monkeypatch: pytest.MonkeyPatch, answer: str, stays: bool
) -> None:
    asked = []

    def question(*arguments: object) -> QMessageBox.StandardButton:
        asked.append(arguments[2])
        return QMessageBox.StandardButton[answer]

    monkeypatch.setattr(QMessageBox, "question", question)
    window = open_window(source)
    source.rec = RUNNING
    window.poll_snapshot()
    window.close()
    assert len(asked) == 1
    assert window.isVisible() == stays
    window.asks_before_closing = False


def test_the_transport_shows_and_commands_the_replay(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    bar = window.live.transport
    assert not bar.isVisible()  # nothing is replayed
    source.played = ReplayStatus(75.0, 400.0, paused=False, loop=True, ended=False)
    window.poll_snapshot()
    assert bar.isVisible()
    assert (bar.place.text(), bar.slider.value(), bar.again.isChecked()) == ("1:15 of 6:40", 750, True)
    qtbot.mouseClick(bar.button, LEFT)
    source.played = replace(source.played, paused=True)
    window.poll_snapshot()
    assert (bar.button.text(), window.header.notice.text()) == ("Go on", "The replay rests")
    qtbot.keyClick(window, Qt.Key.Key_Space)
    bar.again.click()
    bar.slider.setSliderDown(True)
    bar.slider.setSliderPosition(2000)
    window.poll_snapshot()  # while it is held, it is the user's
    assert bar.slider.value() == 2000
    bar.slider.setSliderDown(False)
    assert source.commands == [("pause", True), ("pause", False), ("loop", False), ("seek", 200.0)]
    window.poll_snapshot()
    qtbot.keyClick(bar.slider, Qt.Key.Key_Right)
    assert source.commands[-1] == ("seek", 76.0)
    qtbot.mouseClick(bar.slider, LEFT, pos=QPoint(round(0.8 * bar.slider.width()), bar.slider.height() // 2))
    command, at_s = source.commands[-1]
    assert command == "seek"
    assert at_s == pytest.approx(320.0, abs=4.0)


def test_a_replay_that_has_ended_says_so_and_can_be_played_again(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    bar = window.live.transport
    assert source.state is not None
    assert source.state.status is not None
    gone = "The marker stream 'm' is gone."
    source.state = replace(
        source.state,
        status=replace(source.state.status, stale=True, age_s=8.2),
        present_errors=(gone, "drawing: odd"),
        stream_errors=(gone,),
    )
    source.played = ReplayStatus(400.0, 400.0, paused=False, loop=False, ended=True)
    window.poll_snapshot()
    assert window.header.notice.text() == "The replay has ended"
    assert window.header.badge.text() == "SIMULATED · REPLAY"
    assert window.errors.text.text() == "drawing: odd"
    assert not bar.slider.isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert source.commands == []
    assert bar.button.text() == "Play again"
    qtbot.mouseClick(bar.button, LEFT)
    assert source.commands == [("again", None)]


def test_a_replay_that_was_killed_is_stale_and_can_be_played_again(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window = open_window(source)
    assert source.state is not None
    assert source.state.status is not None
    source.state = replace(source.state, status=replace(source.state.status, stale=True, age_s=8.2))
    source.played = ReplayStatus(75.0, 400.0, paused=False, loop=True, ended=True)
    source.fatal = "The replay's process was ended from outside."
    window.poll_snapshot()
    assert window.header.badge.text() == "SIMULATED · REPLAY · STALE"
    assert window.header.notice.text() == "No sample for 8 s"
    assert window.errors.text.text() == source.fatal
    assert window.live.transport.button.text() == "Play again"


def test_a_replay_that_rests_is_no_trouble_of_the_recording_nor_while_it_goes_on(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window = open_window(source)
    silent = "The stream 'Muse' has sent nothing for 4 s."
    source.rec = replace(RUNNING, streams=(StreamProgress("Muse", 9, silent),), problem=f"The disk is slow. {silent}")
    window.poll_snapshot()
    assert window.errors.text.text() == source.rec.problem
    source.played = ReplayStatus(75.0, 400.0, paused=True, loop=True, ended=False)
    window.poll_snapshot()
    assert window.errors.text.text() == "The disk is slow."
    assert source.state is not None
    assert source.state.status is not None
    sends = source.state
    source.state = replace(sends, status=replace(source.state.status, stale=True, age_s=8.2))
    source.played = replace(source.played, paused=False)  # its first sample comes in a moment
    window.poll_snapshot()
    assert window.errors.text.text() == "The disk is slow."
    source.state = sends
    window.poll_snapshot()
    assert window.errors.text.text() == source.rec.problem


def test_figures_are_short() -> None:
    assert [clock_text(s) for s in (0, 59.9, 125, 3725)] == ["0:00", "0:59", "2:05", "1:02:05"]
    assert [bytes_text(b) for b in (900, 3_100_000, 250e6, 21e9, 4e12)] == [
        "0.9 kB", "3.1 MB", "250 MB", "21.0 GB", "4.0 TB"
    ]  # fmt: skip
