"""The finished pictures that the session keeps, each beside the picture that was shown, newest at the right."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from operator import is_

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

from bci_live.types import Marker, Picture, Reconstruction
from bci_live.window import theme
from bci_live.window.picture_panel import to_pixmap
from bci_live.window.truth import Truths

# As large as a pair ever is: drawing one takes milliseconds, and who drags the bar passes many.
_TRUTH_PIXELS = 128
SIDE, _LEAST_SIDE = 62, 24
_BETWEEN = 3
_GAP = 18
_WORDS = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """A reconstruction, to be drawn beside what was shown. `right`: None where that is not known."""

    marker: Marker
    reconstruction: Picture
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
        # Of the pairs in sight alone: of two hundred large ones they would take as many megabytes.
        self.pixmaps: dict[Marker, tuple[QPixmap, QPixmap | None]] = {}
        self._truths = Truths(_TRUTH_PIXELS)
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
        # Not the first in sight, which may be the pinned one, from elsewhere.
        first, follows = self.pairs[self.bar.value() :][:1], self.bar.value() == self.bar.maximum()
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
        shown = self.fitting()
        self.pixmaps = {pair.marker: self.pixmaps.get(pair.marker) or self._to_pixmaps(pair) for pair in shown}
        for place, pair in enumerate(shown):
            self._paint_pair(painter, place * (pair_width + _GAP), pair)
        if self.hasFocus():
            theme.paint_focus(painter, self)

    def _to_pixmaps(self, pair: Pair) -> tuple[QPixmap, QPixmap | None]:
        truth = self._truths.of(pair.marker)
        return to_pixmap(pair.reconstruction), None if truth is None else to_pixmap(truth)

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


def _pair(reconstruction: Reconstruction, labels: Collection[str]) -> Pair:
    decoding = reconstruction.decoding
    marker = decoding.epoch.marker
    right = decoding.top == marker.label if marker.label in labels else None
    return Pair(marker, reconstruction.image, decoding.top, right)


class Filmstrip(theme.Panel):
    """The strip with its heading."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.strip = Strip()
        self._seen: tuple[object, ...] = ()
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

    def show_history(self, history: tuple[Reconstruction, ...], labels: Collection[str]) -> None:
        """Oldest first; a pinned one stays until it is let go. `labels`: those whose truth is known."""
        strip = self.strip
        seen = (*history, strip.pinned)
        # Asked ten times a second, of hundreds: pictures are compared by what they are, not by what is in them.
        if len(seen) == len(self._seen) and all(map(is_, seen, self._seen)):
            return
        self._seen = seen
        pairs = tuple(_pair(it, labels) for it in history)
        there = {pair.marker for pair in pairs}
        forgotten = (it for it in strip.pairs if it.marker == strip.pinned and it.marker not in there)
        strip.show_pairs((*forgotten, *pairs))

    def _say(self, pinned: Marker | None) -> None:
        what = (
            "click one to pin it"
            if pinned is None
            else "the framed one is pinned: click it, or press Delete, to let it go"
        )
        self.heading.setText(f"Last pictures: reconstruction beside what was shown; {what}")


if __name__ == "__main__":
    from bci_live.live.snapshot import LiveSnapshot
    from bci_live.window.example import show_alone

    def _example(snapshot: LiveSnapshot) -> Filmstrip:
        filmstrip = Filmstrip()
        filmstrip.show_history(snapshot.history, snapshot.labels)
        return filmstrip

    raise SystemExit(show_alone(_example))
