"""The menu of channels: how many at a time, which page, and which of them at all."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup, QMouseEvent
from PyQt6.QtWidgets import QMenu, QWidget

from bci_live.window.signal.paging import ALL, SIZES


class ChannelMenu(QMenu):
    """`picked`: these alone. `turned`: so many pages on. `sized`: so many rows at a time."""

    picked = pyqtSignal(list)
    turned = pyqtSignal(int)
    sized = pyqtSignal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.channels: list[QAction] = []
        self.sizes = QMenu("Rows at a time", self)
        self._group = QActionGroup(self)
        for size in (ALL, *SIZES):
            action = QAction(f"{size}" if size else "All", self._group)
            action.setData(size)
            action.setCheckable(True)
            action.setChecked(size == ALL)
        self.sizes.addActions(self._group.actions())
        self._group.triggered.connect(self._size)
        # Not the menu's own, which `clear` would delete; and without shortcuts, since the keys are the window's.
        self.next, self.before = QAction("Next channels (PgDn)", parent), QAction("Channels before (PgUp)", parent)
        self.next.triggered.connect(self._turn_on)
        self.before.triggered.connect(self._turn_back)

    def show_channels(self, names: Sequence[str], hidden: frozenset[str]) -> None:
        """Offer these, ticked where they are shown."""
        self.clear()
        self.addMenu(self.sizes)
        self.addActions([self.next, self.before])
        self.addSeparator()
        everything = QAction("All", self)
        everything.triggered.connect(self._pick_all)
        self.addAction(everything)
        self.channels = []
        for name in names:
            action = QAction(name.replace("&", "&&"), self)
            action.setData(name)
            action.setCheckable(True)
            action.setChecked(name not in hidden)
            action.triggered.connect(self._pick)
            self.channels.append(action)
        self.addActions(self.channels)

    def show_page(self, places: range, count: int) -> None:
        """Which of `count` picked channels are on display."""
        rows = len(places) if len(places) < count else ALL
        for action in self._group.actions():
            action.setChecked(action.data() == rows)
            action.setEnabled(action.data() < count)
        self.next.setEnabled(places.stop < count or (rows == ALL and count > SIZES[0]))
        self.before.setEnabled(places.start > 0)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """A channel that is ticked leaves the menu open: it is often one of several."""
        action = self.activeAction()
        if action is not None and action in self.channels:
            action.trigger()
        else:
            super().mouseReleaseEvent(event)

    def _size(self, action: QAction) -> None:
        self.sized.emit(action.data())

    def _turn_on(self) -> None:
        self.turned.emit(1)

    def _turn_back(self) -> None:
        self.turned.emit(-1)

    def _pick(self) -> None:
        self.picked.emit([action.data() for action in self.channels if action.isChecked()])

    def _pick_all(self) -> None:
        for action in self.channels:
            action.setChecked(True)
        self._pick()
