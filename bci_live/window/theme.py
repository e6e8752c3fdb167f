"""Colours, sizes and the style sheet of the window: dark or light, high contrast, safe for the colour-blind.

Accents are of Okabe and Ito's palette (2008), which people with any colour vision can tell apart; no state is told by
colour alone. Contrast of text and accents on the panel is 4.5:1 at least.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import QEvent, QObject, QSize, Qt
from PyQt6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPalette, QPen
from PyQt6.QtWidgets import QApplication, QFrame, QLabel, QToolTip, QVBoxLayout, QWidget

_TIP_LETTERS = 72
# A style sheet draws no arrow of its own; beside it there is one for screens of twice as many pixels.
_ARROW = (Path(__file__).parent / "images" / "arrow.png").as_posix()


@dataclass(frozen=True, slots=True)
class Colours:
    """Of one look. `traces`: neighbouring channels, told apart where they overlap. `alarm`: behind an error."""

    name: str
    background: str
    panel: str
    line: str
    text: str
    muted: str
    sky: str
    orange: str
    green: str
    vermillion: str
    purple: str
    traces: tuple[str, str]
    alarm: str


# Okabe and Ito's bluish green and vermillion are lightened to 7:1 on the dark panel, all accents darkened on the light one.
DARK = Colours(
    "dark", "#0e1217", "#161c24", "#2a3340", "#eef2f7", "#a3b0c0",
    "#56b4e9", "#e69f00", "#2fc39a", "#ff7a3d", "#d68fb8", ("#56b4e9", "#c3d3e3"), "#3a1a10",
)  # fmt: skip
LIGHT = Colours(
    "light", "#e9edf2", "#ffffff", "#ccd5df", "#131a22", "#4c5a69",
    "#0069a8", "#8f6200", "#00704f", "#b84300", "#8f3f70", ("#0072b2", "#33475b"), "#ffe9df",
)  # fmt: skip
LOOKS = {look.name: look for look in (DARK, LIGHT)}
# Of the application, as its palette and its style sheet are; set by `apply_theme` alone.
now = DARK

GAP = 10
MARGIN = 12


def style(colours: Colours) -> str:
    """The style sheet."""
    return f"""
QWidget {{ color: {colours.text}; font-size: 13px; }}
QMainWindow, #page {{ background: {colours.background}; }}
QLabel, QScrollArea {{ background: transparent; }}
QFrame#panel {{ background: {colours.panel}; border: 1px solid {colours.line}; border-radius: 8px; }}
QLabel#heading {{ color: {colours.muted}; font-size: 12px; font-weight: 600; }}
QLabel#muted {{ color: {colours.muted}; }}
QLabel#section {{ color: {colours.sky}; font-size: 11px; font-weight: 600; }}
QLabel#title {{ font-size: 17px; font-weight: 700; }}
QLabel#large {{ font-size: 22px; font-weight: 700; }}
QLabel#note {{ color: {colours.orange}; font-size: 12px; }}
QLabel#badge {{ border-radius: 12px; padding: 4px 14px; font-size: 13px; font-weight: 700; }}
QFrame#errors {{ background: {colours.alarm}; border: 1px solid {colours.vermillion}; border-radius: 8px; }}
QLabel#alarm {{ color: {colours.vermillion}; font-weight: 600; }}
QPushButton, QToolButton#menu {{
    background: {colours.panel}; border: 1px solid {colours.line}; border-radius: 6px; padding: 5px 12px;
}}
SignalToolbar QPushButton {{ padding: 5px 8px; }}
QToolButton#menu {{ padding-left: 7px; padding-right: 17px; }}
QToolButton#menu::menu-indicator {{ subcontrol-origin: padding; subcontrol-position: right center; right: 5px; }}
QPushButton:hover, QPushButton:focus, QToolButton#menu:hover, QToolButton#menu:focus {{ border-color: {colours.sky}; }}
QPushButton:checked {{ background: {colours.line}; }}
QPushButton:disabled {{ color: {colours.line}; }}
QMenu::item:disabled {{ color: {colours.line}; }}
QCheckBox::indicator:unchecked {{
    background: {colours.background}; border: 1px solid {colours.muted}; border-radius: 3px; width: 12px; height: 12px;
}}
QCheckBox::indicator:unchecked:focus {{ border-color: {colours.sky}; }}
QLineEdit, QComboBox, QTableWidget {{
    background: {colours.background}; border: 1px solid {colours.line}; border-radius: 4px; padding: 4px;
}}
QAbstractSpinBox {{ min-height: 26px; }}
QSlider::groove:horizontal {{ background: {colours.line}; height: 4px; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {colours.sky}; height: 4px; border-radius: 2px; }}
QSlider::handle:horizontal {{
    background: {colours.muted}; border: 2px solid {colours.muted}; width: 12px; margin: -6px 0; border-radius: 8px;
}}
QSlider::handle:horizontal:focus {{ background: {colours.text}; border-color: {colours.sky}; }}
QLineEdit:focus, QComboBox:focus {{ border-color: {colours.sky}; }}
QComboBox::drop-down {{ border: none; background: transparent; width: 18px; }}
QComboBox::down-arrow {{ image: url("{_ARROW}"); }}
QComboBox QAbstractItemView {{ background: {colours.panel}; selection-background-color: {colours.line}; }}
QTableWidget {{ gridline-color: {colours.line}; }}
QHeaderView::section {{ background: {colours.panel}; color: {colours.muted}; border: none; padding: 4px 10px; }}
QTableCornerButton::section {{ background: {colours.panel}; border: none; }}
QProgressBar {{ background: {colours.line}; border: none; border-radius: 2px; max-height: 4px; }}
QProgressBar::chunk {{ background: {colours.sky}; border-radius: 2px; }}
QMainWindow::separator {{ width: {GAP}px; height: 4px; background: transparent; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabBar::tab {{ background: transparent; color: {colours.muted}; padding: 4px 9px; border: none; }}
QTabBar::tab:selected {{ color: {colours.text}; border-bottom: 2px solid {colours.sky}; }}
QTabBar::tab:focus {{ color: {colours.sky}; }}
QScrollBar:vertical {{ width: 7px; background: transparent; }}
QScrollBar::handle:vertical {{ background: {colours.line}; border-radius: 3px; min-height: 24px; }}
QScrollBar:horizontal {{ height: 7px; background: transparent; }}
QScrollBar::handle:horizontal {{ background: {colours.line}; border-radius: 3px; min-width: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QToolTip {{ background: {colours.panel}; color: {colours.text}; border: 1px solid {colours.line}; }}
"""


def apply_theme(app: QApplication, colours: Colours = DARK) -> None:
    """Dress every widget of `app`; Fusion is the one style that looks the same on every system."""
    global now
    now = colours
    app.setStyle("Fusion")
    palette = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Window, colours.background),
        (QPalette.ColorRole.WindowText, colours.text),
        (QPalette.ColorRole.Base, colours.panel),
        (QPalette.ColorRole.Text, colours.text),
        (QPalette.ColorRole.Button, colours.panel),
        (QPalette.ColorRole.ButtonText, colours.text),
        (QPalette.ColorRole.Highlight, colours.sky),
    ):
        palette.setColor(role, QColor(colour))
    app.setPalette(palette)
    app.setStyleSheet(style(colours))


def named_label(name: str, text: str = "", parent: QWidget | None = None) -> QLabel:
    """A label that the style sheet dresses by `name`; it shows plain text only, since words come from the network."""
    label = QLabel(text, parent)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


class ShortLabel(QLabel):
    """One line that no text widens: where there is no room it ends in …, and hovered it says the whole."""

    def __init__(self, name: str, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def minimumSizeHint(self) -> QSize:
        return QSize(1, super().minimumSizeHint().height())

    def shown(self) -> str:
        """As much of the text as there is room for."""
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.contentsRect().width())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        style = self.style()
        assert style is not None
        style.drawItemText(
            QPainter(self), self.contentsRect(), int(self.alignment()), self.palette(), self.isEnabled(), self.shown(),
            self.foregroundRole(),
        )  # fmt: skip

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.toolTip() or self.text(), self)
            return True
        return super().event(event)


def leave_keys(*widgets: QWidget) -> None:
    """A click does not give them the focus, Tab does: who has clicked one still has the window's keys."""
    for widget in widgets:
        widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)


class _WheelLetThrough(QObject):
    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def leave_wheel(*widgets: QWidget) -> None:
    """The wheel scrolls the panel that they are in; it changes nothing that it happens to pass over."""
    for widget in widgets:
        widget.installEventFilter(_WheelLetThrough(widget))


def wrapped(text: str) -> str:
    """For a tooltip, which Qt writes on one line however long it is: lines of so many letters at most."""
    return "\n".join(textwrap.fill(line, _TIP_LETTERS) for line in text.split("\n"))


def paint_focus(painter: QPainter, widget: QWidget) -> None:
    """A dashed frame: the keys go to it."""
    painter.setPen(QPen(QColor(now.sky), 1, Qt.PenStyle.DashLine))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(widget.rect().adjusted(0, 0, -1, -1))


def is_seen(widget: QWidget) -> bool:
    """Whether anything of it is on the screen: to Qt, a dock behind another tab is visible."""
    return widget.isVisible() and not widget.visibleRegion().isEmpty()


class Panel(QFrame):
    """A rounded box with a heading; `body` is the layout to fill."""

    def __init__(self, heading: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(MARGIN, 9, MARGIN, MARGIN)
        self.body.setSpacing(6)
        self.heading = ShortLabel("heading", heading)
        self.body.addWidget(self.heading)
