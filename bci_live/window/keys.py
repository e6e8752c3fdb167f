"""The keys, after the conventions of EEG viewers (MNE's browser, the OpenBCI GUI, LabRecorder), and the page that tells them."""

from __future__ import annotations

from PyQt6.QtCore import QKeyCombination, QRectF, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from bci_live.window import theme

WORDS_PX = 520
# What is pressed: what it does, in words. The names of the keys are Qt's; "?" and "+" are wherever the keyboard has them.
HELP = (
    ("Space", "pause the replay, or hold the signal; go on"),
    ("← →", "look a second back, or forward, in the last minute; with Shift five"),
    ("Wheel", "over the signal: look back, or forward; with Ctrl larger, smaller signal"),
    ("L", "follow the live signal again"),
    ("+ −", "larger, smaller signal"),
    ("A", "scales follow the signal"),
    ("W", "the signal stands and a pen sweeps over it, or it scrolls"),
    ("↑ ↓", "choose a channel"),
    ("PgUp PgDn", "the channels before, the next ones; with Shift fewer, more rows at a time"),
    ("B", "mark the chosen channel bad, or sound again: for the display alone"),
    ("Home End", "a shorter, a longer stretch of signal"),
    ("1 … 8", "hide the channel of that number, or show it"),
    (
        "Tab ← →",
        "choose in the filmstrip (Delete lets go), or an electrode on the head",
    ),
    ("Esc", "back from there, or from a field, to these keys; leave full screen"),
    ("Ctrl+U", "the page of streams"),
    ("F9", "begin to record, or end it"),
    ("M", "save a picture of the window"),
    ("Ctrl+S", "save the pinned picture, with all that is known of it"),
    ("Ctrl+C", "copy the pinned picture"),
    ("Ctrl+T", "dark or light"),
    ("P", "where each panel lies: to the right, below, or floating"),
    ("Ctrl+R", "put the panels back as they were at first"),
    ("F11", "full screen"),
    ("?", "these keys"),
    ("Ctrl+Q", "close the program; Esc never does"),
)


def pressed(event: QKeyEvent) -> str:
    """The name of what was pressed: 'Space', 'Shift+Left', 'Ctrl+S', 'A', '+'."""
    text, control = event.text(), Qt.KeyboardModifier.ControlModifier
    if text and text.isprintable() and not text.isspace() and not event.modifiers() & control:
        return text.upper()
    key = QKeyCombination(event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier, Qt.Key(event.key()))
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


class HelpOverlay(QWidget):
    """Lies over its parent until it is clicked."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.hide()

    def toggle(self) -> None:
        """Show the keys, or hide them."""
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.setVisible(not self.isVisible())
        self.raise_()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        self.hide()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        veil = QColor(theme.now.background)
        veil.setAlpha(225)
        painter.fillRect(self.rect(), veil)
        row = min(30.0, self.height() / (len(HELP) + 3))
        top = (self.height() - row * len(HELP)) / 2
        left, middle = self.width() / 2 - 300, Qt.AlignmentFlag.AlignVCenter
        for place, (key, words) in enumerate(HELP):
            y = top + place * row
            painter.setPen(QColor(theme.now.sky))
            painter.drawText(QRectF(left, y, 110, row), middle | Qt.AlignmentFlag.AlignRight, key)
            painter.setPen(QColor(theme.now.text))
            painter.drawText(QRectF(left + 130, y, WORDS_PX, row), middle, words)
