"""The window: it polls its source on two timers and hands what it gets to the panels. It never waits for anyone."""

from __future__ import annotations

import time
from collections.abc import Callable

from PyQt6.QtCore import QSize, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QKeyEvent
from PyQt6.QtWidgets import QApplication, QMainWindow, QMessageBox, QStackedWidget, QVBoxLayout, QWidget

from bci_live.errors import BciError
from bci_live.live.export import next_path
from bci_live.live.snapshot import LiveSnapshot
from bci_live.live.troubles import beside_streams, newest_error, silence
from bci_live.window import theme
from bci_live.window.commands import commands
from bci_live.window.header import ErrorBar, Header
from bci_live.window.keys import HelpOverlay, pressed
from bci_live.window.live_page import LivePage
from bci_live.window.memory import WindowMemory
from bci_live.window.recalling import memory_of, recall
from bci_live.window.record_button import RecordButton
from bci_live.window.source import SessionSource
from bci_live.window.start_page import StartPage
from bci_live.window.streams_page import StreamsPage

# Sixty times a second: only what came since is drawn.
SIGNAL_EVERY_MS = 16
# While the pipeline loads, which only one thread at a time can do, the signal takes less of it.
SIGNAL_WHILE_LOADING_MS = 100
SNAPSHOT_EVERY_MS = 100
# A bug that did not come again for so long need not hide what else there is to say.
BUG_SHOWN_MS = 10_000
# So long a closed window stays for what is still being saved.
SAVING_S = 60.0
_LEAVING = "What you save is still being written: the window closes when it is. Close it again to leave without it."
# At 200 % a screen of full HD has 960 × 540 of these pixels: there it opens smaller.
_AT_FIRST = QSize(1280, 800)


class MainWindow(QMainWindow):
    """Shows `source` until it is closed. Polling needs no flags: after the close nothing can arrive any more."""

    def __init__(self, source: SessionSource, title: str, memory: WindowMemory | None = None) -> None:
        super().__init__()
        self._memory = memory or WindowMemory()
        self._source = source
        self.asks_before_closing = True
        self._asked_for_streams = False
        self._rests = ""
        self._bug: str | None = None
        self._bug_timer = QTimer(self)
        self._bug_timer.setSingleShot(True)
        self._bug_timer.timeout.connect(self._forget_bug)
        self._close_by: float | None = None  # it closes when all is saved, or then
        self.streams = StreamsPage(source)
        self.streams.left.connect(self.leave_streams)
        self.record = RecordButton(source, self.streams.recording_request)
        self.header = Header(title, self.record)
        self.header.streams_button.clicked.connect(self.open_streams)
        self.errors = ErrorBar()
        self.start = StartPage(title)
        self.live = LivePage(source, self.streams.pictures_folder)
        self.live.details.told.connect(self.header.say)
        self.pages = QStackedWidget()
        self.pages.currentChanged.connect(self._take_keys)
        for page in (self.start, self.live, self.streams):
            self.pages.addWidget(page)
        self.setWindowTitle(title)
        self.setCentralWidget(self._frame())
        self.help = HelpOverlay(self)
        self.header.keys_button.clicked.connect(self.help.toggle)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocus()
        screen = self.screen()
        self.resize(_AT_FIRST.boundedTo(screen.availableGeometry().size()) if screen is not None else _AT_FIRST)
        if memory is not None:
            recall(self, memory)
        self._signal_timer = self._poll(SIGNAL_EVERY_MS, self.poll_signal)
        self._snapshot_timer = self._poll(SNAPSHOT_EVERY_MS, self.poll_snapshot)
        self.poll_snapshot()

    def poll_signal(self) -> None:
        """Scroll the signal on."""
        self.live.poll_signal()

    def poll_snapshot(self) -> None:
        """Bring everything else up to date."""
        if self._close_by is not None and (not self.live.saving or time.monotonic() > self._close_by):
            self.close()
            return
        source = self._source
        problem, snapshot, recording = source.problem(), source.snapshot(), source.recording()
        self._rests = rests = self._resting(snapshot)
        told = "" if recording is None else beside_streams(recording) if rests else recording.problem
        recorded = source.recording_problem() or told
        silent = silence(snapshot) if snapshot is not None and not rests else ""
        leaving = _LEAVING if self._close_by is not None else None
        # A choice that was not taken changes nothing: it hides no trouble that does.
        trouble = self._bug or problem or newest_error(snapshot, bool(rests)) or silent or source.model_problem()
        # What became of REC is told beside an error that has stood there since before.
        self.errors.show_error(leaving or "\n".join(filter(None, (recorded, trouble))))
        if self.record.show_recording(recording, ready=snapshot is not None or self.streams.has_eeg):
            self._say(f"Recorded: {recording.path}" if recording else "")
        self._show_page(snapshot)
        if snapshot is None:
            self.header.show_nothing()
            self.start.show_progress(source.progress(), failed=problem is not None)
            return
        self._hurry(SIGNAL_WHILE_LOADING_MS if snapshot.phase == "warming" else SIGNAL_EVERY_MS)
        self.header.show_stream(snapshot, rests)
        self.live.show_snapshot(snapshot)

    def _resting(self, snapshot: LiveSnapshot | None) -> str:
        """That the window's own replay sends nothing, in words: it paused, has ended, or went on a moment ago."""
        replay = self._source.replay()
        if replay is None or snapshot is None or self._source.problem():
            return ""
        if replay.ended:
            return "The replay has ended"
        stale = snapshot.status is not None and snapshot.status.stale
        return "The replay rests" if replay.paused or (self._rests and stale) else ""

    def _hurry(self, every_ms: int) -> None:
        if self._signal_timer.interval() != every_ms:
            self._signal_timer.setInterval(every_ms)

    def open_streams(self, wanted: bool) -> None:
        """Show the page of streams, or leave it; streams are listened to only while it is open."""
        self._asked_for_streams = wanted
        self.header.streams_button.setChecked(wanted)
        self._source.watch_streams(wanted)
        self.pages.setCurrentWidget(self.streams if wanted else self.start)
        self.poll_snapshot()

    def leave_streams(self) -> None:
        """Back to the session."""
        self.open_streams(False)

    def _show_page(self, snapshot: LiveSnapshot | None) -> None:
        """The streams stay on display until they are left; they come up by themselves, and go, where one must be chosen."""
        if self.pages.currentWidget() is self.streams and not (self._asked_for_streams or self._source.choosing()):
            self.open_streams(False)
        elif self.pages.currentWidget() is self.streams:
            self.streams.show_streams(self._source.streams(), self._source.chosen(), begun=snapshot is not None)
        elif snapshot is not None:
            self.pages.setCurrentWidget(self.live)
        elif self._source.choosing():
            self.open_streams(True)
            self._asked_for_streams = False
        else:
            self.pages.setCurrentWidget(self.start)

    def _take_keys(self, _: int) -> None:
        """Qt gives the focus of a page that goes to some widget of the next, which would take Space and the arrows."""
        self.setFocus()

    def show_bug(self, text: str) -> None:
        """Tell of a bug of the window itself, in the bar, for a while after it last came."""
        self._bug = text
        self._bug_timer.start(BUG_SHOWN_MS)
        self.errors.show_error(text)

    def _forget_bug(self) -> None:
        self._bug = None

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """What `keys.HELP` says, unless the widget that has the focus takes the key for itself."""
        # Made for each key: kept, they would tie the window into a knot that Python takes apart at any moment, and Qt crashes.
        command = commands(self).get(pressed(event)) if event is not None else None
        if command is None:
            super().keyPressEvent(event)
        else:
            command()

    def change_look(self) -> None:
        """Dark or light."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply_theme(app, theme.LIGHT if theme.now is theme.DARK else theme.DARK)
        self.header.repaint_badge()
        self.live.signal.canvas.draw_all()

    def save_screenshot(self) -> None:
        """The window as it is, into the folder of pictures."""
        try:
            path = next_path(self.streams.pictures_folder(), "window", ".png")
        except BciError as error:
            self._say(str(error))
            return
        self._say(f"Saved: {path}" if self.grab().save(str(path)) else f"'{path}' cannot be written. Free the disk.")

    def memory(self) -> WindowMemory:
        """What is to come back the next time."""
        return memory_of(self, self._memory)

    def _say(self, text: str) -> None:
        self.header.say(text)

    def rest(self) -> None:
        """Pause the replay; without one, hold the signal on display."""
        if self.live.transport.isVisible():
            self.live.transport.toggle()
        else:
            self.live.signal.hold(not self.live.signal.holding)

    def step_back(self) -> None:
        """Esc closes what lies over the window or the session, and gives the window its keys back; it never ends the program."""
        if self.help.isVisible():
            self.help.hide()
        elif self.isFullScreen():
            self.showNormal()
        elif self._asked_for_streams:
            self.leave_streams()
        # A panel that floats is a window of its own and keeps its focus when another window's is set.
        if (focused := QApplication.focusWidget()) is not None:
            focused.clearFocus()
        self.setFocus()

    def toggle_full_screen(self) -> None:
        """Fill the screen, or no longer."""
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        if event is not None and self.record.running and self.asks_before_closing and not self._may_close():
            event.ignore()
            return
        if event is not None and self.live.saving and self._close_by is None:
            self._close_by, self.asks_before_closing = time.monotonic() + SAVING_S, False  # it has been answered
            event.ignore()
            return
        self._signal_timer.stop()
        self._snapshot_timer.stop()
        self._bug_timer.stop()
        super().closeEvent(event)

    def _may_close(self) -> bool:
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self,
            "A recording is running",
            "A recording is running. Close all the same? What was recorded until now is kept.",
            buttons.Close | buttons.Cancel,
            buttons.Cancel,
        )
        return answer == buttons.Close

    def _frame(self) -> QWidget:
        """Header, error bar and the pages, one below the other."""
        frame = QWidget()
        frame.setObjectName("page")
        column = QVBoxLayout(frame)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.GAP)
        column.addWidget(self.header)
        column.addWidget(self.errors)
        column.addWidget(self.pages, 1)
        return frame

    def _poll(self, every_ms: int, action: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(action)
        timer.start(every_ms)
        return timer


if __name__ == "__main__":
    from bci_live.window.example import ExampleSource, example_chunk, show_alone

    raise SystemExit(show_alone(lambda snapshot: MainWindow(ExampleSource(snapshot, example_chunk()), "bci_live")))
