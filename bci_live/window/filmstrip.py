"""The last reconstructions, each beside the picture that was shown, newest at the right."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QEvent, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QScrollBar, QSizePolicy, QToolTip, QWidget

from bci_live.types import Marker, Picture
from bci_live.window import theme
from bci_live.window.picture_panel import to_pixmap

PAIRS = 24
SIDE, _LEAST_SIDE = 62, 24
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
    """Draws `pairs` from where `bar` stands, by itself at the newest; older ones are scrolled to, or gone to by the arrows.

    `picked`: the marker of a pair that was clicked or gone to with the arrows, None when it was let go.
    """

    picked = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pairs: tuple[Pair, ...] = ()
        self.bar = QScrollBar(Qt.Orientation.Horizontal)
        self.bar.setRange(0, 0)  # Qt's own goes to 99
        self.bar.valueChanged.connect(self._move)
        self.pixmaps: dict[Marker, tuple[QPixmap, QPixmap | None]] = {}
        self.pinned: Marker | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMinimumHeight(_LEAST_SIDE + _WORDS)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Last pictures; arrows go from one to the next, Delete lets it go")

    def pin(self, marker: Marker | None) -> None:
        """Pick a pair, or none."""
        self.pinned = marker
        self.picked.emit(marker)
        self.update()

    @property
    def side(self) -> int:
        """Of a picture, pixels: smaller in a low window."""
        return max(_LEAST_SIDE, min(2 * SIDE, self.height() - _WORDS))

    @property
    def _room(self) -> int:
        """How many pairs fit."""
        return max(1, (self.width() + _GAP) // (2 * self.side + _BETWEEN + _GAP))

    def fitting(self) -> tuple[Pair, ...]:
        """The pairs that are drawn, oldest first; the pinned one stays among them, at the old end."""
        shown = self.pairs[self.bar.value() :][: self._room]
        left_out = tuple(pair for pair in self.pairs if pair.marker == self.pinned and pair not in shown)
        return (*left_out, *shown[len(left_out) :])

    def show_pairs(self, pairs: tuple[Pair, ...]) -> None:
        """Who looks at older ones goes on looking at them."""
        first, follows = self.fitting()[:1], self.bar.value() == self.bar.maximum()
        self.pairs = pairs
        self._measure()
        markers = [pair.marker for pair in pairs]
        if not follows:
            self.bar.setValue(markers.index(first[0].marker) if first and first[0].marker in markers else 0)
        self.update()

    def _measure(self) -> None:
        """How far there is to scroll; who was at the newest stays there."""
        follows = self.bar.value() == self.bar.maximum()
        self.bar.setRange(0, max(0, len(self.pairs) - self._room))
        self.bar.setPageStep(self._room)
        self.bar.setVisible(self.bar.maximum() > 0)
        if follows:
            self.bar.setValue(self.bar.maximum())

    def _move(self, _: int) -> None:
        self.update()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        self._measure()
        super().resizeEvent(event)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Up or left goes to the older ones."""
        if event is not None:
            turned = event.angleDelta().y() or event.angleDelta().x()
            self.bar.setValue(self.bar.value() - (turned > 0) + (turned < 0))
            event.accept()

    def pair_at(self, x: float) -> Pair | None:
        """The pair that is drawn there."""
        place, shown = int(x // (2 * self.side + _BETWEEN + _GAP)), self.fitting()
        return shown[place] if 0 <= place < len(shown) else None

    def event(self, event: QEvent | None) -> bool:
        """Hovered, a pair says in full what stands below it in short."""
        if isinstance(event, QHelpEvent):
            pair = self.pair_at(event.pos().x())
            QToolTip.showText(event.globalPos(), caption(pair) if pair else "", self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        pair = self.pair_at(event.position().x()) if event is not None else None
        if pair is not None:
            self.pin(None if pair.marker == self.pinned else pair.marker)
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Arrows go from pair to pair; Delete lets the pinned one go."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event is None or not self.pairs or event.key() not in (*steps, Qt.Key.Key_Delete):
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_Delete:
            self.pin(None)
        else:
            markers, last = [pair.marker for pair in self.pairs], len(self.pairs) - 1
            place = markers.index(self.pinned) + steps[Qt.Key(event.key())] if self.pinned in markers else last
            place = min(max(place, 0), last)
            self.bar.setValue(min(max(self.bar.value(), place - self._room + 1), place))
            self.pin(markers[place])

    def sizeHint(self) -> QSize:
        return QSize(4 * (2 * SIDE + _GAP), SIDE + _WORDS)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        pair_width = 2 * self.side + _BETWEEN
        if not self.pairs:
            painter.setPen(QColor(theme.now.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, "Finished pictures will stand here.")
        for place, pair in enumerate(self.fitting()):
            self._paint_pair(painter, place * (pair_width + _GAP), pair)
        if self.hasFocus():
            theme.paint_focus(painter, self)

    def _paint_pair(self, painter: QPainter, x: int, pair: Pair) -> None:
        reconstruction, truth = self.pixmaps[pair.marker]
        side = self.side
        squares = (QRectF(x, 0, side, side), QRectF(x + side + _BETWEEN, 0, side, side))
        painter.drawPixmap(squares[0], reconstruction, QRectF(reconstruction.rect()))
        if truth is not None:
            painter.drawPixmap(squares[1], truth, QRectF(truth.rect()))
        else:
            painter.fillRect(squares[1], QColor(theme.now.background))
            painter.setPen(QColor(theme.now.muted))
            painter.drawText(squares[1], Qt.AlignmentFlag.AlignCenter, "?")
        if pair.marker == self.pinned:
            painter.setPen(QPen(QColor(theme.now.sky), 3))
            painter.drawRect(QRectF(x + 1, 1, 2 * side + _BETWEEN - 2, side - 2))
        words = QRectF(x, side + 2, 2 * side + _BETWEEN, _WORDS - 2)
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
        super().__init__("", parent)
        self.strip = Strip()
        self.strip.picked.connect(self._say)
        self.body.setContentsMargins(theme.MARGIN, 6, theme.MARGIN, 2)
        self.body.setSpacing(3)
        self.body.addWidget(self.strip, 1)
        self.body.addWidget(self.strip.bar)
        # Its room is kept while all pairs fit: with it, they would be larger, and fit no more.
        policy = self.strip.bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.strip.bar.setSizePolicy(policy)
        self._say(None)

    def show_pairs(self, pairs: tuple[Pair, ...]) -> None:
        """Oldest first; a pinned one stays until it is let go. Pictures are turned into pixmaps once."""
        there = {pair.marker for pair in pairs}
        pairs = (*(it for it in self.strip.pairs if it.marker == self.strip.pinned and it.marker not in there), *pairs)
        if [pair.marker for pair in pairs] == [pair.marker for pair in self.strip.pairs]:
            return
        known = self.strip.pixmaps
        self.strip.pixmaps = {
            pair.marker: known.get(pair.marker)
            or (to_pixmap(pair.reconstruction), to_pixmap(pair.truth) if pair.truth is not None else None)
            for pair in pairs
        }
        self.strip.show_pairs(pairs)

    def _say(self, pinned: Marker | None) -> None:
        what = (
            "click one to pin it"
            if pinned is None
            else "the framed one is pinned: click it, or press Delete, to let it go"
        )
        self.heading.setText(f"Last pictures: reconstruction beside what was shown; {what}")


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
