"""What stands around the traces and does not scroll: the channels' names, scale bars, seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen

from bci_live.window import theme
from bci_live.window.signal.channels import Channels
from bci_live.window.signal.picture import EDGE, Rows

LEFT, RIGHT, TOP, BOTTOM = 58, 66, 20, 20
OVER = 8  # so far may a marker's label reach beyond the plot
NAME_PIXELS = 13  # height of a channel's name: with less room, every second or third is named


def paint_names(painter: QPainter, plot: QRectF, row: float, rows: Rows, channels: Channels, chosen: str) -> None:
    """`row`: its height, logical pixels. The chosen and the bad have the first right to the room that there is."""
    names, all_bad = [channels.names[index] for index in rows.channels], channels.bad
    every = max(1, math.ceil(NAME_PIXELS / row))
    places = sorted(range(len(names)), key=lambda it: (names[it] != chosen, names[it] not in all_bad, it))
    taken: set[int] = set()
    for place in places:
        bad, marked = names[place] in all_bad, names[place] == chosen
        if (place % every and not bad and not marked) or taken & set(range(place - every + 1, place + every)):
            continue
        taken.add(place)
        painter.setPen(QColor(theme.now.vermillion if bad else theme.now.text if marked else theme.now.muted))
        where = QRectF(0, plot.top() + (place + 0.5 + EDGE) * row - 9, LEFT - 8, 18)
        text = f"{'▸ ' * marked}{'✗ ' * bad}{names[place]}"
        text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, LEFT - 8)
        painter.drawText(where, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)


def paint_bars(painter: QPainter, plot: QRectF, row: float, bars: Sequence[tuple[str, float, float]]) -> None:
    """Bars as long as so many units, at the right, outside the signal; those only that there is room to name.

    `bars`: of each its text, how many rows it spans, and its middle in rows from the top.
    """
    painter.setPen(QPen(QColor(theme.now.text), 2))
    x, free = plot.right() + OVER + 4, 0.0
    wrapped = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
    for text, rows, place in sorted(bars, key=lambda bar: bar[2]):
        middle = plot.top() + (place + 0.5 + EDGE) * row
        half = min(rows * row, plot.height()) / 2
        middle = min(max(middle, plot.top() + half), plot.bottom() - half)
        room = QRectF(x + 5, middle - 18, RIGHT - 18, 36)
        height = painter.boundingRect(room, wrapped, text).height()
        top = max(middle - height / 2, free)
        if top + height > plot.bottom() + BOTTOM:
            continue
        free = top + height
        painter.drawLine(QPointF(x, middle - half), QPointF(x, middle + half))
        painter.drawText(QRectF(x + 5, top, RIGHT - 18, height), wrapped, text)


def seconds_below(seconds: float, ago_s: float | None, pen: float | None) -> list[float]:
    """What stands below the plot, s, at every fifth of it from the left: how long after the newest sample, so none is positive.

    `seconds`: as long as the plot. `ago_s`: how far back in what is held the newest on display lies; None: it follows live.
    `pen`: the share of the plot where a sweep writes, None where it scrolls. A sweep that follows live counts its own seconds.
    """
    fifths = [count / 5 for count in range(6)]
    if pen is None:
        return [seconds * (place - 1) - (ago_s or 0.0) for place in fifths]
    if ago_s is None:
        return [seconds * place for place in fifths]
    return [-ago_s - (pen - place) % 1 * seconds for place in fifths]


def paint_seconds(painter: QPainter, plot: QRectF, told: Sequence[float]) -> None:
    """Below the plot, evenly from its left edge to its right."""
    painter.setPen(QColor(theme.now.muted))
    for count, second in enumerate(told):
        where = QRectF(plot.left() + count / (len(told) - 1) * plot.width() - 40, plot.bottom() + 1, 80, BOTTOM)
        painter.drawText(where, Qt.AlignmentFlag.AlignCenter, f"{round(second, 1) + 0.0:g} s")  # + 0.0: no "-0"
