"""Voltages on a head seen from above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from bci_live.signal.positions import position
from bci_live.window import theme

_PIXELS = 48
_FEWEST = 4
# Blue through grey to orange, which people with any colour vision can tell apart.
_NEGATIVE, _ZERO, _POSITIVE = np.array((0, 114, 178)), np.array((225, 225, 225)), np.array((213, 94, 0))
Values = NDArray[np.floating]


class Topography(QWidget):
    """`show_values` with a caption; a head without colour where too few places are known."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.caption = ""
        self.image: QImage | None = None
        self.setMinimumSize(40, 56)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_values(self, names: Sequence[str], values: Values, limit: float, caption: str) -> None:
        """`values`: (channels,); ±`limit` is the deepest colour."""
        known = [(place, value) for name, value in zip(names, values, strict=True) if (place := position(name))]
        self.caption = caption
        self.image = None
        if len(known) >= _FEWEST:
            field = interpolated(np.array([place for place, _ in known]), np.array([value for _, value in known]))
            self.image = _picture(np.clip(field / max(limit, 1e-9), -1, 1))
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        radius = min(self.width(), self.height() - 24) / 2 - 2
        centre = QPointF(self.width() / 2, radius + 6)
        head = QPainterPath()
        head.addEllipse(centre, radius, radius)
        if self.image is not None:
            painter.save()
            painter.setClipPath(head)
            painter.drawImage(QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius), self.image)
            painter.restore()
        painter.setPen(QPen(QColor(theme.now.muted), 1.2))
        painter.drawPath(head)
        painter.drawLine(centre + QPointF(-4, -radius), centre + QPointF(0, -radius - 5))
        painter.drawLine(centre + QPointF(4, -radius), centre + QPointF(0, -radius - 5))
        painter.drawText(
            QRectF(0, centre.y() + radius + 4, self.width(), 16), Qt.AlignmentFlag.AlignCenter, self.caption
        )


def interpolated(places: Values, values: Values) -> Values:
    """Between electrodes, by the inverse cube of the distance (Shepard 1968): (pixels, pixels), nose on top.

    `places`: (n, 2), x to the right, y to the nose, 1 at the head's edge. `values`: (n,).
    """
    across = np.linspace(-1, 1, _PIXELS)
    grid = np.stack(np.meshgrid(across, -across), axis=-1)
    distance = np.linalg.norm(grid[:, :, None] - places, axis=-1)
    weights = 1 / (distance + 0.05) ** 3
    return np.asarray((weights * values).sum(axis=-1) / weights.sum(axis=-1))


def _picture(field: Values) -> QImage:
    """-1…1 → colours."""
    share = np.abs(field)[..., None]
    colours = _ZERO + share * (np.where(field[..., None] < 0, _NEGATIVE, _POSITIVE) - _ZERO)
    pixels = np.ascontiguousarray(colours.round().astype(np.uint8))
    return QImage(pixels.tobytes(), _PIXELS, _PIXELS, 3 * _PIXELS, QImage.Format.Format_RGB888).copy()
