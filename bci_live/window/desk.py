"""Where the panels lie: docks that can be dragged, tabbed, floated, and put back."""

from __future__ import annotations

from itertools import pairwise

from PyQt6.QtCore import QByteArray, QEvent, QObject, QSize, Qt
from PyQt6.QtGui import QAction, QColor, QKeyEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QMainWindow,
    QMenu,
    QScrollArea,
    QTabBar,
    QTabWidget,
    QWidget,
)

from bci_live.window import theme

_GRIP = 7
_LEAST_MIDDLE = 150
_PLACES = {
    "To the right": Qt.DockWidgetArea.RightDockWidgetArea,
    "Below": Qt.DockWidgetArea.BottomDockWidgetArea,
    "Floating": None,
}
Rows = tuple[tuple[tuple[str, ...], float], ...]


class Grip(QWidget):
    """A thin handle in place of a title, which the panels have themselves. It lets the mouse through to its dock."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_GRIP)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag to arrange; double-click to float")

    def sizeHint(self) -> QSize:
        return QSize(40, _GRIP)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        for offset in range(-12, 13, 6):
            painter.fillRect(self.width() // 2 + offset, 2, 3, 3, QColor(theme.now.line))


class _ScrollArea(QScrollArea):
    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Qt scrolls by PgUp, PgDn and the arrows, which are the window's; Tab shows what it comes to by itself."""
        if event is not None:
            event.ignore()


def _scrolling(panel: QWidget) -> QScrollArea:
    area = _ScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setMinimumSize(1, 1)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(panel)
    return area


class Desk(QMainWindow):
    """One panel in the middle, which takes what room is left, the others as docks below it and at its right."""

    def __init__(self, middle: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Widget)
        self.docks: dict[str, QDockWidget] = {}
        middle.setMinimumHeight(_LEAST_MIDDLE)  # a window that is made smaller takes the room from the docks, too
        self.setCentralWidget(middle)
        self.setDockNestingEnabled(True)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._show_focused)

    def _show_focused(self, before: QWidget | None, now: QWidget | None) -> None:
        """Who walks by Tab into a panel behind another one sees where he is."""
        for dock in self.docks.values():
            if now is not None and dock.isAncestorOf(now):
                dock.raise_()

    def add(self, name: str, title: str, panel: QWidget, scrolls: bool = False) -> None:
        """A dock of `panel`; `title` is what a tab says. Docks cannot be closed: nothing is lost for good.

        `scrolls`: it is higher than a low window has room for.
        """
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        features = QDockWidget.DockWidgetFeature
        dock.setFeatures(features.DockWidgetMovable | features.DockWidgetFloatable)
        dock.setTitleBarWidget(Grip())
        dock.setWidget(_scrolling(panel) if scrolls else panel)
        dock.installEventFilter(self)
        self.docks[name] = dock

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """A dock that floats is a window of its own: the keys that nothing in it takes are the main window's all the same."""
        floats = isinstance(watched, QDockWidget) and watched.isFloating()
        main = self.window()
        if floats and main is not None and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            QApplication.sendEvent(main, event)
            return True
        return super().eventFilter(watched, event)

    def arrange(self, below: Rows, beside: Rows) -> None:
        """Rows of docks from the top, those in one row are tabs; each row with its height, as a share of the desk's."""
        for dock in self.docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)
        for area, rows in (
            (Qt.DockWidgetArea.BottomDockWidgetArea, below),
            (Qt.DockWidgetArea.RightDockWidgetArea, beside),
        ):
            tops = [self.docks[names[0]] for names, _ in rows]
            # All splits come before the tabs: what is split off from a tab would become another tab.
            self.addDockWidget(area, tops[0])
            for before, top in pairwise(tops):
                self.splitDockWidget(before, top, Qt.Orientation.Vertical)
            for names, _ in rows:
                for first, second in pairwise(names):
                    self.tabifyDockWidget(self.docks[first], self.docks[second])
                for name in names:
                    self.docks[name].show()
                self.docks[names[0]].raise_()
            self.resizeDocks(tops, [round(share * self.height()) for _, share in rows], Qt.Orientation.Vertical)
        for bar in self.findChildren(QTabBar):
            bar.setElideMode(Qt.TextElideMode.ElideNone)  # what does not fit is scrolled to, and said in full

    def offer_places(self) -> None:
        """A menu of the panels and where each can lie, for those who drag nothing."""
        menu = QMenu(self)
        for name, dock in self.docks.items():
            places = QMenu(dock.windowTitle(), menu)
            for words, area in _PLACES.items():
                action = QAction(words, places)
                action.setData((name, area))
                places.addAction(action)
            menu.addMenu(places)
        menu.triggered.connect(self._place)
        menu.aboutToHide.connect(menu.deleteLater)  # what was chosen is told before it goes
        menu.popup(self.mapToGlobal(self.rect().center()))
        menu.setActiveAction(menu.actions()[0])

    def _place(self, action: QAction) -> None:
        name, area = action.data()
        dock = self.docks[name]
        dock.setFloating(area is None)
        if area is not None:
            self.addDockWidget(area, dock)
        dock.show()
        dock.raise_()

    def layout_state(self) -> bytes:
        """How the docks lie, to be kept."""
        return self.saveState().data()

    def restore_layout(self, state: bytes) -> bool:
        """Lay the docks as they lay; False where that does not fit any more."""
        return self.restoreState(QByteArray(state))

    def raise_panel(self, name: str) -> None:
        """Bring a tab to the front."""
        self.docks[name].raise_()
