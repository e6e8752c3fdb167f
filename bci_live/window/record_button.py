"""REC: begins and ends a recording, and says how long, how large, and how much room is left."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QPushButton, QWidget

from bci_live.live.snapshot import RecordingRequest, RecordingStatus
from bci_live.sessions.silence import silence_text
from bci_live.window import theme
from bci_live.window.source import RecordingControl
from bci_live.window.transport_bar import clock_text

# So little is left of the disk that it is time to say so.
_LITTLE_BYTES = 2e9


class RecordButton(QPushButton):
    """Records into what `request` says at the moment of the click."""

    def __init__(
        self, control: RecordingControl, request: Callable[[], RecordingRequest], parent: QWidget | None = None
    ) -> None:
        super().__init__("● REC", parent)
        self._control, self._request = control, request
        self.running = False
        self.clicked.connect(self._toggle)
        self.show_recording(None, ready=False)

    def show_recording(self, status: RecordingStatus | None, ready: bool) -> bool:
        """Whether a recording has just ended. `ready`: there is something to record."""
        ran, self.running = self.running, status is not None and status.running
        self.setEnabled(ready or self.running)
        if status is not None and status.running:
            little = "only " if status.free < _LITTLE_BYTES else ""
            free = f"{little}{bytes_text(status.free)} free"
            silence = silence_text(status.streams, status.seconds)
            parts = (clock_text(status.seconds), bytes_text(status.size), free, silence)
            self.setText("■ " + " · ".join(filter(None, parts)))
            streams = ", ".join(f"{it.name} {it.samples:,}" for it in status.streams)
            self.setToolTip(f"{status.path}\n{streams}\nClick to end the recording.")
        else:
            self.setText("● REC")
            last = f"The last one: {status.path}" if status is not None else ""
            self.setToolTip("Record the session's streams into one XDF file." + (f"\n{last}" if last else ""))
        self.setStyleSheet(f"color: {theme.now.vermillion}; font-weight: 700;" if self.running else "")
        return ran and not self.running

    def _toggle(self) -> None:
        if self.running:
            self._control.stop_recording()
        else:
            self._control.record(self._request())


def bytes_text(size: float) -> str:
    """'3.1 MB'."""
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.1f} {unit}" if size < 100 else f"{size:.0f} {unit}"
    return f"{size / 1000:.1f} TB"


if __name__ == "__main__":
    from pathlib import Path

    from bci_live.live.snapshot import LiveSnapshot
    from bci_live.window.example import ExampleSource, show_alone

    def _example(_: LiveSnapshot) -> RecordButton:
        button = RecordButton(ExampleSource(), RecordingRequest)
        button.show_recording(RecordingStatus(Path("a.xdf"), True, 75.0, 3_100_000, 21_000_000_000, ()), ready=True)
        return button

    raise SystemExit(show_alone(_example))
