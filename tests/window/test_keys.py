"""Works by keyboard alone, comes back as it was left, and fits a small screen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from bci_live.live.snapshot import ReplayStatus
from bci_live.window import theme
from bci_live.window.example import ExampleSource, example_chunk, example_facts
from bci_live.window.keys import HELP, WORDS_PX
from bci_live.window.main_window import MainWindow
from bci_live.window.memory import WindowMemory, keep, kept
from bci_live.window.signal.conditioning import DisplayFilter
from tests.window.conftest import OpenWindow
from tests.window.test_app import ROOT

KEY, CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(open_window: OpenWindow, source: ExampleSource) -> MainWindow:
    source.chunk = example_chunk(seconds=60)
    window = open_window(source)
    window.poll_signal()
    return window


@pytest.fixture
def dark_again(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply_theme(qapp)
    qapp.setStyleSheet("")


def test_arrows_look_back_and_l_follows_live_again(window: MainWindow, qtbot: QtBot) -> None:
    signal = window.live.signal
    for _ in range(3):
        qtbot.keyClick(window, KEY.Key_Left)
    qtbot.keyClick(window, KEY.Key_Right)
    qtbot.keyClick(window, KEY.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert signal.back_s == 7
    qtbot.keyClick(window, KEY.Key_L)
    assert not signal.holding


def test_who_has_clicked_a_control_still_has_the_keys_and_tab_reaches_it(window: MainWindow, qtbot: QtBot) -> None:
    bar = window.live.signal.toolbar
    window.activateWindow()
    window.setFocus()
    qtbot.mouseClick(bar.fit, Qt.MouseButton.LeftButton)
    assert not bar.fit.hasFocus()
    assert all(
        widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        for widget in (
            bar.band,
            bar.fit,
            bar.hold,
            window.record,
            window.header.streams_button,
            window.live.transport.button,
        )
    )


def test_plus_minus_and_a_scale_the_signal(window: MainWindow, qtbot: QtBot) -> None:
    channels = window.live.signal.channels
    assert channels is not None
    before = channels.heights["eeg"]
    qtbot.keyClick(window, "+")
    assert channels.heights["eeg"] < before
    qtbot.keyClick(window, "-")
    qtbot.keyClick(window, "-")
    assert channels.heights["eeg"] > before
    qtbot.keyClick(window, KEY.Key_A)
    assert channels.automatic


def test_home_and_end_change_the_stretch_and_numbers_hide_channels(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, KEY.Key_Home)
    assert window.live.signal.canvas.seconds == 5
    qtbot.keyClick(window, KEY.Key_End)
    qtbot.keyClick(window, KEY.Key_End)
    assert window.live.signal.canvas.seconds == 20
    channels = window.live.signal.channels
    assert channels is not None
    qtbot.keyClick(window, KEY.Key_2)
    assert channels.hidden == {"Fp2"}
    qtbot.keyClick(window, KEY.Key_2)
    assert not channels.hidden


def test_space_rests_the_replay_or_else_the_display(window: MainWindow, source: ExampleSource, qtbot: QtBot) -> None:
    qtbot.keyClick(window, KEY.Key_Space)
    assert window.live.signal.holding
    source.played = ReplayStatus(75.0, 400.0, paused=False, loop=True, ended=False)
    window.poll_snapshot()
    qtbot.keyClick(window, KEY.Key_Space)
    assert source.commands == [("pause", True)]


def test_the_question_mark_tells_the_keys_and_esc_never_quits(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, "?")
    assert window.help.isVisible()
    assert window.help.size() == window.size()
    window.grab()
    qtbot.keyClick(window, KEY.Key_Escape)
    assert not window.help.isVisible()
    qtbot.keyClick(window, KEY.Key_F11)
    assert window.isFullScreen()
    for _ in range(3):
        qtbot.keyClick(window, KEY.Key_Escape)
    assert not window.isFullScreen()
    assert window.isVisible()
    widths = {words: window.help.fontMetrics().horizontalAdvance(words) for _, words in HELP}
    assert [words for words, width in widths.items() if not 0 < width <= WORDS_PX] == []


def test_m_saves_a_picture_of_the_window(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.streams.folder.setText(str(tmp_path))
    qtbot.keyClick(window, KEY.Key_M)
    assert (tmp_path / "pictures" / "0001-window.png").stat().st_size > 10_000
    assert "0001-window.png" in window.header.notice.text()


def test_f9_records_and_ctrl_u_opens_the_streams(window: MainWindow, source: ExampleSource, qtbot: QtBot) -> None:
    qtbot.keyClick(window, KEY.Key_F9)
    assert source.commands[0][0] == "record"
    qtbot.keyClick(window, KEY.Key_U, CONTROL)
    assert window.streams.isVisible()
    window.streams.subject.setFocus()
    qtbot.keyClick(window.streams.subject, KEY.Key_M)  # who writes a name saves no picture
    assert window.streams.subject.text() == "01m"
    qtbot.keyClick(window, KEY.Key_U, CONTROL)
    assert window.live.isVisible()


def test_f1_tells_the_keys_and_ctrl_s_and_ctrl_c_keep_the_pinned_picture(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    qtbot.keyClick(window, KEY.Key_F1)
    assert window.help.isVisible()
    qtbot.keyClick(window, KEY.Key_F1)
    assert not window.help.isVisible()
    window.streams.folder.setText(str(tmp_path))
    strip, clipboard = window.live.filmstrip.strip, QApplication.clipboard()
    assert clipboard is not None
    clipboard.clear()
    strip.pin(strip.pairs[0].marker)
    window.poll_snapshot()
    qtbot.keyClick(window, KEY.Key_S, CONTROL)
    qtbot.keyClick(window, KEY.Key_C, CONTROL)
    assert sorted(path.suffix for path in (tmp_path / "pictures").iterdir()) == [".json", ".png"]
    assert clipboard.pixmap().width() == 64


def test_ctrl_q_closes(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, KEY.Key_Q, CONTROL)
    assert not window.isVisible()


def test_after_the_page_of_streams_the_keys_are_the_window_s_again(
    window: MainWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    source.played = ReplayStatus(75.0, 400.0, paused=False, loop=True, ended=False)
    window.poll_snapshot()
    window.activateWindow()
    for button in (window.streams.back_button, window.streams.connect_button):
        window.open_streams(True)
        window.streams.subject.setFocus()
        qtbot.waitUntil(window.streams.subject.hasFocus, timeout=3000)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        focused = QApplication.focusWidget()
        assert focused is not None
        qtbot.keyClick(focused, KEY.Key_Space)
        assert source.commands[-1] == ("pause", True)
    assert not window.live.signal.holding


@pytest.mark.usefixtures("dark_again")
def test_ctrl_t_changes_the_look(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, KEY.Key_T, CONTROL)
    assert theme.now is theme.LIGHT
    window.poll_signal()
    picture = window.live.signal.canvas.picture
    assert picture is not None
    assert picture.image.pixelColor(0, 0).lightness() > 200
    assert theme.LIGHT.purple in window.header.badge.styleSheet()


def test_accents_can_be_read_on_their_panels() -> None:
    """At least 4.5:1, as WCAG 2.2 asks of text."""
    for look in theme.LOOKS.values():
        for colour in (look.text, look.muted, look.sky, look.orange, look.green, look.vermillion, look.purple):
            assert contrast(colour, look.panel) >= 4.5, (look.name, colour)


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_it_comes_back_as_it_was_left(window: MainWindow, source: ExampleSource, qtbot: QtBot) -> None:
    signal, docks = window.live.signal, window.live.desk.docks
    signal.show_filter(DisplayFilter((1.0, 30.0), 50.0, True))
    signal.lengthen(1)
    signal.mark("Oz")
    signal.toggle_channel(1)
    window.live.quality.mains.setCurrentIndex(1)
    window.live.controls.forming.setChecked(False)
    window.streams.subject.setText("07")
    docks["scores"].setFloating(True)
    keep(window.memory())
    again = MainWindow(source, "bci_live", kept())
    qtbot.addWidget(again)
    again.show()
    again.poll_snapshot()
    assert again.live.signal.filter == signal.filter
    assert again.live.signal.toolbar.notch.currentText() == "50 Hz out"
    assert again.live.signal.canvas.seconds == 20
    assert again.live.signal.bad == {"Oz"}
    assert again.live.signal.settings.hidden == {"Fp2"}
    assert [it.text() for it in again.live.signal.toolbar.menu.channels if not it.isChecked()] == ["Fp2"]
    assert again.live.signal.toolbar.average.isChecked()
    assert again.live.quality.mains.currentText() == "60 Hz mains"
    assert not again.live.controls.forming.isChecked()
    # Another montage is connected: what was marked of the first is not forgotten.
    again.live.signal.show_stream(replace(example_facts(2), channels=("AF7", "AF8")))
    again.live.signal.mark("AF7")
    assert again.memory().bad == ("AF7", "Oz")
    assert again.memory().hidden == ("Fp2",)
    again.live.signal.show_stream(example_facts())
    channels = again.live.signal.channels
    assert channels is not None
    assert (channels.bad, channels.hidden) == ({"Oz"}, {"Fp2"})
    assert again.streams.subject.text() == "07"
    assert again.live.desk.docks["scores"].isFloating()
    qtbot.keyClick(again, KEY.Key_R, CONTROL)
    assert not again.live.desk.docks["scores"].isFloating()


def test_a_memory_that_cannot_be_read_is_as_at_the_first_start() -> None:
    keep(WindowMemory(subject="09"))
    assert kept().subject == "09"
    file = Path(os.environ["XDG_CONFIG_HOME"]) / "bci_live" / "window.json"
    file.write_text('{"look": "pink"}')
    assert kept() == WindowMemory()
    file.unlink()


def test_at_200_percent_it_fits_a_screen_of_full_hd_and_draws_in_the_screen_s_own_pixels() -> None:
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from PyQt6.QtWidgets import QApplication
from bci_live.live.snapshot import ReplayStatus
from bci_live.window.example import ExampleSource, example_chunk, example_snapshot
from bci_live.window.main_window import MainWindow
from bci_live.window.theme import apply_theme
app = QApplication([])
apply_theme(app)
source = ExampleSource(example_snapshot(), example_chunk())
source.played = ReplayStatus(75.0, 400.0, paused=False, loop=True, ended=False)
source.model_trouble = "Two lines of what is wrong with the decoder, and of what to do about it now. " * 3
window = MainWindow(source, "x")
screen = window.screen().availableGeometry()
print(window.width() <= screen.width(), window.height() <= screen.height())
window.show()
window.resize(960, 540)
window.live.signal.hold(True)  # its button says more then
window.poll_snapshot()
app.processEvents()
window.poll_signal()
canvas = window.live.signal.canvas
assert canvas.picture.width == round(2 * canvas.plot.width()), canvas.picture.width
print(window.width(), window.height())
"""
    environment = os.environ | {"QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "True", "960", "540"]


def test_a_panel_behind_another_comes_to_the_front_when_tab_walks_into_it(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    button = window.live.quality.check.button
    window.live.desk.raise_panel("session")
    qtbot.waitUntil(lambda: not theme.is_seen(button), timeout=3000)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(lambda: theme.is_seen(window.live.quality), timeout=3000)


def test_a_floating_panel_has_the_keys_of_the_window(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    dock = window.live.desk.docks["session"]
    dock.setFloating(True)
    qtbot.keyClick(dock, Qt.Key.Key_W)
    assert window.live.signal.canvas.sweeping
    dock.setFloating(False)


def test_where_no_headset_streams_the_next_steps_are_told(open_window: OpenWindow, qtbot: QtBot) -> None:
    source = ExampleSource()
    source.unclear, source.fatal, heard = True, "There is no LSL stream at all.", source.heard
    source.heard = ()
    window = open_window(source)
    window.poll_snapshot()
    welcome = window.streams.welcome
    assert welcome.isVisible()
    qtbot.mouseClick(welcome.demo_button, Qt.MouseButton.LeftButton)
    assert ("demo", None) in source.commands
    assert welcome.heading.text() == "No EEG stream is there yet"
    assert not window.record.isEnabled()
    # A headset that the decoder does not fit: it can be recorded, to train one that does.
    window.open_streams(True)
    source.heard = heard
    window.poll_snapshot()
    window.poll_snapshot()
    assert welcome.heading.text() == "No session yet: what can be done"
    assert window.record.isEnabled()


def test_the_page_of_streams_goes_as_it_came_unless_somebody_asked_for_it(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    waiting = ExampleSource()
    waiting.unclear = True
    window = open_window(waiting)
    window.poll_snapshot()
    assert window.streams.isVisible()
    waiting.unclear, waiting.state, waiting.chunk = False, source.state, source.chunk
    window.poll_snapshot()
    assert window.live.isVisible()
    window.open_streams(True)
    window.poll_snapshot()
    assert window.streams.isVisible()
    assert not window.streams.welcome.isVisible()


def test_controls_without_words_have_a_name_for_screen_readers(window: MainWindow) -> None:
    bar = window.live.signal.toolbar
    for widget in (
        bar.band,
        bar.notch,
        bar.larger,
        bar.smaller,
        window.live.transport.slider,
        window.live.filmstrip.strip,
        window.live.quality.head,
        window.live.quality.mains,
    ):
        assert widget.accessibleName()


def test_a_pinned_picture_s_epoch_takes_the_other_look(window: MainWindow, qtbot: QtBot, dark_again: None) -> None:
    details = window.live.details
    window.live.filmstrip.strip.pin(window.live.filmstrip.strip.pairs[0].marker)
    window.poll_snapshot()
    assert details.plot.graph.lines[0].colour == theme.DARK.traces[0]
    window.change_look()
    window.poll_snapshot()
    assert details.plot.graph.lines[0].colour == theme.LIGHT.traces[0]
