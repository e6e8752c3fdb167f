"""All channels of the last seconds, scrolling, with the markers and the epoch that the picture comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QResizeEvent
from PyQt6.QtWidgets import QWidget

from bci_live.types import Chunk, Marker
from bci_live.window import theme
from bci_live.window.traces import Traces, joined, make_traces, row_height, stack

SECONDS = 10.0
_RIGHT_MARGIN_S = 0.8  # of the time axis, for the scale bar
_NAME_PIXELS = 14  # height of a channel's name: with less room, every second or third is named
_MARKER_PIXELS = 18  # height of a marker's label
_BAR_PIXELS = 26  # the scale bar spans at least so much


@dataclass(frozen=True, slots=True)
class EpochSpan:
    """The stretch of signal that the picture on display was read from, s of the signal's clock."""

    start: float
    stop: float


class MarkerLine(pg.InfiniteLine):
    """A labelled vertical line; one that got no picture is dotted and says why."""

    def __init__(self) -> None:
        super().__init__(
            angle=90,
            movable=False,
            label="",
            labelOpts={"position": 1.0, "anchors": [(0, 0), (0, 0)], "fill": theme.PANEL},
        )
        self.label.setColor(QColor(theme.ORANGE))
        self.text: str | None = None
        self._missed = False

    def show_marker(self, text: str, missed: bool) -> None:
        if (text, missed) == (self.text, self._missed):
            return
        self.text, self._missed = text, missed
        # The label is a format string to pyqtgraph, and the text comes from the network.
        self.label.setFormat(text.replace("{", "{{").replace("}", "}}"))
        style = Qt.PenStyle.DotLine if missed else Qt.PenStyle.SolidLine
        self.setPen(pg.mkPen(theme.MUTED if missed else theme.ORANGE, width=1, style=style))
        self.label.setColor(QColor(theme.MUTED if missed else theme.ORANGE))


class SignalView(theme.Panel):
    """The signal panel. It has no clock: 0 s is the newest sample, so a stream that stops stands still."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("EEG, the last 10 s (0 s: the newest sample)", parent)
        self.plot = pg.PlotWidget(background=theme.PANEL)
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.hideButtons()
        self.plot.setXRange(-SECONDS, _RIGHT_MARGIN_S, padding=0)
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(theme.LINE)
            axis.setTextPen(theme.MUTED)
        self.body.addWidget(self.plot, 1)
        self.channels: tuple[str, ...] = ()
        # A curve for each colour holds every such row: a curve for each channel takes twice as long to draw.
        # Wider pens than 1 are drawn ten times slower.
        self.curves = [pg.PlotCurveItem(pen=pg.mkPen(colour, width=1)) for colour in theme.TRACES]
        for curve in self.curves:
            self.plot.addItem(curve)
        self._resized = False
        self.lines: list[MarkerLine] = []
        self.traces: Traces | None = None
        self.height_uv: float | None = None
        self.span: EpochSpan | None = None
        self._markers: tuple[tuple[Marker, str, bool], ...] = ()
        self.shade = pg.LinearRegionItem(
            movable=False, brush=pg.mkBrush(86, 180, 233, 46), pen=pg.mkPen(86, 180, 233, 120), span=(0, 1)
        )
        self.shade.setZValue(-10)
        self.shade.hide()
        self.plot.addItem(self.shade)
        self.bar = pg.PlotCurveItem(pen=pg.mkPen(theme.TEXT, width=2))
        self.bar_text = pg.TextItem(color=theme.TEXT, anchor=(0.5, 0))
        self.plot.addItem(self.bar)
        self.plot.addItem(self.bar_text)

    def show_channels(self, channels: Sequence[str]) -> None:
        """A row for each channel, the first on top."""
        if tuple(channels) == self.channels:
            return
        self.channels, self.height_uv, self.traces = tuple(channels), None, None
        self._lay_out_rows()

    def show_signal(self, chunk: Chunk) -> None:
        """Draw the chunk's last `SECONDS`; its channels are the rows'."""
        if chunk.samples.shape[1] != len(self.channels) or len(chunk.times) == 0:
            return
        if self.traces is not None and self.traces.newest == chunk.times[-1] and not self._resized:
            return
        self._resized = False
        self.traces = make_traces(chunk, SECONDS, int(self.plot.getViewBox().width()))
        self.height_uv = row_height(self.traces.values, self.height_uv)
        rows = stack(self.traces.values, self.height_uv)
        for first, curve in enumerate(self.curves):
            x, y = joined(self.traces.seconds, rows[first :: len(self.curves)])
            curve.setData(x, y, connect="finite")
        self._show_scale()
        self._place()

    def show_markers(self, markers: Sequence[tuple[Marker, str | None]]) -> None:
        """Markers with the reason why each was missed, or None."""
        self._markers = tuple(
            (marker, marker.label + (f" ({reason})" if reason else ""), reason is not None)
            for marker, reason in sorted(markers, key=lambda entry: entry[0].time)
        )
        self._place()

    def show_epoch(self, span: EpochSpan | None) -> None:
        """Shade the stretch that the picture on display was read from."""
        self.span = span
        self._place()

    def visible_markers(self) -> list[str]:
        """The texts of the lines on display, oldest first."""
        return [line.text or "" for line in self.lines if line.isVisible()]

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._resized = True
        self._lay_out_rows()

    def _place(self) -> None:
        """Put markers and shade where the newest sample says they are now."""
        if self.traces is None:
            return
        newest = self.traces.newest
        shown = [entry for entry in self._markers if -SECONDS <= entry[0].time - newest <= _RIGHT_MARGIN_S]
        while len(self.lines) < len(shown):
            self.lines.append(MarkerLine())
            self.plot.addItem(self.lines[-1])
        ends = [marker.time for marker, _, _ in shown[1:]] + [newest + _RIGHT_MARGIN_S]
        for line, end, (marker, text, missed) in zip(self.lines, ends, shown, strict=False):
            line.show()  # first: a hidden line's label takes no text
            line.show_marker(self._fitting(text, end - marker.time), missed)
            line.setPos(marker.time - newest)
        for line in self.lines[len(shown) :]:
            line.hide()
        self.shade.setVisible(self.span is not None and bool(self.span.stop - newest > -SECONDS))
        if self.span is not None:
            self.shade.setRegion((self.span.start - newest, self.span.stop - newest))

    def _fitting(self, text: str, seconds: float) -> str:
        """As much of a label as fits before the next marker."""
        pixels = seconds * self.plot.getViewBox().width() / (SECONDS + _RIGHT_MARGIN_S)
        fitting = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(pixels) - 6)
        return fitting if len(fitting) >= min(len(text), 3) else ""

    def _lay_out_rows(self) -> None:
        """Room above the first row for the markers' labels, and channel names at the left, as many as fit."""
        room = max(self.plot.getViewBox().height() - _MARKER_PIXELS, 1)
        above = 0.7 + (len(self.channels) + 0.4) * _MARKER_PIXELS / room
        self.plot.setYRange(-len(self.channels) + 0.3, above, padding=0)
        every = max(1, math.ceil(len(self.channels) * _NAME_PIXELS / room))
        names = [(-index, name) for index, name in enumerate(self.channels) if index % every == 0]
        self.plot.getAxis("left").setTicks([names])

    def _show_scale(self) -> None:
        """A bar as long as so many µV, at the right, outside the signal."""
        assert self.height_uv is not None
        pixels_a_row = max(self.plot.getViewBox().height(), 1) / (len(self.channels) + 1.2)
        rows = next((n for n in (1, 2, 5, 10, 20, 50) if n * pixels_a_row >= _BAR_PIXELS), 100)
        middle = -(len(self.channels) - 1) / 2
        x = _RIGHT_MARGIN_S / 2
        self.bar.setData([x, x], [middle - rows / 2, middle + rows / 2])
        self.bar_text.setText(f"{rows * self.height_uv:g} µV")
        self.bar_text.setPos(x, middle - rows / 2)


if __name__ == "__main__":
    from bci_live.live.snapshot import LiveSnapshot
    from bci_live.window.example import example_chunk, show_alone

    def _example(snapshot: LiveSnapshot) -> SignalView:
        view = SignalView()
        view.show_channels([f"E{index + 1}" for index in range(32)])
        view.show_markers([(marker, None) for marker in snapshot.markers])
        view.show_signal(example_chunk(gap_s=0.5))
        return view

    raise SystemExit(show_alone(_example))
