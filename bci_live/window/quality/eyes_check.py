"""The check before a run: 15 s with open eyes, 15 s with closed eyes, and whether alpha waves came."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from bci_live.signal.alpha import alpha_verdict
from bci_live.types import Chunk, FloatArray, StreamFacts
from bci_live.window import theme
from bci_live.window.source import SnapshotSource

PHASE_S = 15.0
# Blinks and the closing itself are of neither phase.
_SETTLE_S = 2.0
_LEAST = 0.8
_SIMULATED = "But a simulated head has no eyes to close."


class EyesCheck(QWidget):
    """Polled by the window. A tone says when to close the eyes and when to open them."""

    def __init__(self, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self.button = QPushButton("Check: eyes open, eyes closed")
        self.button.setToolTip(f"{PHASE_S:g} s with open eyes, {PHASE_S:g} s with closed eyes: is alpha seen?")
        self.said = theme.named_label("muted", "Before a run: half a minute that tells whether the cap carries EEG.")
        self.said.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.said)
        self._since: float | None = None
        # The stream that is checked, and how many of its samples came before the phase.
        self._facts: StreamFacts | None = None
        self._before = 0
        self._opened: FloatArray | None = None
        self.button.clicked.connect(self._toggle)

    @property
    def running(self) -> bool:
        """Whether a check is under way."""
        return self._since is not None

    def poll(self, source: SnapshotSource, facts: StreamFacts, silent_s: float = 0.0) -> None:
        """Count down; take the signal of each phase at its end. `silent_s`: for how long nothing has come."""
        if self._since is None:
            return
        if self._facts is None:
            self._facts, self._before = facts, _count(source)
        if silent_s:
            self._end(f"Nothing has come for {silent_s:.0f} s, so the check ended. Let the stream run, and try again.")
            return
        if facts != self._facts:
            self._end("Another stream is shown now, so the check ended. Try again.")
            return
        left = PHASE_S - (self._clock() - self._since)
        closed = self._opened is not None
        if left > 0:
            what = "Eyes closed, until the tone" if closed else "Eyes open, look at one point"
            self.said.setText(f"{what}: {left:.0f} s")
            return
        part = source.signal_since(self._before, PHASE_S - _SETTLE_S)
        samples = eeg_of(part.chunk if part else None, facts, _LEAST * (PHASE_S - _SETTLE_S))
        QApplication.beep()
        if samples is None:
            self._end("Samples were lost in this phase, so nothing can be said. Check the connection, and try again.")
        elif self._opened is None:
            self._opened, self._since, self._before = samples, self._clock(), _count(source)
        else:
            told = alpha_verdict(self._opened, samples, facts.rate, facts.eeg_channels).describe()
            self._end(f"{told} {_SIMULATED}" if facts.simulated else told)

    def _toggle(self) -> None:
        if self._since is None:
            self._since, self._opened = self._clock(), None
            self.button.setText("Stop the check")
        else:
            self._end("The check was stopped.")

    def _end(self, said: str) -> None:
        self._since, self._opened, self._facts = None, None, None
        self.said.setText(said)
        self.button.setText("Check: eyes open, eyes closed")


def _count(source: SnapshotSource) -> int:
    """How many samples have come until now."""
    part = source.signal_since(0, 0.0)
    return part.first + len(part.chunk.times) if part is not None else 0


def eeg_of(chunk: Chunk | None, facts: StreamFacts, least_s: float) -> FloatArray | None:
    """The EEG channels of the chunk's last contiguous stretch, (n, channels); None where that is shorter than `least_s`."""
    if chunk is None or chunk.samples.shape[1] != len(facts.channels):
        return None
    start = max((index for index in chunk.breaks if index < len(chunk.times)), default=0)
    samples = chunk.samples[max(start, 0) :]
    if len(samples) < least_s * facts.rate:
        return None
    places: NDArray[np.intp] = np.array([facts.channels.index(name) for name in facts.eeg_channels], dtype=np.intp)
    return np.asarray(samples[:, places])
