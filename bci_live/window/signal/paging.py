"""A screenful of channels at a time: arithmetic, no Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

ALL = 0
SIZES = (8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` at a time; `ALL`, or more than there are: all. `first`: the place of the topmost among the picked channels.

    `count`, below: how many channels are picked.
    """

    rows: int = ALL
    first: int = 0

    def places(self, count: int) -> range:
        """Which of the picked channels are on display. The last page is full, too: rows keep their height."""
        if not ALL < self.rows < count:
            return range(count)
        first = min(self.first, count - self.rows)
        return range(first, first + self.rows)

    def turned(self, pages: int, count: int, named: int) -> Page:
        """So many pages on (negative: back). Where all are on display, the first screenful.

        `named`: with so many rows every channel's name can be read; the first screenful has no more, if it can be.
        """
        shown = self.places(count)
        if len(shown) == count:
            fitting = [size for size in SIZES if size < count and size <= max(named, SIZES[0])]
            return Page(fitting[-1]) if fitting and pages > 0 else self
        return replace(self, first=min(max(shown.start + pages * self.rows, 0), count - self.rows))

    def resized(self, steps: int, count: int) -> Page:
        """So many sizes more rows (negative: fewer); beyond the largest: all."""
        sizes = [*(size for size in SIZES if size < count), ALL]
        now = sizes.index(self.rows) if self.rows in sizes else len(sizes) - 1
        return replace(self, rows=sizes[min(max(now + steps, 0), len(sizes) - 1)])

    def turned_to(self, place: int, count: int) -> Page:
        """The page that the channel of that place is on; this one, if it is."""
        shown = self.places(count)
        if place in shown:
            return self
        return replace(self, first=place if place >= shown.stop else max(place + 1 - self.rows, 0))
