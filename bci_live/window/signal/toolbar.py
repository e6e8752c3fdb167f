"""Above the signal: display filter, scale, channels, hold."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from bci_live.window import theme
from bci_live.window.signal.channel_menu import ChannelMenu
from bci_live.window.signal.conditioning import DisplayFilter

BANDS: dict[str, tuple[float, float] | None] = {
    "no band-pass": None, "0.5–40 Hz": (0.5, 40.0), "1–30 Hz": (1.0, 30.0), "1–100 Hz": (1.0, 100.0), "8–13 Hz": (8.0, 13.0)
}  # fmt: skip
NOTCHES: dict[str, float | None] = {"no notch": None, "50 Hz out": 50.0, "60 Hz out": 60.0}


def offered(wanted: DisplayFilter) -> DisplayFilter:
    """Without what cannot be chosen here, nor seen to be in force: an edited `window.json` may have it, or an older one."""
    band = wanted.band if wanted.band in BANDS.values() else None
    notch_hz = wanted.notch_hz if wanted.notch_hz in NOTCHES.values() else None
    return DisplayFilter(band, notch_hz, wanted.average)


class SignalToolbar(QWidget):
    """Emits what the user wants of the display; holds no state but what its widgets show."""

    filtered = pyqtSignal(DisplayFilter)
    zoomed = pyqtSignal(int)
    fitted = pyqtSignal(bool)
    held = pyqtSignal(bool)
    swept = pyqtSignal(bool)

    def __init__(self, heading: QLabel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.band, self.notch = QComboBox(), QComboBox()
        self.band.addItems(list(BANDS))
        self.notch.addItems(list(NOTCHES))
        self.channels = QToolButton()
        self.channels.setObjectName("menu")
        self.channels.setText("Channels")
        self.channels.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = ChannelMenu(self.channels)
        self.channels.setMenu(self.menu)
        self.average = QCheckBox("CAR")
        self.larger, self.smaller, self.fit = QPushButton("+"), QPushButton("−"), QPushButton("Auto")
        self.fit.setCheckable(True)
        self.fit.setChecked(True)
        self.sweep = QPushButton("Sweep")
        self.sweep.setCheckable(True)
        self.hold = QPushButton("Hold")
        self.hold.setCheckable(True)
        for widget, tip in (
            (self.band, "Band-pass of the display; what is decoded is not touched"),
            (self.notch, "Mains taken out of the display"),
            (self.average, "Common average reference: the mean of the sound EEG channels subtracted from the display"),
            (
                self.channels,
                "Which channels are shown, and how many at a time (PgUp, PgDn). Click a channel's "
                "name, or choose it (↑ ↓) and press B, to mark it bad: it sets no scale and is in no common average of "
                "the display. The decoder reads it all the same",
            ),
            (self.larger, "Larger (+)"),
            (self.smaller, "Smaller (−)"),
            (self.fit, "Scales follow the signal"),
            (self.sweep, "The signal stands and a pen goes over it (W)"),
            (self.hold, "Stand still and scroll back (← →); the session goes on"),
        ):
            widget.setToolTip(theme.wrapped(tip))
            widget.setAccessibleName(tip)
        theme.leave_keys(
            self.band, self.notch, self.average, self.channels, self.larger, self.smaller, self.fit, self.sweep,
            self.hold,
        )  # fmt: skip
        self._lay_out(heading)
        self.band.activated.connect(self._filter)
        self.notch.activated.connect(self._filter)
        self.average.clicked.connect(self._filter)
        self.larger.clicked.connect(self._enlarge)
        self.smaller.clicked.connect(self._lessen)
        self.fit.clicked.connect(self.fitted)
        self.sweep.clicked.connect(self.swept)
        self.hold.clicked.connect(self.held)

    def show_filter(self, shown: DisplayFilter) -> None:
        """Select what is in force, of what is offered."""
        self.band.setCurrentIndex(list(BANDS.values()).index(shown.band))
        self.notch.setCurrentIndex(list(NOTCHES.values()).index(shown.notch_hz))
        self.average.setChecked(shown.average)

    def show_automatic(self, automatic: bool) -> None:
        """Whether scales follow the signal."""
        self.fit.setChecked(automatic)

    def show_held(self, held: bool) -> None:
        """Whether the display stands still."""
        self.hold.setChecked(held)
        self.hold.setText("Follow live" if held else "Hold")

    def _filter(self) -> None:
        band, notch = BANDS[self.band.currentText()], NOTCHES[self.notch.currentText()]
        self.filtered.emit(DisplayFilter(band, notch, self.average.isChecked()))

    def _enlarge(self) -> None:
        self.zoomed.emit(-1)

    def _lessen(self) -> None:
        self.zoomed.emit(1)

    def _lay_out(self, heading: QLabel) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GAP // 2)
        row.addWidget(heading, 1)
        for widget in (
            self.band, self.notch, self.average, self.channels, self.smaller, self.fit, self.larger, self.sweep,
            self.hold,
        ):  # fmt: skip
            row.addWidget(widget)
