"""The minute that is held: which stretch of it is on display, and the bar that goes through it."""

from __future__ import annotations

import math

import numpy as np
from PyQt6.QtCore import QRect, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import QScrollBar, QWidget

from bci_live.types import Chunk
from bci_live.window.signal.canvas import SignalCanvas
from bci_live.window.signal.surround import LEFT

# A scroll bar counts whole numbers: tenths of a second.
_STEPS_A_S = 10


def longest_back(held: Chunk, seconds: float) -> float:
    """How far back, s, a display of `seconds` can go before it would reach beyond what is held."""
    return max(0.0, float(held.times[-1] - held.times[0]) - seconds) if len(held.times) else 0.0


def in_order(held: Chunk) -> Chunk:
    """What came since the sender's clock went back the last time: before that, times come twice."""
    back = np.flatnonzero(np.diff(held.times) <= 0)
    if not len(back):
        return held
    first = int(back[-1]) + 1
    breaks = tuple(index - first for index in held.breaks if index > first)
    return Chunk(held.samples[first:], held.times[first:], held.arrived, breaks)


def stretch(held: Chunk, back_s: float, seconds: float) -> Chunk | None:
    """The `seconds` of what is held that end `back_s` before its end; None where there is no sample."""
    newest = held.times[-1] - back_s if len(held.times) else 0.0
    shown = (held.times <= newest) & (held.times > newest - seconds)
    if not shown.any():
        return None
    first, count = int(shown.argmax()), int(shown.sum())
    breaks = tuple(index - first for index in held.breaks if 0 < index - first < count)
    return Chunk(held.samples[shown], held.times[shown], held.arrived, breaks)


class HeldBar(QScrollBar):
    """As long as what is held, its handle as long as what is on display. `moved`: so many s back, by the mouse."""

    moved = pyqtSignal(float)

    def __init__(self, canvas: SignalCanvas, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._canvas = canvas
        canvas.resized.connect(self._lay_out)
        tip = "Which part of what is held is on display; the wheel over the signal and ← → move it, too"
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.hide()
        self.valueChanged.connect(self._tell)

    def show_place(self, back_s: float, longest_s: float, seconds: float) -> None:
        """A display of `seconds` that ends `back_s` before the end, and can go back by `longest_s`."""
        with QSignalBlocker(self):
            self.setRange(0, math.ceil(longest_s * _STEPS_A_S))
            self.setPageStep(round(seconds * _STEPS_A_S))
            self.setSingleStep(_STEPS_A_S)
            self.setValue(self.maximum() - round(back_s * _STEPS_A_S))

    def _tell(self, value: int) -> None:
        self.moved.emit((self.maximum() - value) / _STEPS_A_S)

    def _lay_out(self) -> None:
        """In the panel's margin below the plot: where it takes no height from the signal when it appears."""
        canvas = self._canvas.geometry()
        self.setGeometry(QRect(canvas.left() + LEFT, canvas.bottom() + 3, round(self._canvas.plot.width()), 7))
