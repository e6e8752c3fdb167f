"""A bounded queue that never makes the sender wait: when it is full the oldest item is pushed out, and handed back.

Its size is how far behind its reader can fall. A live display has one place: what is taken is always the newest there is.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """First in, first out, at most `size` items."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: deque[T] = deque()
        self._changed = threading.Condition()

    def put(self, item: T) -> T | None:
        """Add `item`; returns the one that had to go for it, for the sender to account for."""
        with self._changed:
            pushed_out = self._items.popleft() if len(self._items) == self._size else None
            self._items.append(item)
            self._changed.notify()
            return pushed_out

    def take(self, timeout: float) -> T | None:
        """The oldest item, or None when none came within `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._items), timeout)
            return self._items.popleft() if self._items else None

    def __len__(self) -> int:
        return len(self._items)
