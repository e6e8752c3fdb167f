"""The spectrum of the last seconds: the median over electrodes, and one of them."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtWidgets import QWidget

from bci_live.types import FloatArray, StreamFacts
from bci_live.window import theme
from bci_live.window.plots.line_plot import Graph, Line, LinePlot
from bci_live.window.plots.name_picker import NamePicker
from bci_live.window.quality.eyes_check import eeg_of
from bci_live.window.source import SnapshotSource

_STRETCH_S = 8.0
_SEGMENT_S = 2.0
_HIGHEST_HZ = 65.0
_EVERY_S = 1.0
_HEADING = f"Spectrum of the last {_STRETCH_S:g} s"


class SpectrumPanel(theme.Panel):
    """Computed only while it is visible; of the signal as it came, without the display's filter."""

    def __init__(self, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(_HEADING, parent)
        self._clock, self._drawn = clock, -_EVERY_S
        self._without = ""  # that the electrode picked cannot be drawn
        self.plot = LinePlot("Drawn as soon as there are two seconds of signal.")
        self.channel = NamePicker("An electrode beside the median of all")
        self.body.addWidget(self.channel)
        self.body.addWidget(self.plot, 1)

    def poll(self, source: SnapshotSource, facts: StreamFacts, silent_s: float = 0.0) -> None:
        """Once a second anew. `silent_s`: for how long nothing has come."""
        if not theme.is_seen(self) or self._clock() - self._drawn < _EVERY_S:
            return
        self._drawn = self._clock()
        samples = eeg_of(source.signal(_STRETCH_S), facts, _SEGMENT_S)
        if samples is not None:
            self.channel.show_names(facts.eeg_channels)
            self._show(samples, facts)
        silent = f" that came; nothing has come for {silent_s:.0f} s" if silent_s else ""
        self.heading.setText(_HEADING + silent + self._without)

    def _show(self, samples: FloatArray, facts: StreamFacts) -> None:
        hz, power = density(samples, facts.rate)
        shown = (hz >= 1) & (hz <= _HIGHEST_HZ)
        decibel = 10 * np.log10(np.maximum(power[shown], 1e-6))
        electrodes, now = facts.eeg_channels, theme.now
        # While its list is open it may still be that of another stream.
        place = electrodes.index(self.channel.name) if self.channel.name in electrodes else 0
        numbers = np.isfinite(decibel).all(axis=0)
        lines: list[Line] = []
        # A channel that fell silent as NaN takes the curves of the others with it otherwise.
        if numbers.any():
            lines.append(Line(hz[shown], np.median(decibel[:, numbers], axis=1), now.text, "median of all", width=2))
        if numbers[place]:
            lines.append(Line(hz[shown], decibel[:, place], now.sky, electrodes[place]))
        self._without = "" if numbers[place] else f"; {electrodes[place]} has samples that are no numbers"
        self.plot.show_graph(Graph(tuple(lines), x_title="Hz", y_title="dB re 1 µV²/Hz"))


def density(samples: FloatArray, rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Power spectral density after Welch (1967): Hz (bins,), µV²/Hz (bins, channels), of `samples` (n, channels)."""
    length = round(_SEGMENT_S * rate)
    window = np.hanning(length)
    starts = range(0, len(samples) - length + 1, length // 2)
    pieces = [samples[start : start + length] for start in starts]
    spectra = [np.abs(np.fft.rfft((it - it.mean(axis=0)) * window[:, None], axis=0)) ** 2 for it in pieces]
    power = np.asarray(2 * np.mean(spectra, axis=0) / (rate * (window**2).sum()), dtype=np.float64)
    return np.asarray(np.fft.rfftfreq(length, 1 / rate), dtype=np.float64), power
