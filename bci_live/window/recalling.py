"""What of the window comes back at the next start: read off its panels, and given back to them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from PyQt6.QtCore import QByteArray

from bci_live.window import theme
from bci_live.window.memory import WindowMemory
from bci_live.window.signal.channels import RowSettings
from bci_live.window.signal.conditioning import DisplayFilter

if TYPE_CHECKING:
    from bci_live.window.main_window import MainWindow


def memory_of(window: MainWindow, before: WindowMemory) -> WindowMemory:
    """As it is now; where its panels were never laid out, they lie as `before`."""
    streams, signal, rows = window.streams, window.live.signal, window.live.signal.settings
    layout = base64.b64encode(window.live.desk.layout_state()).decode() if window.live.arranged else before.layout
    return WindowMemory(
        look="light" if theme.now is theme.LIGHT else "dark",
        geometry=base64.b64encode(window.saveGeometry().data()).decode(),
        layout=layout,
        band=signal.filter.band,
        notch_hz=signal.filter.notch_hz,
        average=signal.filter.average,
        seconds=signal.canvas.seconds,
        bad=tuple(sorted(rows.bad)),
        hidden=tuple(sorted(rows.hidden)),
        rows=rows.rows,
        automatic=rows.automatic,
        heights=dict(rows.heights),
        sweeping=signal.canvas.sweeping,
        mains_hz=60 if window.live.quality.mains.currentIndex() else 50,
        stepwise=window.live.controls.forming.isChecked(),
        response_electrode=window.live.response.channel.wanted,
        spectrum_electrode=window.live.spectrum.channel.wanted,
        folder=streams.folder.text(),
        subject=streams.subject.text(),
        session=streams.session.text(),
        task=streams.task.text(),
    )


def recall(window: MainWindow, memory: WindowMemory) -> None:
    """As it was the last time; what does not fit any more is left out."""
    window.restoreGeometry(QByteArray.fromBase64(memory.geometry.encode()))
    window.live.wanted_layout = base64.b64decode(memory.layout) if memory.layout else b""
    shown = DisplayFilter(memory.band, memory.notch_hz, memory.average)
    bad, hidden = frozenset(memory.bad), frozenset(memory.hidden)
    rows = RowSettings(bad, hidden, memory.rows, memory.automatic, memory.heights)
    window.live.signal.recall(shown, memory.seconds, memory.sweeping, rows)
    window.live.quality.mains.setCurrentIndex((50, 60).index(memory.mains_hz))
    window.live.controls.forming.setChecked(memory.stepwise)
    window.live.response.channel.wanted = memory.response_electrode
    window.live.spectrum.channel.wanted = memory.spectrum_electrode
    window.streams.recall(memory.folder, memory.subject, memory.session, memory.task)
