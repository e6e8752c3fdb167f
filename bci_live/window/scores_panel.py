"""What the decoder thinks was shown: the most probable label, large, and the five best as bars."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from bci_live.window import theme

BARS = 5
ROW = 25
_LABEL_WIDTH = 118
_FIGURE_WIDTH = 52
_LEAST_WIDTH = 240  # with less, nothing is left of the bars


class ScoreBars(QWidget):
    """`rows`: (label, probability), best first. The bar of `truth` is filled green and ticked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[tuple[str, float], ...] = ()
        self.truth: str | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(300, BARS * ROW)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, (label, probability) in enumerate(self.rows):
            self._paint_row(painter, QRectF(0, index * ROW, self.width(), ROW), label, probability)

    def _paint_row(self, painter: QPainter, row: QRectF, label: str, probability: float) -> None:
        right = label == self.truth
        text = f"✓ {label}" if right else label
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(theme.now.text))
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, _LABEL_WIDTH - 8)
        painter.drawText(row.adjusted(0, 0, _LABEL_WIDTH - row.width(), 0), middle | Qt.AlignmentFlag.AlignLeft, elided)
        painter.drawText(row, middle | Qt.AlignmentFlag.AlignRight, f"{100 * probability:.0f} %")
        track = row.adjusted(_LABEL_WIDTH, 8, -_FIGURE_WIDTH, -8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.now.line))
        painter.drawRoundedRect(track, 4, 4)
        painter.setBrush(QColor(theme.now.green if right else theme.now.sky))
        track.setWidth(max(3.0, track.width() * min(max(probability, 0.0), 1.0)))
        painter.drawRoundedRect(track, 4, 4)


class ScoresPanel(theme.Panel):
    """The top label with its confidence, and the bars."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("What the EEG tells", parent)
        self.setMinimumWidth(_LEAST_WIDTH)
        self.top = theme.ShortLabel("large", "–")
        self.confidence = theme.ShortLabel("muted", "Nothing decoded yet")
        self.bars = ScoreBars()
        self.setToolTip(
            theme.wrapped(
                "The five most probable labels, with the decoder's calibrated probability; the confidence is that of the "
                "first. Green and ticked: what was shown."
            )
        )
        self.body.addWidget(self.top)
        self.body.addWidget(self.confidence)
        self.body.addWidget(self.bars)
        self.clear()

    def clear(self) -> None:
        """Nothing was decoded yet."""
        self.bars.rows = ()
        self.heading.setText("What the EEG tells")
        self.top.setText("–")
        self.confidence.setText("Nothing decoded yet")
        self.bars.update()

    def show_scores(
        self, scores: Mapping[str, float], truth: str | None, abstained: bool = False, until_s: float | None = None
    ) -> None:
        """`scores`: label → calibrated probability. `truth`: the label shown, if it is known. `abstained`: none is said.

        `until_s`: of a first guess, how much of the window it was read from, s after the onset.
        """
        rows = tuple(sorted(scores.items(), key=lambda row: -row[1])[:BARS])
        self.bars.rows, self.bars.truth = rows, truth
        label, probability = rows[0]
        self.top.setText("Not told" if abstained else label)
        told = f"Confidence {100 * probability:.0f} %"
        if abstained:
            told = f"Abstained: the best, {label}, has {100 * probability:.0f} %"
        elif truth is not None:
            told += ". Right." if label == truth else f". Shown was: {truth}"
        self.confidence.setText(told)
        what = "What the EEG tells" if until_s is None else f"First guess at {1000 * until_s:.0f} ms"
        self.heading.setText(f"{what}, of {len(scores)} labels")
        self.bars.update()


if __name__ == "__main__":
    from bci_live.live.snapshot import LiveSnapshot
    from bci_live.window.example import example_decoding, show_alone

    def _example(_: LiveSnapshot) -> ScoresPanel:
        panel = ScoresPanel()
        panel.show_scores(example_decoding("dog", 0.0).scores, "dog")
        return panel

    raise SystemExit(show_alone(_example))
