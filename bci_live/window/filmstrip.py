"""The last reconstructions, each beside the picture that was shown, newest at the right."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QSizePolicy, QWidget

from bci_live.types import Marker, Picture
from bci_live.window import theme
from bci_live.window.picture_panel import to_pixmap

PAIRS = 8
SIDE = 62
_BETWEEN = 3
_GAP = 18
_WORDS = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """A reconstruction beside the truth. `right`: None where it is not known what was shown."""

    marker: Marker
    reconstruction: Picture
    truth: Picture | None
    top: str
    right: bool | None


class Strip(QWidget):
    """Draws `pairs`; what does not fit into the width is left out at the old end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pairs: tuple[Pair, ...] = ()
        self.pixmaps: dict[Marker, tuple[QPixmap, QPixmap | None]] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(4 * (2 * SIDE + _GAP), SIDE + _WORDS)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        pair_width = 2 * SIDE + _BETWEEN
        fitting = max(1, (self.width() + _GAP) // (pair_width + _GAP))
        if not self.pairs:
            painter.setPen(QColor(theme.now.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, "Finished pictures will stand here.")
        for place, pair in enumerate(self.pairs[-fitting:]):
            self._paint_pair(painter, place * (pair_width + _GAP), pair)

    def _paint_pair(self, painter: QPainter, x: int, pair: Pair) -> None:
        reconstruction, truth = self.pixmaps[pair.marker]
        squares = (QRectF(x, 0, SIDE, SIDE), QRectF(x + SIDE + _BETWEEN, 0, SIDE, SIDE))
        painter.drawPixmap(squares[0], reconstruction, QRectF(reconstruction.rect()))
        if truth is not None:
            painter.drawPixmap(squares[1], truth, QRectF(truth.rect()))
        else:
            painter.fillRect(squares[1], QColor(theme.now.background))
            painter.setPen(QColor(theme.now.muted))
            painter.drawText(squares[1], Qt.AlignmentFlag.AlignCenter, "?")
        words = QRectF(x, SIDE + 2, 2 * SIDE + _BETWEEN, _WORDS - 2)
        colour = theme.now.muted if pair.right is None else theme.now.green if pair.right else theme.now.orange
        painter.setPen(QColor(colour))
        text = painter.fontMetrics().elidedText(caption(pair), Qt.TextElideMode.ElideRight, int(words.width()))
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, text)


def caption(pair: Pair) -> str:
    """'✓ dog', '✗ cat (dog)' for a dog read as a cat, or the top label alone where the truth is not known."""
    if pair.right is None:
        return pair.top
    return f"✓ {pair.top}" if pair.right else f"✗ {pair.top} ({pair.marker.label})"


class Filmstrip(theme.Panel):
    """The strip with its heading."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Last pictures: reconstruction beside what was shown", parent)
        self.strip = Strip()
        self.body.addWidget(self.strip)

    def show_pairs(self, pairs: tuple[Pair, ...]) -> None:
        """Oldest first; pictures are turned into pixmaps once."""
        if [pair.marker for pair in pairs] == [pair.marker for pair in self.strip.pairs]:
            return
        known = self.strip.pixmaps
        self.strip.pixmaps = {
            pair.marker: known.get(pair.marker)
            or (to_pixmap(pair.reconstruction), to_pixmap(pair.truth) if pair.truth is not None else None)
            for pair in pairs
        }
        self.strip.pairs = pairs
        self.strip.update()


if __name__ == "__main__":
    from bci_live.live.snapshot import LiveSnapshot
    from bci_live.window.example import example_stimulus, show_alone

    def _example(snapshot: LiveSnapshot) -> Filmstrip:
        filmstrip = Filmstrip()
        for entry in snapshot.history:
            marker = entry.decoding.epoch.marker
            pair = Pair(marker, entry.image, example_stimulus(marker.label), entry.decoding.top, None)
            filmstrip.show_pairs((*filmstrip.strip.pairs, pair))
        return filmstrip

    raise SystemExit(show_alone(_example))
