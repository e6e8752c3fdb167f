"""The traces as an image that is drawn on where something is new, and shown from there on: a ring of columns, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter

from bci_live.types import FloatArray
from bci_live.window.signal.columns import Changed, ColumnRing
from bci_live.window.signal.raster import spans

# A railed or unplugged channel may leave its row by so many rows, not scribble over all of them.
_REACH = 3.0
# Of a row, above the first and below the last: their peaks are not cut off.
EDGE = 0.6


@dataclass(frozen=True, slots=True)
class Rows:
    """Which channels are drawn, from the top, and how.

    `channels`: indices (rows,). `heights`, `middles`: (rows,), the channels' own units: from one row to the next, and what
    stands in a row's middle. `colours`: of each row.
    """

    channels: NDArray[np.intp]
    heights: FloatArray
    middles: FloatArray
    colours: tuple[str, ...]


class TracePicture:
    """`width` × `height` device pixels; a column lies at its number modulo `width`, as in the `ColumnRing`."""

    def __init__(self, width: int, height: int, thickness: int) -> None:
        self.width, self.height, self._thickness = max(width, 1), max(height, thickness + 1), thickness
        self.pixels = np.zeros((self.height, self.width), np.uint32)
        # The image borrows the array's memory: what is written into `pixels` is in the image.
        self.image = QImage(self.pixels.data, self.width, self.height, 4 * self.width, QImage.Format.Format_RGB32)  # type: ignore[call-overload]

    def draw(self, ring: ColumnRing, changed: Changed, rows: Rows, ground: str, hole: str) -> None:
        """Draw the columns `changed` anew: traces on `ground`; where nothing was received, `hole`."""
        places = np.arange(changed.first, changed.end) % self.width
        if not len(places):
            return
        low, high = ring.low[np.ix_(rows.channels, places)], ring.high[np.ix_(rows.channels, places)]
        top, bottom = self._pixels_of(high, rows), self._pixels_of(low, rows)
        block = np.full((self.height, len(places)), _rgb(ground), np.uint32)
        for colour in dict.fromkeys(rows.colours):
            of_colour = [index for index, it in enumerate(rows.colours) if it == colour]
            block[spans(top[of_colour], bottom[of_colour], self.height, self._thickness)] = _rgb(colour)
        block[:, np.isnan(low).all(axis=0)] = _rgb(hole)
        self.pixels[:, places] = block

    def paint(self, painter: QPainter, target: QRectF, last: int) -> None:
        """The whole ring into `target`, column `last` at its right edge."""
        first = (last + 1) % self.width
        scale = target.width() / self.width
        split = target.left() + (self.width - first) * scale
        older = QRectF(target.left(), target.top(), split - target.left(), target.height())
        painter.drawImage(older, self.image, QRectF(first, 0, self.width - first, self.height))
        if first:
            newer = QRectF(split, target.top(), target.right() - split, target.height())
            painter.drawImage(newer, self.image, QRectF(0, 0, first, self.height))

    def _pixels_of(self, values: FloatArray, rows: Rows) -> FloatArray:
        """(rows, columns) in the channels' units → pixels from the top."""
        row = self.height / (max(len(rows.channels), 1) + 2 * EDGE)
        away = (values - rows.middles[:, None]) / rows.heights[:, None]
        middles = np.arange(len(rows.channels), dtype=np.float32)[:, None] + 0.5 + EDGE
        return np.asarray((middles - np.clip(away, -_REACH, _REACH)) * row, dtype=np.float32)


def row_colours(count: int, traces: Sequence[str], bad: Sequence[bool], faint: str) -> tuple[str, ...]:
    """Neighbours differ; bad channels are faint."""
    return tuple(faint if bad[row] else traces[row % len(traces)] for row in range(count))


def _rgb(colour: str) -> int:
    return QColor(colour).rgb()
