"""The peer: as many plain `PlotDataItem`s as there are channels, given all of their samples anew for each frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QPaintEvent

from bci_live.types import Chunk
from bci_live.window.main_window import SIGNAL_EVERY_MS

SECONDS = 10.0
# µV from row to row.
_ROW = 60.0


class PlainPlot(pg.PlotWidget):
    """Draws `signal()` as often as it can, sixty times a second at most; tells `painted` after each frame."""

    def __init__(self, channels: int, signal: Callable[[], Chunk | None], painted: Callable[[], None]) -> None:
        self._painted = painted
        super().__init__()
        self._signal = signal
        self._items = [pg.PlotDataItem() for _ in range(channels)]
        for item in self._items:
            self.addItem(item)
        self.setXRange(-SECONDS, 0)
        self.setYRange(-_ROW * channels, _ROW)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._poll)
        self._timer.start(SIGNAL_EVERY_MS)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        super().paintEvent(event)
        self._painted()

    def _poll(self) -> None:
        chunk = self._signal()
        if chunk is None or not len(chunk.times):
            return
        seconds = chunk.times - chunk.times[-1]
        rows = chunk.samples - _ROW * np.arange(len(self._items), dtype=np.float32)
        for item, row in zip(self._items, rows.T, strict=True):
            item.setData(seconds, row)
