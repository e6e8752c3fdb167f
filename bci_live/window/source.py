"""What the window asks, ten or thirty times a second."""

from __future__ import annotations

from typing import Protocol

from bci_live.live.snapshot import LiveSnapshot
from bci_live.types import Chunk


class SnapshotSource(Protocol):
    """A session as the window sees it, perhaps still loading. Every call returns at once."""

    def snapshot(self) -> LiveSnapshot | None:
        """The state now; None while the session loads."""
        ...

    def signal(self, seconds: float) -> Chunk | None:
        """The last `seconds` of EEG; None while the session loads."""
        ...

    def progress(self) -> str:
        """What is being done now, in words, while the session loads."""
        ...

    def problem(self) -> str | None:
        """Why there is no session, with the remedy; None while all is well."""
        ...
