"""Colours, sizes and the style sheet of the window: dark, high contrast, safe for the colour-blind.

Accents are of Okabe and Ito's palette (2008), which people with any colour vision can tell apart; no state is told by
colour alone.
"""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication, QFrame, QLabel, QVBoxLayout, QWidget

BACKGROUND = "#0e1217"
PANEL = "#161c24"
LINE = "#2a3340"
TEXT = "#eef2f7"
MUTED = "#a3b0c0"
SKY = "#56b4e9"
ORANGE = "#e69f00"
GREEN = "#2fc39a"  # Okabe and Ito's bluish green, lightened to 7:1 on the panel
VERMILLION = "#ff7a3d"  # likewise
PURPLE = "#d68fb8"
TRACES = (SKY, "#c3d3e3")  # neighbouring channels, told apart where they overlap

GAP = 10
MARGIN = 12

STYLE = f"""
QWidget {{ color: {TEXT}; font-size: 13px; }}
QMainWindow, #page {{ background: {BACKGROUND}; }}
QLabel {{ background: transparent; }}
QFrame#panel {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 8px; }}
QLabel#heading {{ color: {MUTED}; font-size: 12px; font-weight: 600; }}
QLabel#muted {{ color: {MUTED}; }}
QLabel#section {{ color: {SKY}; font-size: 11px; font-weight: 600; }}
QLabel#title {{ font-size: 17px; font-weight: 700; }}
QLabel#large {{ font-size: 22px; font-weight: 700; }}
QLabel#note {{ color: {ORANGE}; font-size: 12px; }}
QLabel#badge {{ border-radius: 12px; padding: 4px 14px; font-size: 13px; font-weight: 700; }}
QFrame#errors {{ background: #3a1a10; border: 1px solid {VERMILLION}; border-radius: 8px; }}
QLabel#alarm {{ color: {VERMILLION}; font-weight: 600; }}
QPushButton {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 6px; padding: 5px 12px; }}
QPushButton:hover, QPushButton:focus {{ border-color: {SKY}; }}
QPushButton:checked {{ background: {LINE}; }}
QPushButton:disabled {{ color: {LINE}; }}
QLineEdit, QComboBox, QTableWidget {{ background: {BACKGROUND}; border: 1px solid {LINE}; border-radius: 4px; padding: 4px; }}
QLineEdit:focus, QComboBox:focus {{ border-color: {SKY}; }}
QComboBox QAbstractItemView {{ background: {PANEL}; selection-background-color: {LINE}; }}
QTableWidget {{ gridline-color: {LINE}; }}
QHeaderView::section {{ background: {PANEL}; color: {MUTED}; border: none; padding: 4px 10px; }}
QTableCornerButton::section {{ background: {PANEL}; border: none; }}
QProgressBar {{ background: {LINE}; border: none; border-radius: 2px; max-height: 4px; }}
QProgressBar::chunk {{ background: {SKY}; border-radius: 2px; }}
QToolTip {{ background: {PANEL}; color: {TEXT}; border: 1px solid {LINE}; }}
"""


def apply_theme(app: QApplication) -> None:
    """Dress every widget of `app`; Fusion is the one style that looks the same on every system."""
    app.setStyle("Fusion")
    palette = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, BACKGROUND),
        (QPalette.ColorRole.WindowText, TEXT),
        (QPalette.ColorRole.Base, PANEL),
        (QPalette.ColorRole.Text, TEXT),
        (QPalette.ColorRole.Button, PANEL),
        (QPalette.ColorRole.ButtonText, TEXT),
        (QPalette.ColorRole.Highlight, SKY),
    ):
        palette.setColor(role, QColor(colour))
    app.setPalette(palette)
    app.setStyleSheet(STYLE)


def named_label(name: str, text: str = "", parent: QWidget | None = None) -> QLabel:
    """A label that the style sheet dresses by `name`; it shows plain text only, since words come from the network."""
    label = QLabel(text, parent)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


class Panel(QFrame):
    """A rounded box with a heading; `body` is the layout to fill."""

    def __init__(self, heading: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(MARGIN, 9, MARGIN, MARGIN)
        self.body.setSpacing(6)
        self.heading = named_label("heading", heading)
        self.body.addWidget(self.heading)
