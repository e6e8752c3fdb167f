"""What to do where no headset streams yet: an empty table would not tell."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QPushButton, QWidget

from bci_live.window import theme

STEPS = (
    ("See it work", "Replays a recorded session of a simulated head as if it were streamed now."),
    (
        "Connect",
        "Let the headset's program stream over LSL, or run bci-live bridge --board NAME. It appears in the table by itself.",
    ),
    (
        "Calibrate",
        "Record pictures with their markers (● REC, with calibration as the task), make a decoder: "
        "bci-live train recordings/… --out my-decoder, and start with it: bci-live live --decoder my-decoder",
    ),
)


class Welcome(theme.Panel):
    """`demo_wanted`: the first of the three ways."""

    demo_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.show_there(False)
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(theme.MARGIN)
        self.demo_button = QPushButton("Show the demo")
        self.demo_button.clicked.connect(self.demo_wanted)
        for row, (title, words) in enumerate(STEPS):
            text = theme.named_label("muted", words)
            text.setWordWrap(True)
            grid.addWidget(theme.named_label("section", f"{row + 1}  {title.upper()}"), row, 0)
            grid.addWidget(text, row, 1)
        grid.addWidget(self.demo_button, 0, 2)
        self.body.addLayout(grid)

    def show_there(self, eeg: bool) -> None:
        """Whether there is EEG, which no decoder reads yet."""
        self.heading.setText("No session yet: what can be done" if eeg else "No EEG stream is there yet")
