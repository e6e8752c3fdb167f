"""Markers that came before: some senders, and some networks, say everything twice."""

from __future__ import annotations

from bci_live.types import Marker

# So many are remembered: more than come in the time by which a repetition may be late.
_MOST = 20_000


class Repetitions:
    """Knows the markers that it has seen. The same label, stamp and detail of one stream is the same marker."""

    def __init__(self) -> None:
        self._seen: dict[Marker, None] = {}

    def has_seen(self, marker: Marker) -> bool:
        """Whether it came before; from now on it has."""
        if marker in self._seen:
            return True
        self._seen[marker] = None
        if len(self._seen) > _MOST:
            del self._seen[next(iter(self._seen))]
        return False
