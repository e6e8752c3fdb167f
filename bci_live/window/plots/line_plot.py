"""A small plot of lines with axes in round numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from bci_live.window import theme

_LEFT, _BOTTOM, _TOP, _RIGHT = 46, 34, 8, 10
_SAMPLE = 26  # of a line, before its name in the legend
_TICKS = 5
# A figure beside the axis takes so many pixels of its height.
_TICK_HIGH = 18.0
Values = NDArray[np.floating] | NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Line:
    """`x`, `y`: (n,). `name`: in the legend; empty for none. `dashed`: told apart without colour."""

    x: Values
    y: Values
    colour: str
    name: str = ""
    dashed: bool = False
    width: float = 1.5


@dataclass(frozen=True, slots=True)
class Band:
    """A shaded stretch between `low` and `high`: (n,) each."""

    x: Values
    low: Values
    high: Values
    colour: str


@dataclass(frozen=True, slots=True)
class Graph:
    """What is drawn. `limits`: (low, high) of y where they are given; `marks`: x of vertical lines."""

    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()
    x_title: str = ""
    y_title: str = ""
    limits: tuple[float, float] | None = None
    marks: tuple[float, ...] = field(default=())


class LinePlot(QWidget):
    """Draws a `Graph`; a line of text while there is none."""

    def __init__(self, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.placeholder = placeholder
        self.graph = Graph()
        self.setMinimumSize(160, 56)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(300, 160)

    def show_graph(self, graph: Graph) -> None:
        """Draw this one."""
        self.graph = graph
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lines = [line for line in self.graph.lines if len(line.x) > 1]
        if not lines:
            painter.setPen(QColor(theme.now.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.placeholder)
            return
        plot, legend = self.rooms()
        scale = _Scale(plot, *_span([line.x for line in lines]), *(self.graph.limits or _span([it.y for it in lines])))
        self._paint_axes(painter, plot, scale)
        painter.setClipRect(plot)
        for band in self.graph.bands:
            colour = QColor(band.colour)
            colour.setAlpha(50)
            painter.setBrush(colour)
            painter.setPen(Qt.PenStyle.NoPen)
            outline = [*scale.points(band.x, band.low), *reversed(scale.points(band.x, band.high))]
            painter.drawPolygon(QPolygonF(outline))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for line in lines:
            style = Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(QColor(line.colour), line.width, style))
            painter.drawPolyline(QPolygonF(scale.points(line.x, line.y)))
        painter.setClipRect(legend)
        self._paint_legend(painter, legend, [line for line in lines if line.name])

    def rooms(self) -> tuple[QRectF, QRectF]:
        """Where the curves are, and the legend beside them: over them it would hide what it names."""
        names = [self.fontMetrics().horizontalAdvance(line.name) for line in self.graph.lines if line.name]
        width = min(max(names) + _SAMPLE, self.width() / 3) if names else 0.0
        high = self.height() - _TOP - _BOTTOM
        plot = QRectF(_LEFT, _TOP, self.width() - _LEFT - _RIGHT - width, high)
        return plot, QRectF(plot.right() + _RIGHT / 2, _TOP, width, high)

    def _paint_axes(self, painter: QPainter, plot: QRectF, scale: _Scale) -> None:
        middle, right = Qt.AlignmentFlag.AlignCenter, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value in ticks(scale.y0, scale.y1, min(_TICKS, max(1, int(plot.height() / _TICK_HIGH) - 1))):
            y = scale.point(scale.x0, value).y()
            painter.setPen(QColor(theme.now.line))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(QColor(theme.now.muted))
            painter.drawText(QRectF(0, y - 8, _LEFT - 5, 16), right, f"{value:.4g}")
        for value in ticks(scale.x0, scale.x1):
            x = scale.point(value, scale.y0).x()
            painter.drawText(QRectF(x - 30, plot.bottom() + 1, 60, 15), middle, f"{value:.4g}")
        painter.drawText(QRectF(plot.left(), plot.bottom() + 15, plot.width(), 16), middle, self._titles())
        painter.setPen(QPen(QColor(theme.now.orange), 1))
        for value in self.graph.marks:
            x = scale.point(value, scale.y0).x()
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))

    def _titles(self) -> str:
        return f"{self.graph.x_title}   ↑ {self.graph.y_title}" if self.graph.y_title else self.graph.x_title

    def _paint_legend(self, painter: QPainter, room: QRectF, lines: Sequence[Line]) -> None:
        for row, line in enumerate(lines):
            y = room.top() + 8 + 15 * row
            style = Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(QColor(line.colour), 2, style))
            painter.drawLine(QPointF(room.left(), y), QPointF(room.left() + _SAMPLE - 6, y))
            painter.setPen(QColor(theme.now.text))
            where = QRectF(room.left() + _SAMPLE, y - 8, room.width() - _SAMPLE, 16)
            name = painter.fontMetrics().elidedText(line.name, Qt.TextElideMode.ElideRight, int(where.width()) + 1)
            painter.drawText(where, Qt.AlignmentFlag.AlignVCenter, name)


class _Scale:
    """From values to pixels."""

    def __init__(self, plot: QRectF, x0: float, x1: float, y0: float, y1: float) -> None:
        self.plot, self.x0, self.x1, self.y0, self.y1 = plot, x0, x1, y0, y1

    def point(self, x: float, y: float) -> QPointF:
        plot = self.plot
        across = (x - self.x0) / (self.x1 - self.x0) * plot.width()
        return QPointF(plot.left() + across, plot.bottom() - (y - self.y0) / (self.y1 - self.y0) * plot.height())

    def points(self, x: Values, y: Values) -> list[QPointF]:
        return [self.point(float(a), float(b)) for a, b in zip(x, y, strict=True)]


def ticks(low: float, high: float, about: int = _TICKS) -> list[float]:
    """Round numbers from `low` to `high`, about so many."""
    step = 10.0 ** np.floor(np.log10((high - low) / about))
    step = next(factor * step for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= about + 1)
    return [float(round(count * step, 10)) for count in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _span(values: Sequence[Values]) -> tuple[float, float]:
    joined = np.concatenate(values)
    finite = joined[np.isfinite(joined)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
