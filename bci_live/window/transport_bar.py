"""The replay's transport: pause, where it is, another place, again or not. Hidden where nothing is replayed."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QSlider, QWidget

from bci_live.live.snapshot import ReplayStatus
from bci_live.window import theme
from bci_live.window.source import ReplayControl

# Of the slider, a second.
_STEPS = 10


class SeekSlider(QSlider):
    """Its handle comes to where it is clicked, and can be dragged on from there."""

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            share = event.position().x() / max(1, self.width())
            self.setValue(self.minimum() + round(min(max(share, 0.0), 1.0) * (self.maximum() - self.minimum())))
        super().mousePressEvent(event)


class TransportBar(QWidget):
    """Commands `replay`, shows where it is. While the slider is held, it is the user's."""

    def __init__(self, replay: ReplayControl, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._replay = replay
        self._paused = self._ended = False
        self.button = QPushButton("Pause")
        self.button.setToolTip("Pause the replay, or let it go on (Space)")
        self.slider = SeekSlider(Qt.Orientation.Horizontal)
        self.slider.setSingleStep(_STEPS)
        self.slider.setPageStep(10 * _STEPS)
        self.slider.setAccessibleName("Place in the recording")
        self.place = theme.named_label("muted")
        self.again = QCheckBox("Loop")
        theme.leave_keys(self.button, self.slider, self.again)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(theme.GAP)
        row.addWidget(self.button)
        row.addWidget(self.slider, 1)
        row.addWidget(self.place)
        row.addWidget(self.again)
        # Methods, no lambdas: a lambda that holds the widget keeps it from being deleted in order.
        self.button.clicked.connect(self._press)
        self.slider.sliderReleased.connect(self._seek)
        self.slider.actionTriggered.connect(self._step)
        self.slider.sliderMoved.connect(self._show_target)
        self.again.clicked.connect(self._loop)
        self.hide()

    def show_replay(self, status: ReplayStatus | None) -> None:
        """Where it is now."""
        self.setVisible(status is not None and status.end_s > 0)
        if status is None:
            return
        self._paused, self._ended = status.paused, status.ended
        self.button.setText("Play again" if status.ended else "Go on" if status.paused else "Pause")
        for widget in (self.slider, self.again):
            widget.setEnabled(not status.ended)
        self.again.setChecked(status.loop)
        if self.slider.isSliderDown():
            return
        self.slider.setRange(0, round(status.end_s * _STEPS))
        self.slider.setValue(round(status.at_s * _STEPS))
        self.place.setText(f"{clock_text(status.at_s)} of {clock_text(status.end_s)}")

    def toggle(self) -> None:
        """Pause, or go on; what has ended does neither."""
        if not self._ended:
            self._replay.pause(not self._paused)

    def _press(self) -> None:
        """The button: what has ended is played again, for which the session begins anew."""
        if self._ended:
            self._replay.play_again()
        else:
            self.toggle()

    def _step(self, action: int) -> None:
        """A key, or the wheel; dragging is over only when the handle is let go."""
        if QSlider.SliderAction(action) != QSlider.SliderAction.SliderMove:
            self._replay.seek(self.slider.sliderPosition() / _STEPS)

    def _seek(self) -> None:
        self._replay.seek(self.slider.value() / _STEPS)

    def _show_target(self, value: int) -> None:
        self.place.setText(clock_text(value / _STEPS))

    def _loop(self, checked: bool) -> None:
        self._replay.loop(checked)


def clock_text(seconds: float) -> str:
    """'2:05', '1:02:05'."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


if __name__ == "__main__":
    from bci_live.live.snapshot import LiveSnapshot
    from bci_live.window.example import ExampleSource, show_alone

    def _example(_: LiveSnapshot) -> TransportBar:
        bar = TransportBar(ExampleSource())
        bar.show_replay(ReplayStatus(75.0, 400.0, False, True, False))
        return bar

    raise SystemExit(show_alone(_example))
