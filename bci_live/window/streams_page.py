"""The page of streams: what there is, how it does, which of it is taken, and where recordings go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QColor, QHideEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from bci_live.live.remembered import StreamChoice
from bci_live.live.snapshot import RecordingRequest
from bci_live.streams.survey import StreamReport
from bci_live.streams.survey_cells import FIRST_FIGURE, HEADINGS, cells
from bci_live.window import theme
from bci_live.window.source import StreamPicker
from bci_live.window.welcome import Welcome

_ANY = "the only one there is"
# Name and source id of a stream; None: any.
_Stream = tuple[str | None, str | None]


class StreamBox(QComboBox):
    """One of the streams of a kind, remembered by name and source id; a choice that is not there stays, marked so."""

    def __init__(self, fits: Callable[[StreamReport], bool]) -> None:
        super().__init__()
        self._fits = fits
        self._touched = False
        self.missing = ""
        self.addItem(_ANY, (None, None))
        self.setMinimumContentsLength(40)
        self.activated.connect(self._touch)

    def show_streams(self, reports: Sequence[StreamReport], name: str | None, source_id: str | None) -> None:
        """Offer what fits; (`name`, `source_id`) is selected unless the user has chosen another."""
        wanted = self.choice() if self._touched else (name, source_id)
        offered: dict[_Stream, str] = {
            (it.name, it.source_id or None): f"{it.name} · {it.host}" for it in reports if self._fits(it)
        }
        self.missing = wanted[0] or wanted[1] or "" if not _there(wanted, offered) and wanted != (None, None) else ""
        entries: dict[_Stream, str] = {(None, None): _ANY} | offered
        if self.missing:
            entries[wanted] = f"{self.missing} (not there)"
        view = self.view()
        if view is not None and view.isVisible():  # the user is about to choose
            return
        if entries != {self.itemData(index): self.itemText(index) for index in range(self.count())}:
            self.clear()
            for choice, text in entries.items():
                self.addItem(text, choice)
        place = next((i for i, choice in enumerate(entries) if choice == wanted or _matches(wanted, choice)), 0)
        self.setCurrentIndex(place)

    def choice(self) -> _Stream:
        """Name and source id; nothing for the only one there is."""
        name, source_id = self.currentData()
        return name, source_id

    def forget_touch(self) -> None:
        """Show again what is taken."""
        self._touched = False

    def _touch(self) -> None:
        self._touched = True


class StreamsPage(QWidget):
    """Polls nothing itself: the window hands it what was heard of the streams while it is open. `left`: it is done with."""

    left = pyqtSignal()

    def __init__(self, picker: StreamPicker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picker = picker
        self.has_eeg = False
        self._refusal = ""
        self.table = _table()
        self.missing = theme.named_label("alarm")
        self.missing.setWordWrap(True)
        self.eeg = StreamBox(lambda it: it.kind.lower() == "eeg" and it.rate > 0)
        self.markers = StreamBox(lambda it: not it.rate)
        self.connect_button = QPushButton("Connect")
        self.rescan_button = QPushButton("Look again")
        self.back_button = QPushButton("Back")
        self.folder, self.subject = QLineEdit("recordings"), QLineEdit("01")
        self.session, self.task = QLineEdit("01"), QLineEdit("pictures")
        self.welcome = Welcome()
        self.welcome.demo_wanted.connect(self._show_demo)
        self._lay_out()
        self.connect_button.clicked.connect(self._connect)
        self.rescan_button.clicked.connect(self._rescan)
        self.back_button.clicked.connect(self.left)
        for box in (self.eeg, self.markers):
            box.activated.connect(self._forget_refusal)

    def recording_request(self) -> RecordingRequest:
        """Where the next recording goes, as the fields say."""
        return RecordingRequest(
            Path(self.folder.text() or "."), self.subject.text(), self.session.text(), self.task.text()
        )

    def recall(self, folder: str, subject: str, session: str, task: str) -> None:
        """Fill the fields of recordings."""
        for field, text in ((self.folder, folder), (self.subject, subject), (self.session, session), (self.task, task)):
            field.setText(text)

    def pictures_folder(self) -> Path:
        """Where pictures are saved: beside the recordings."""
        return Path(self.folder.text() or ".") / "pictures"

    def show_streams(self, reports: Sequence[StreamReport], chosen: StreamChoice, begun: bool = False) -> None:
        """The table anew, and what of the chosen is missing, in red. `begun`: a session runs, so nobody asks what to do."""
        _fill(self.table, reports)
        alive = [it for it in reports if not it.problem]
        self.has_eeg = any(it.kind.lower() == "eeg" for it in alive)
        self.welcome.setVisible(not begun)
        self.welcome.show_there(self.has_eeg)
        self.eeg.show_streams(alive, chosen.stream, chosen.stream_id)
        self.markers.show_streams(alive, chosen.markers, chosen.markers_id)
        missing = [
            f"the {what} '{box.missing}'"
            for what, box in (("EEG stream", self.eeg), ("marker stream", self.markers))
            if box.missing
        ]
        self.missing.setText(self._refusal or (f"Missing: {' and '.join(missing)}" if missing else ""))

    def _connect(self) -> None:
        (stream, stream_id), (markers, markers_id) = self.eeg.choice(), self.markers.choice()
        choice = StreamChoice(stream=stream, stream_id=stream_id, markers=markers, markers_id=markers_id)
        self._refusal = self._picker.connect(choice)
        if self._refusal:
            return
        for box in (self.eeg, self.markers):
            box.forget_touch()
        self.left.emit()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Whoever comes back reads nothing of a choice of before."""
        self._forget_refusal()
        super().hideEvent(event)

    def _forget_refusal(self) -> None:
        self._refusal = ""

    def _show_demo(self) -> None:
        self._picker.play_demo()
        self.left.emit()

    def _rescan(self) -> None:
        self._forget_refusal()
        self._picker.watch_streams(False)
        self._picker.watch_streams(True)

    def _lay_out(self) -> None:
        streams, recording = theme.Panel("Streams"), theme.Panel("Recording")
        streams.body.addWidget(self.table, 1)
        streams.body.addWidget(self.missing)
        form = QFormLayout()
        form.addRow("EEG", self.eeg)
        form.addRow("Markers", self.markers)
        streams.body.addLayout(form)
        buttons = QHBoxLayout()
        for button in (self.connect_button, self.rescan_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.back_button)
        streams.body.addLayout(buttons)
        names = QHBoxLayout()
        for title, field in (
            ("Folder", self.folder), ("Subject", self.subject), ("Session", self.session), ("Task", self.task)
        ):  # fmt: skip
            names.addWidget(theme.named_label("muted", title))
            names.addWidget(field, 3 if field is self.folder else 1)
        recording.body.addLayout(names)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addWidget(self.welcome)
        column.addWidget(streams, 1)
        column.addWidget(recording)


def _there(wanted: _Stream, offered: Iterable[_Stream]) -> bool:
    return any(_matches(wanted, choice) for choice in offered)


def _matches(wanted: _Stream, choice: _Stream) -> bool:
    """Whether all that is wanted holds; what is not said holds of any."""
    return wanted != (None, None) and all(want in (None, is_) for want, is_ in zip(wanted, choice, strict=True))


def _table() -> QTableWidget:
    table = QTableWidget(0, len(HEADINGS))
    table.setHorizontalHeaderLabels(list(HEADINGS))
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    for header in (table.verticalHeader(), table.horizontalHeader()):
        assert header is not None
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.verticalHeader().hide()  # type: ignore[union-attr]
    return table


def _fill(table: QTableWidget, reports: Sequence[StreamReport]) -> None:
    table.setRowCount(len(reports))
    for row, report in enumerate(reports):
        for column, cell in enumerate(cells(report)):
            item = table.item(row, column)
            if item is None:
                item = QTableWidgetItem()
                if column >= FIRST_FIGURE:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                table.setItem(row, column, item)
            item.setText(cell.text)
            item.setForeground(QColor(theme.now.vermillion if cell.wrong else theme.now.text))


if __name__ == "__main__":
    from bci_live.live.snapshot import LiveSnapshot
    from bci_live.window.example import ExampleSource, show_alone

    def _example(_: LiveSnapshot) -> StreamsPage:
        source = ExampleSource()
        page = StreamsPage(source)
        page.show_streams(source.streams(), StreamChoice(stream="Muse", markers="stimuli"))
        return page

    raise SystemExit(show_alone(_example))
