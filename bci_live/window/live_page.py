"""The page of a running session: all its panels on a desk, filled from its snapshots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from bci_live.live.averages import Averages
from bci_live.live.machine import Machine
from bci_live.live.sliding import is_sliding
from bci_live.live.snapshot import LiveSnapshot, ReplayStatus
from bci_live.types import Decoding, Guess, Marker
from bci_live.window import theme
from bci_live.window.controls_panel import ControlsPanel
from bci_live.window.desk import Desk, Rows
from bci_live.window.details_panel import DetailsPanel
from bci_live.window.filmstrip import Filmstrip
from bci_live.window.picture_row import PictureRow
from bci_live.window.plots.accuracy_panel import AccuracyPanel
from bci_live.window.plots.response_panel import ResponsePanel
from bci_live.window.plots.spectrum_panel import SpectrumPanel
from bci_live.window.quality.panel import QualityPanel
from bci_live.window.scores_panel import ScoresPanel
from bci_live.window.signal.canvas import EpochSpan
from bci_live.window.signal.view import SignalView
from bci_live.window.source import SessionSource
from bci_live.window.status_panel import StatusPanel, reason_text
from bci_live.window.transport_bar import TransportBar
from bci_live.window.truth import Truths

_TRUTH_PIXELS = 256
# Rows of docks with their share of the height; those in one row are tabs.
_BELOW: Rows = ((("pictures", "response", "accuracy", "spectrum"), 0.4), (("filmstrip",), 0.16))
_BESIDE: Rows = ((("scores",), 0.3), (("session", "quality", "details", "controls"), 0.7))
# What a low window shows a part of, to be scrolled; the pictures and the scores are seen whole in any.
_HIGH = ("session", "quality", "details", "controls", "response", "accuracy", "spectrum")
_SIDE_WIDTH = 348
# A replay tells its place ten times a second; what goes back by less is no seek.
_BACK_S = 1.0


class LivePage(QWidget):
    """`show_snapshot` ten times a second, `poll_signal` at every frame. `folder`: where pictures are saved.

    `wanted_layout`: how the panels lay the last time, to be set before it is shown; `arranged`: whether they lie.
    """

    def __init__(self, source: SessionSource, folder: Callable[[], Path], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._truths = Truths(_TRUTH_PIXELS)
        self._read: Guess | Decoding | None = None
        self._averages = Averages()
        self._markers: tuple[Marker, ...] = ()
        self._replayed_s = 0.0
        self._began = 0.0
        self._machine = Machine()
        self.arranged = False
        self.wanted_layout = b""
        self.signal = SignalView()
        self.pictures = PictureRow(self._truths)
        self.scores = ScoresPanel()
        self.status = StatusPanel()
        self.quality = QualityPanel()
        self.filmstrip = Filmstrip()
        self.details = DetailsPanel(folder, self._truths.of)
        self.response, self.accuracy, self.spectrum = ResponsePanel(folder), AccuracyPanel(), SpectrumPanel()
        self.controls = ControlsPanel(source)
        self.controls.stepwise.connect(self.pictures.show_steps)
        self.transport = TransportBar(source)
        self.filmstrip.strip.picked.connect(self._pin)
        self.desk = Desk(self.signal)
        for name, title, panel in (
            ("pictures", "Pictures", self.pictures),
            ("filmstrip", "Filmstrip", self.filmstrip),
            ("scores", "Scores", self.scores),
            ("session", "Session", self.status),
            ("quality", "Electrodes", self.quality),
            ("details", "Picture", self.details),
            ("controls", "Controls", self.controls),
            ("response", "Response", self.response),
            ("accuracy", "Accuracy", self.accuracy),
            ("spectrum", "Spectrum", self.spectrum),
        ):
            self.desk.add(name, title, panel, scrolls=name in _HIGH)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addWidget(self.desk, 1)
        column.addWidget(self.transport)

    @property
    def saving(self) -> bool:
        """Whether something is still being written that would be lost."""
        return self.details.saving or self.response.saving

    def arrange(self) -> None:
        """The panels as they lie at first."""
        self.desk.arrange(_BELOW, _BESIDE)
        self.desk.resizeDocks([self.desk.docks["scores"]], [_SIDE_WIDTH], Qt.Orientation.Horizontal)

    def showEvent(self, event: QShowEvent | None) -> None:
        """How high the rows are is a matter of the desk's height, which is known only now."""
        super().showEvent(event)
        if not self.arranged:
            self.arranged = True
            self.arrange()
            if self.wanted_layout:
                self.desk.restore_layout(self.wanted_layout)

    def poll_signal(self) -> None:
        """Scroll the signal on."""
        self.signal.poll(self._source)

    def show_snapshot(self, snapshot: LiveSnapshot) -> None:
        """Bring everything but the signal up to date."""
        if snapshot.began != self._began:
            self._begin(snapshot)
        replay = self._source.replay()
        self.transport.show_replay(replay)
        self._average(snapshot, replay)
        self.status.show_status(snapshot, self._averages.accuracy, self.signal.bad)
        self.status.show_machine(self._machine.load())
        self.pictures.show_pictures(snapshot)
        self._show_scores(snapshot)
        self._show_events(snapshot)
        self.filmstrip.show_history(snapshot.history, snapshot.labels)
        self.controls.show_drawing()
        self.controls.show_models()
        self.details.show_history(snapshot, self.filmstrip.strip.pinned, self._source.models())
        if theme.is_seen(self.response):
            self.response.show_averages(self._averages, snapshot)
        if theme.is_seen(self.accuracy):
            self.accuracy.show_averages(self._averages, len(snapshot.labels))
        if snapshot.facts is not None:
            status = snapshot.status
            silent_s = (status.age_s or 0.0) if status is not None and status.stale else 0.0
            self.quality.poll(self._source, snapshot.facts, silent_s, self.signal.bad)
            self.spectrum.poll(self._source, snapshot.facts, silent_s)

    def _begin(self, snapshot: LiveSnapshot) -> None:
        """Another session, perhaps of another stream and decoder: nothing of it adds up with what was."""
        self._began, self._replayed_s, self._markers = snapshot.began, 0.0, ()
        self._averages.restart()
        self.signal.follow()
        self.signal.show_epoch(None)

    def _average(self, snapshot: LiveSnapshot, replay: ReplayStatus | None) -> None:
        """Where a replay goes back, by itself or by hand, its trials come again: counted twice, they would prove nothing."""
        self._averages.add(snapshot.history, snapshot.labels)
        self._averages.add_missed(snapshot.missed, snapshot.labels)
        at_s = 0.0 if replay is None else replay.at_s
        if at_s < self._replayed_s - _BACK_S:
            self._averages.restart(self._markers)
        # Of the snapshot before the jump: this one may have a marker from after it.
        self._replayed_s, self._markers = at_s, snapshot.markers

    def _pin(self, marker: Marker | None) -> None:
        """A picture is pinned: all that is known of it comes to the front."""
        if marker is not None:
            self.desk.raise_panel("details")

    def _show_scores(self, snapshot: LiveSnapshot) -> None:
        read = snapshot.guess or snapshot.decoding
        if read is self._read:
            return
        self._read = read
        if read is None:
            self.scores.clear()
            return
        label = read.epoch.marker.label
        truth = label if label in snapshot.labels else None
        if isinstance(read, Guess):
            self.scores.show_scores(read.scores, truth, until_s=read.until_s)
        else:
            self.scores.show_scores(read.scores, truth, read.abstained)

    def _show_events(self, snapshot: LiveSnapshot) -> None:
        """Markers with what became of them, and the epoch that the pictures come from."""
        if snapshot.facts is not None:
            self.signal.show_stream(snapshot.facts)
        reasons = {missed.marker: reason_text(missed.reason) for missed in snapshot.missed}
        # A window that slides has no label worth the room: its line alone is drawn.
        self.signal.show_markers(
            [(replace(it, label="") if is_sliding(it) else it, reasons.get(it)) for it in snapshot.markers]
        )
        if snapshot.decoding is not None:
            onset = snapshot.decoding.epoch.onset
            self.signal.show_epoch(EpochSpan(onset + snapshot.epoch.start_s, onset + snapshot.epoch.stop_s))
