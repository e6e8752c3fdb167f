"""The tab *Picture*: what belongs to the picture it shows, what it says of saving, and what it shows where there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from bci_live.config import EpochConfig
from bci_live.live.controls import ModelChoice
from bci_live.window import theme
from bci_live.window.example import NOW, ExampleSource, example_decoding, example_reconstruction
from bci_live.window.main_window import MainWindow
from tests.window.conftest import OpenWindow

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def dark_again(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply_theme(qapp)
    qapp.setStyleSheet("")


@pytest.fixture
def window(open_window: OpenWindow, source: ExampleSource, tmp_path: Path) -> MainWindow:
    window = open_window(source)
    window.streams.folder.setText(str(tmp_path))
    return window


def another_session(window: MainWindow, source: ExampleSource) -> None:
    """Of a decoder with another epoch; it has no picture yet."""
    assert source.state is not None
    epoch = EpochConfig(start_s=-1.0, stop_s=2.98)
    source.state = replace(
        source.state, began=1.0, history=(), decoding=None, reconstruction=None, markers=(), epoch=epoch
    )
    window.poll_snapshot()


def show_details(window: MainWindow, qtbot: QtBot) -> None:
    window.live.desk.raise_panel("details")
    qtbot.waitUntil(lambda: theme.is_seen(window.live.details), timeout=3000)
    window.poll_snapshot()


def test_a_pinned_picture_s_epoch_keeps_its_own_seconds_when_another_decoder_reads_others(
    window: MainWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    strip, details = window.live.filmstrip.strip, window.live.details
    strip.pin(strip.pairs[0].marker)
    show_details(window, qtbot)
    another_session(window, source)
    window.change_look()
    window.poll_snapshot()
    times = details.plot.graph.lines[0].x
    assert details.plot.graph.lines[0].colour == theme.LIGHT.traces[0]  # it was drawn anew
    assert times[[0, -1]] == pytest.approx([-0.1, 0.8 - 0.9 / 225])


def test_a_picture_that_is_saved_or_copied_by_keys_is_told_where_it_is_seen(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    notice, details = window.header.notice, window.live.details
    window.live.desk.raise_panel("session")
    qtbot.waitUntil(lambda: not theme.is_seen(details.said), timeout=3000)
    qtbot.keyClick(window, Qt.Key.Key_S, CONTROL)
    (saved,) = (tmp_path / "pictures").glob("*.png")
    assert notice.text() == f"Saved: {saved}"
    qtbot.keyClick(window, Qt.Key.Key_C, CONTROL)
    window.poll_snapshot()
    assert notice.text() == details.said.text() == "Copied."
    (tmp_path / "file").write_text("")
    window.streams.folder.setText(str(tmp_path / "file"))
    qtbot.keyClick(window, Qt.Key.Key_S, CONTROL)
    assert "cannot be written" in notice.text()


@pytest.mark.parametrize("key", [Qt.Key.Key_S, Qt.Key.Key_C])
def test_where_there_is_no_picture_saving_and_copying_say_so(
    qtbot: QtBot, open_window: OpenWindow, key: Qt.Key
) -> None:
    window = open_window(ExampleSource())
    qtbot.keyClick(window, key, CONTROL)
    assert window.header.notice.text() == "There is no picture yet."


def test_another_session_s_tab_does_not_show_the_last_one_s_picture(
    window: MainWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    details = window.live.details
    show_details(window, qtbot)
    assert details.picture.pixmap is not None
    another_session(window, source)
    views = (details.saliency, details.picture, details.true_picture)
    assert [view.pixmap for view in views] == [None, None, None]
    assert details.text.text() == "There is no picture yet."
    assert details.plot.graph.lines == ()
    assert source.state is not None
    first = example_reconstruction(example_decoding("tent", NOW + 1))
    source.state = replace(source.state, history=(first,))
    window.poll_snapshot()
    assert details.picture.pixmap is not None
    assert details.text.text().startswith("marker tent")


def test_a_picture_pinned_in_the_last_session_is_saved_with_that_session_s_origin(
    window: MainWindow, source: ExampleSource, qtbot: QtBot, tmp_path: Path
) -> None:
    strip = window.live.filmstrip.strip
    strip.pin(strip.pairs[0].marker)
    show_details(window, qtbot)
    source.used = ModelChoice(Path("another-decoder"), "another-pipeline")
    another_session(window, source)
    assert window.live.details.heading.text() == "The pinned picture"
    qtbot.keyClick(window, Qt.Key.Key_S, CONTROL)
    (file,) = (tmp_path / "pictures").glob("*.json")
    told = json.loads(file.read_text(encoding="utf-8"))
    assert (told["decoder"], told["marker"]["label"]) == ("decoder-demo", "dog")
    qtbot.keyClick(strip, Qt.Key.Key_Delete)
    window.poll_snapshot()
    assert window.live.details.text.text() == "There is no picture yet."
