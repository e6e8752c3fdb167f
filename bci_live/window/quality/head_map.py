"""A head seen from above with a traffic light for each electrode; why it is not green, the pointer or the arrows tell."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from bci_live.signal.electrodes import Electrode, Light
from bci_live.signal.positions import position
from bci_live.window import theme

_MARGIN = 1.22  # heads with ears, and the names of electrodes at the edge
# More than a few have smaller lights and names, many no names.
_FEW, _MOST_NAMED, _SMALL_PX = 20, 40, 10
_NEAR_PX = 22
_INTO = (0.5, 0.8)  # of a light's size, how far a name at its corner reaches beside it


class HeadMap(QWidget):
    """Electrodes whose place is not known stand in a row below. Lights differ in shape, too: ●, ▲, ■; ✗ what the user marked bad.

    `chosen`: the electrode that was clicked, or gone to by the arrows; `picked` when it is another one.
    """

    picked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.electrodes: tuple[Electrode, ...] = ()
        self.known = True
        self.marked: frozenset[str] = frozenset()
        self.chosen = ""
        self.setToolTip("Hover, click, or go by Tab and the arrows: what each electrode has")
        self.setAccessibleName("Electrodes on the head; arrows go from one to the next")
        theme.leave_keys(self)
        self.setMinimumSize(180, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(200, 200)  # more where there is room; what is said below it is worth more than size

    def show_electrodes(self, electrodes: Sequence[Electrode]) -> None:
        """The lights as they are now."""
        if tuple(electrodes) != self.electrodes:
            self.electrodes = tuple(electrodes)
            self.update()

    def show_known(self, known: bool) -> None:
        """Whether the lights are of now; those of before are grey."""
        if known != self.known:
            self.known = known
            self.update()

    def show_marked(self, marked: frozenset[str]) -> None:
        """Those that the user marked bad."""
        if marked != self.marked:
            self.marked = marked
            self.update()

    def places(self) -> list[QPointF]:
        """Where each electrode is drawn, pixels."""
        strange = [it for it in self.electrodes if position(it.name) is None]
        centre, radius = self._head()
        places = []
        for it in self.electrodes:
            place = position(it.name)
            if place is not None:
                places.append(QPointF(centre.x() + place[0] * radius, centre.y() - place[1] * radius))
            else:
                number, columns = strange.index(it), max(1, min(len(strange), 16))
                x = self.width() * (number % columns + 0.5) / columns
                places.append(QPointF(x, self.height() - 20 - 26 * (number // columns)))
        return places

    def describe(self, at: QPointF) -> str:
        """What is to be said of the electrode near `at`; empty where there is none."""
        it = self._near(at)
        return "" if it is None else self._told(it)

    def told_of_chosen(self) -> str:
        """What is to be said of the chosen electrode; empty where there is none."""
        return next((self._told(it) for it in self.electrodes if it.name == self.chosen), "")

    def choose(self, name: str) -> None:
        """Tell of this electrode; empty: of none."""
        if name != self.chosen:
            self.chosen = name
            self.update()
            self.picked.emit()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Arrows go from electrode to electrode, in the order of the channels."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
        if event is None or event.key() not in steps or not self.electrodes:
            super().keyPressEvent(event)
            return
        names = [it.name for it in self.electrodes]
        place = names.index(self.chosen) + steps[Qt.Key(event.key())] if self.chosen in names else 0
        self.choose(names[place % len(names)])

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        it = self._near(event.position()) if event is not None else None
        self.choose("" if it is None else it.name)

    def _near(self, at: QPointF) -> Electrode | None:
        away = [((place - at).manhattanLength(), it) for it, place in zip(self.electrodes, self.places(), strict=True)]
        distance, it = min(away, key=lambda entry: entry[0], default=(float("inf"), None))
        return it if distance < _NEAR_PX else None

    def _told(self, it: Electrode) -> str:
        return describe(it, it.name in self.marked) if self.known else f"{it.name}: not known now"

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.describe(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        centre, radius = self._head()
        painter.setPen(QPen(QColor(theme.now.muted), 1.5))
        painter.drawEllipse(centre, radius, radius)
        nose = [QPointF(-0.1, -0.99), QPointF(0, -1.12), QPointF(0.1, -0.99)]
        painter.drawPolyline(QPolygonF([centre + point * radius for point in nose]))
        for side in (-1, 1):
            painter.drawEllipse(centre + QPointF(side * 1.04, 0) * radius, radius * 0.04, radius * 0.13)
        places, size = self.places(), self._size()
        for it, place in zip(self.electrodes, places, strict=True):
            if it.name in self.marked:
                _paint_mark(painter, place, size)
            else:
                paint_light(painter, place, size, it.light, self.known)
            if it.name == self.chosen:
                painter.setPen(QPen(QColor(theme.now.sky), 2))
                painter.drawEllipse(place, size + 4, size + 4)
        if self.hasFocus():
            theme.paint_focus(painter, self)
        painter.setFont(self._label_font())
        painter.setPen(QColor(theme.now.text))
        for it, room in zip(self.electrodes, self.label_rooms(), strict=True):
            if room is not None:
                painter.drawText(room, Qt.AlignmentFlag.AlignCenter, it.name)

    def label_rooms(self) -> list[QRectF | None]:
        """Where each name is written: below its light, or beside or above it where another light or name is in the way.

        None where there is no room for it; the pointer tells.
        """
        if len(self.electrodes) > _MOST_NAMED:
            return [None] * len(self.electrodes)
        metrics, size, places = QFontMetricsF(self._label_font()), self._size(), self.places()
        centre, _ = self._head()
        strange = sum(position(it.name) is None for it in self.electrodes)
        taken = [QRectF(place.x() - size, place.y() - size, 2 * size, 2 * size) for place in places]
        rooms: list[QRectF | None] = []
        for it, place in zip(self.electrodes, places, strict=True):
            room = None
            if position(it.name) is not None or strange * 30 < self.width():
                text = QSizeF(metrics.horizontalAdvance(it.name), metrics.ascent())
                room = _free_room(place, size, text, taken, 1 if place.x() >= centre.x() else -1)
            taken += [room] if room is not None else []
            rooms.append(room)
        return rooms

    def _size(self) -> float:
        _, radius = self._head()
        return max(3.5, min(8.0, radius / (11 if len(self.electrodes) <= _FEW else 18)))

    def _label_font(self) -> QFont:
        font = QFont(self.font())
        if len(self.electrodes) > _FEW:
            font.setPixelSize(_SMALL_PX)
        return font

    def _head(self) -> tuple[QPointF, float]:
        strange = sum(position(it.name) is None for it in self.electrodes)
        room = self.height() - (26 * ((strange + 15) // 16) if strange else 0)
        radius = max(min(self.width(), room) / 2 / _MARGIN, 10)
        return QPointF(self.width() / 2, room / 2 + radius * 0.04), radius


def _free_room(place: QPointF, size: float, text: QSizeF, taken: Sequence[QRectF], side: int) -> QRectF | None:
    """Below, beside, above, or at a corner, outwards first (`side`: 1 on the right): the first that nothing is in."""
    width, height = text.width(), text.height()
    left, right = place.x() - size - 1 - width, place.x() + size + 1
    beside = (right, left) if side > 0 else (left, right)
    below, above = place.y() + size + 1, place.y() - size - 1 - height
    middle = QPointF(place.x() - width / 2, place.y() - height / 2)
    corners = (
        QPointF(middle.x(), below),
        *(QPointF(x, middle.y()) for x in beside),
        QPointF(middle.x(), above),
        *(QPointF(x, y) for into in _INTO for y in (below - into * size, above + into * size) for x in beside),
    )
    rooms = [QRectF(corner, text) for corner in corners]
    return next((room for room in rooms if not any(room.intersects(it) for it in taken)), None)


def paint_light(painter: QPainter, place: QPointF, size: float, light: Light, known: bool = True) -> None:
    """● green, ▲ yellow, ■ red; grey where it is `known` of before alone."""
    colour = (theme.now.green, theme.now.orange, theme.now.vermillion)[light] if known else theme.now.muted
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    if light == Light.GREEN:
        painter.drawEllipse(place, size, size)
    elif light == Light.YELLOW:
        corners = [QPointF(0, -1.2), QPointF(1.15, 0.9), QPointF(-1.15, 0.9)]
        painter.drawPolygon(QPolygonF([place + corner * size for corner in corners]))
    else:
        painter.drawRect(QRectF(place.x() - size, place.y() - size, 2 * size, 2 * size))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_mark(painter: QPainter, place: QPointF, size: float) -> None:
    """✗, as before the channel's name in the signal."""
    painter.setPen(QPen(QColor(theme.now.vermillion), 2.5))
    for side in (-1, 1):
        painter.drawLine(place + QPointF(-size, side * size), place + QPointF(size, -side * size))


def describe(it: Electrode, marked: bool = False) -> str:
    """'Oz: line noise …' in one line. `marked`: bad, by the user."""
    return f"{it.name}: {'marked bad; ' * marked}{'; '.join(it.why) or 'sound'}"
