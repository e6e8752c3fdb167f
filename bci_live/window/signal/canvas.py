"""Draws the signal: traces, markers, the epoch's shade, and what stands around them. Only what is new is drawn anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QPointF, QRect, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from bci_live.types import FloatArray, Marker, TimeArray
from bci_live.window import theme
from bci_live.window.signal.channels import Channels
from bci_live.window.signal.columns import Changed, ColumnRing
from bci_live.window.signal.picture import EDGE, Rows, TracePicture
from bci_live.window.signal.rows import next_step
from bci_live.window.signal.surround import (
    BOTTOM,
    LEFT,
    OVER,
    RIGHT,
    TOP,
    paint_bars,
    paint_names,
    paint_seconds,
    seconds_below,
)

_BAR_PIXELS = 22  # a scale bar spans at least so much
_PEN = 0.02  # of the plot, what is blank before the pen of a sweep
_NOTCH = 120  # Qt's units
_SETTLE_S = 1.0  # how often it is looked whether rows still fit the signal


@dataclass(frozen=True, slots=True)
class EpochSpan:
    """The stretch of signal that the picture on display was read from, s of the signal's clock."""

    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class MarkerLine:
    """A marker on display: `x`, pixels; `text`, as much of it as fits; `missed`: it got no picture."""

    x: float
    text: str
    missed: bool


class SignalCanvas(QWidget):
    """It has no clock: the right edge is the newest sample, so a stream that stops stands still.

    `sweeping`: the signal stands and a pen goes over it, instead. `chosen`: the channel that the keys mark.
    `ago_s`: how far back, s, the newest sample on display lies in what is held; None where nothing is held.
    `clicked`: the name of a channel whose row's name was clicked. `resized`: what is on display must be given anew.
    `wheeled`: notches of the wheel, away from the user or to the left; with Ctrl `zoomed` (negative: larger).
    `painted`: a frame is drawn.
    """

    clicked = pyqtSignal(str)
    resized = pyqtSignal()
    wheeled = pyqtSignal(int)
    zoomed = pyqtSignal(int)
    painted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(LEFT + RIGHT + 120, TOP + BOTTOM + 20)
        self.channels: Channels | None = None
        self.seconds = 10.0
        self.sweeping = False
        self.chosen = ""
        self.ring: ColumnRing | None = None
        self.picture: TracePicture | None = None
        self.rows: Rows | None = None
        self.span: EpochSpan | None = None
        self.ago_s: float | None = None
        self._markers: tuple[tuple[Marker, str, bool], ...] = ()
        self._settled = -math.inf
        self._turned = 0

    @property
    def plot(self) -> QRectF:
        """Where the traces are, logical pixels."""
        return QRectF(LEFT, TOP, max(self.width() - LEFT - RIGHT, 1), max(self.height() - TOP - BOTTOM, 1))

    def show_channels(self, channels: Channels) -> None:
        """Begin anew with these."""
        self.channels = channels
        self.begin()

    def begin(self) -> None:
        """An empty ring as wide as the plot, in the screen's own pixels."""
        if self.channels is None:
            return
        ratio, plot = self.devicePixelRatioF(), self.plot
        width, height = round(plot.width() * ratio), round(plot.height() * ratio)
        self.ring = ColumnRing(len(self.channels.names), width, self.seconds)
        self.picture = TracePicture(width, height, max(1, round(ratio)))
        self.rows, self._settled = None, -math.inf
        self.update()

    def add(self, samples: FloatArray, times: TimeArray, breaks: tuple[int, ...]) -> None:
        """Append samples (n, channels) in the channels' units, and draw them."""
        if self.ring is None or self.channels is None or samples.shape[1] != len(self.channels.names) or not len(times):
            return
        if not np.isfinite(samples.sum()):
            samples = np.where(np.isfinite(samples), samples, np.float32(np.nan))  # a hole in this channel's line
        went_back = self.ring.newest is not None and bool(times[-1] < self.ring.newest)
        changed = self.ring.add(samples, times, breaks)
        newest = self.ring.newest or 0.0
        if went_back or self.rows is None or newest - self._settled > _SETTLE_S:
            self._settled = newest
            if self.channels.settle(self.ring) or self.rows is None or went_back:
                self.draw_all()
                return
        self._draw(changed)

    def draw_all(self) -> None:
        """Draw everything that is on display anew, with rows, colours and scales as they are now."""
        if self.ring is None or self.channels is None or self.ring.newest is None:
            return
        self.rows = self.channels.rows()
        self._draw(Changed(self.ring.last + 1 - self.ring.width, self.ring.last + 1))
        self.update()

    def show_markers(self, markers: Sequence[tuple[Marker, str | None]]) -> None:
        """Markers with the reason why each was missed, or None."""
        told = tuple(
            (marker, marker.label + (f" ({reason})" if reason else ""), reason is not None)
            for marker, reason in sorted(markers, key=lambda entry: entry[0].time)
        )
        if told != self._markers:
            self._markers = told
            self._update_plot()

    def show_epoch(self, span: EpochSpan | None) -> None:
        """Shade the stretch that the picture on display was read from."""
        if span != self.span:
            self.span = span
            self._update_plot()

    def x_of(self, time: float) -> float:
        """Where `time`, s of the signal's clock, lies, logical pixels."""
        assert self.ring is not None
        plot, ring = self.plot, self.ring
        before_end = ring.last + 1 - time / ring.column_s
        if self.sweeping and 0 <= before_end <= ring.width:
            before_end = ring.width - (time / ring.column_s) % ring.width
        return plot.right() - before_end * plot.width() / ring.width

    @property
    def _pen(self) -> float:
        """Where a sweep writes, as a share of the plot."""
        return (self.ring.last + 1) % self.ring.width / self.ring.width if self.ring is not None else 0.0

    @property
    def _row(self) -> float:
        """The height of a row, logical pixels."""
        count = len(self.rows.channels) if self.rows is not None else 1
        return self.plot.height() / (max(count, 1) + 2 * EDGE)

    def lines(self) -> list[MarkerLine]:
        """The markers on display, from the left."""
        if self.ring is None or self.ring.newest is None:
            return []
        plot = self.plot
        placed = [(self.x_of(marker.time), text, missed) for marker, text, missed in self._markers]
        shown = [entry for entry in placed if plot.left() <= entry[0] <= plot.right()]
        if self.sweeping:
            shown.sort(key=lambda entry: entry[0])
        ends = [x for x, _, _ in shown[1:]] + [plot.right() + OVER]
        return [
            MarkerLine(x, self._fitting(text, end - x), missed)
            for (x, text, missed), end in zip(shown, ends, strict=False)
        ]

    def bars(self) -> list[tuple[str, float, float]]:
        """Of each type of channel whose scale is known: its text, how many rows its bar spans, the bar's middle in rows from the top."""
        if self.rows is None or self.channels is None:
            return []
        types = [self.channels.types[index] for index in self.rows.channels]
        row = self._row
        told = []
        for type_ in dict.fromkeys(types):
            if type_ not in self.channels.heights:
                continue
            places = [index for index, it in enumerate(types) if it == type_]
            height = self.channels.heights[type_]
            value = next_step(max(_BAR_PIXELS / row, 0.5) * height)
            name = f"{type_.upper()} " if len(set(types)) > 1 else ""
            told.append(
                (f"{name}{value:g} {self.channels.units[type_]}".strip(), value / height, sum(places) / len(places))
            )
        return told

    def told_seconds(self) -> list[float]:
        """What is written below the plot, at every fifth of it from the left."""
        return seconds_below(self.seconds, self.ago_s, self._pen if self.sweeping else None)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.begin()
        self.resized.emit()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and self.rows is not None and self.channels is not None:
            place = math.floor((event.position().y() - TOP) / self._row - EDGE)
            if event.position().x() < LEFT and 0 <= place < len(self.rows.channels):
                self.clicked.emit(self.channels.names[self.rows.channels[place]])
        super().mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is None:
            return
        # Fine wheels and touchpads send parts of a notch.
        self._turned += max(event.angleDelta().x(), event.angleDelta().y(), key=abs)
        notches = int(self._turned / _NOTCH)
        self._turned -= notches * _NOTCH
        if notches and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoomed.emit(-notches)
        elif notches:
            self.wheeled.emit(notches)
        event.accept()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        dirty = event.rect() if event is not None else self.rect()
        painter.fillRect(dirty, QColor(theme.now.panel))
        plot = self.plot
        if self.ring is None or self.picture is None or self.ring.newest is None:
            return
        self.picture.paint(painter, plot, -1 if self.sweeping else self.ring.last)
        if self.sweeping:
            self._paint_pen(painter, plot)
        self._paint_epoch(painter, plot)
        for line in self.lines():
            self._paint_marker(painter, plot, line)
        around = dirty.left() < LEFT or dirty.bottom() > plot.bottom() + 1
        if around and self.rows is not None and self.channels is not None:
            paint_names(painter, plot, self._row, self.rows, self.channels, self.chosen)
            paint_bars(painter, plot, self._row, self.bars())
            paint_seconds(painter, plot, self.told_seconds())
        painter.end()
        self.painted.emit()

    def _draw(self, changed: Changed) -> None:
        if self.ring is None or self.picture is None or self.rows is None:
            return
        self.picture.draw(self.ring, changed, self.rows, theme.now.panel, theme.now.background)
        self._update_plot()

    def _update_plot(self) -> None:
        """What scrolls; names, bars and seconds stand still."""
        self.update(QRect(LEFT, 0, self.width() - LEFT - RIGHT + OVER, int(self.plot.bottom()) + 1))

    def _paint_epoch(self, painter: QPainter, plot: QRectF) -> None:
        if self.span is None or self.ring is None:
            return
        oldest, end = ((self.ring.last + 1 - back) * self.ring.column_s for back in (self.ring.width, 0))
        first, last = max(self.span.start, oldest), min(self.span.stop, end)
        if first >= last:
            return
        start, stop = self.x_of(first), self.x_of(last)
        # The stretch that a sweep broke at the right edge goes on at the left one.
        parts = [(start, stop)] if start <= stop else [(start, plot.right()), (plot.left(), stop)]
        shade = QColor(theme.now.sky)
        shade.setAlpha(46)
        for left, right in parts:
            painter.fillRect(QRectF(left, plot.top(), right - left, plot.height()), shade)

    def _paint_pen(self, painter: QPainter, plot: QRectF) -> None:
        """Where a sweep writes; what is a whole sweep old is blank before it."""
        x = plot.left() + self._pen * plot.width()
        painter.fillRect(
            QRectF(x, plot.top(), min(_PEN * plot.width(), plot.right() - x), plot.height()), QColor(theme.now.panel)
        )
        painter.setPen(QPen(QColor(theme.now.sky), 1))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))

    def _paint_marker(self, painter: QPainter, plot: QRectF, line: MarkerLine) -> None:
        """A labelled vertical line; one that got no picture is dotted and says why."""
        colour = QColor(theme.now.muted if line.missed else theme.now.orange)
        painter.setPen(QPen(colour, 1, Qt.PenStyle.DotLine if line.missed else Qt.PenStyle.SolidLine))
        painter.drawLine(QPointF(line.x, 2), QPointF(line.x, plot.bottom()))
        painter.drawText(QRectF(line.x + 4, 0, 400, TOP), Qt.AlignmentFlag.AlignVCenter, line.text)

    def _fitting(self, text: str, pixels: float) -> str:
        """As much of a label as fits before the next marker."""
        fitting = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(pixels) - 6)
        return fitting if len(fitting) >= min(len(text), 3) else ""
