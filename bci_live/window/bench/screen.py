"""A window on the benchmark's sender, a program of its own: ours, or the peer's. Its figures are its last line of output.

Either way the session decodes and reconstructs meanwhile.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial

import numpy as np
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication, QWidget

from bci_live.config import bundled
from bci_live.errors import BciError
from bci_live.live.background import BackgroundSession
from bci_live.live.launcher import LiveRequest
from bci_live.live.snapshot import SignalPart
from bci_live.types import Chunk
from bci_live.window.app import destroy
from bci_live.window.bench.meter import WARM_UP_S, FrameMeter
from bci_live.window.bench.peer import SECONDS, PlainPlot
from bci_live.window.bench.sender import marker_source
from bci_live.window.main_window import MainWindow
from bci_live.window.theme import apply_theme

_SIZE = (1280, 800)
_LOOK_MS = 100
# Models load, the signal fills the screen, the first picture is drawn.
_READY_S = 120.0


class MeteredSession(BackgroundSession):
    """Tells the meter when the window asks for samples."""

    meter: FrameMeter

    def signal(self, seconds: float) -> Chunk | None:
        self.meter.asked()
        return super().signal(seconds)

    def signal_since(self, count: int, seconds: float) -> SignalPart | None:
        self.meter.asked()
        return super().signal_since(count, seconds)


class Bench:
    """Waits until the window is in full run, measures for `seconds`, and quits."""

    def __init__(self, app: QApplication, session: MeteredSession, which: str, channels: int, seconds: float) -> None:
        self._app, self._session, self._which = app, session, which
        self._channels, self._seconds = channels, seconds
        self._given_up = time.monotonic() + _READY_S
        self._shown_before = 0
        self._window: QWidget | None = None
        self.figures: dict[str, float] | None = None
        self._timer = QTimer()
        self._timer.timeout.connect(self._wait)
        self._timer.start(_LOOK_MS)

    def _wait(self) -> None:
        """Open the window as soon as there is a session; begin when the screen is full and a picture is drawn."""
        snapshot = self._session.snapshot()
        if self._session.problem() or time.monotonic() > self._given_up:
            self._app.exit(1)
        elif snapshot is not None and self._window is None:
            self._window = self._opened()
            self._window.resize(*_SIZE)
            self._window.show()
        elif snapshot is not None and snapshot.counts.shown and self._full():
            self._timer.stop()
            QTimer.singleShot(round(WARM_UP_S * 1000), self._begin)

    def _full(self) -> bool:
        """Whether the signal fills the screen."""
        chunk = self._session.signal(SECONDS)
        return chunk is not None and len(chunk.times) > 1 and float(np.ptp(chunk.times)) > 0.98 * SECONDS

    def _opened(self) -> QWidget:
        if self._which == "peer":
            return PlainPlot(self._channels, partial(self._session.signal, SECONDS), self._session.meter.painted)
        window = MainWindow(self._session, "bci_live")
        window.live.signal.canvas.painted.connect(self._session.meter.painted)
        return window

    def _begin(self) -> None:
        self._shown_before = self._shown()
        self._session.meter.begin()
        QTimer.singleShot(round(self._seconds * 1000), self._end)

    def _end(self) -> None:
        self.figures = self._session.meter.figures() | {"pictures": self._shown() - self._shown_before}
        self._app.exit(0)

    def close(self) -> None:
        """Take the window away."""
        if self._window is not None:
            self._window.close()
            destroy(self._window)
            self._window = None

    def _shown(self) -> int:
        snapshot = self._session.snapshot()
        return snapshot.counts.shown if snapshot is not None else 0


def main() -> None:
    """The command line: ours or peer, source id, channels, seconds."""
    which, source, channels, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    app = QApplication([which])
    apply_theme(app)
    request = LiveRequest(
        decoder=bundled("models/decoder-demo"), stream_id=source, markers_id=marker_source(source), device="cpu"
    )
    session = MeteredSession(request)
    session.meter = FrameMeter()
    with session:
        bench = Bench(app, session, which, channels, seconds)
        app.exec()
        bench.close()
        problem = session.problem()
    if bench.figures is None:
        raise BciError(problem or f"No picture came within {_READY_S:g} s.")
    sys.stdout.write(json.dumps(bench.figures) + "\n")


if __name__ == "__main__":
    main()
