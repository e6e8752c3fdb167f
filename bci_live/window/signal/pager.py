"""Turns the pages of channels, by keys or menu, and chooses one among them."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QObject, pyqtSignal

from bci_live.window.signal.canvas import SignalCanvas
from bci_live.window.signal.channel_menu import ChannelMenu
from bci_live.window.signal.paging import Page
from bci_live.window.signal.picture import EDGE
from bci_live.window.signal.surround import NAME_PIXELS


class Pager(QObject):
    """`shown`: other channels are on display."""

    shown = pyqtSignal()

    def __init__(self, canvas: SignalCanvas, menu: ChannelMenu, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas, self._menu = canvas, menu
        menu.turned.connect(self.turn)
        menu.sized.connect(self.show_rows)

    def turn(self, pages: int) -> None:
        """To the next screenful of channels, or the one before (negative)."""
        named = int(self._canvas.plot.height() / NAME_PIXELS - 2 * EDGE)
        self._show(self._page.turned(pages, self._count, named))

    def resize(self, steps: int) -> None:
        """More rows at a time, or fewer (negative)."""
        self._show(self._page.resized(steps, self._count))

    def show_rows(self, rows: int) -> None:
        """So many rows at a time."""
        self._show(replace(self._page, rows=rows))

    def refresh(self) -> None:
        """Other channels are there, or picked."""
        self._show(self._page)

    def choose(self, steps: int) -> None:
        """Go so many rows down (negative: up) to the channel that the keys mark; beyond the page, this turns it."""
        channels, chosen, count = self._canvas.channels, self._canvas.chosen, self._count
        if channels is None or not count:
            return
        names = [channels.names[index] for index in channels.shown]
        places = self._page.places(count)
        now = names.index(chosen) if chosen in names else places.start - 1 if steps > 0 else places.stop
        place = min(max(now + steps, 0), count - 1)
        self._canvas.chosen = names[place]
        page = self._page.turned_to(place, count)
        if page is self._page:
            self._canvas.update()
        else:
            self._show(page)

    def text(self) -> str:
        """Which channels are on display, and how many are hidden; empty where it is all."""
        places, count = self._page.places(self._count), self._count
        total = 0 if self._canvas.channels is None else len(self._canvas.channels.names)
        if len(places) == count:
            return f"{count} of {total}" if count < total else ""
        hidden = f", {total - count} hidden" if count < total else ""
        return f"{places.start + 1}–{places.stop} of {count}{hidden}"

    @property
    def _page(self) -> Page:
        return Page() if self._canvas.channels is None else self._canvas.channels.page

    @property
    def _count(self) -> int:
        return 0 if self._canvas.channels is None else len(self._canvas.channels.shown)

    def _show(self, page: Page) -> None:
        channels = self._canvas.channels
        if channels is None:
            return
        channels.page = page
        if self._canvas.chosen not in {channels.names[index] for index in channels.on_page}:
            self._canvas.chosen = ""  # B marks no channel that is not seen
        self._menu.show_page(page.places(self._count), self._count)
        self._canvas.draw_all()
        self.shown.emit()
