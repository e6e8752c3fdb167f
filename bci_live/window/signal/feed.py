"""Feeds the canvas: with a conditioned copy of the samples, which is drawn on, or begun anew where it does not follow."""

from __future__ import annotations

from bci_live.live.snapshot import SignalPart
from bci_live.types import Chunk
from bci_live.window.signal.canvas import SignalCanvas
from bci_live.window.signal.conditioning import Conditioner, DisplayFilter


class Feed:
    """From the session to the canvas."""

    def __init__(self, canvas: SignalCanvas) -> None:
        self._canvas = canvas
        self._conditioner = Conditioner(DisplayFilter(), 1.0)
        self._outdated = True
        self._position = 0  # the session's number of the sample that comes next

    @property
    def outdated(self) -> bool:
        """Whether all that is on display is to be fetched again."""
        return self._outdated

    @property
    def since(self) -> int:
        """The session's number of the first sample that is wanted."""
        return 0 if self._outdated else self._position

    def renew(self) -> None:
        """What is on display is no longer what is wanted."""
        self._outdated = True

    def set_filter(self, wanted: DisplayFilter, rate: float) -> None:
        """`rate`: Hz, of the stream."""
        self._conditioner = Conditioner(wanted, rate)
        if self._canvas.channels is not None:
            self._canvas.channels.forget_middles()

    def show_part(self, part: SignalPart) -> None:
        """Append a stretch; one that does not follow on the last begins a new picture."""
        if self._outdated or part.first != self._position:
            self.begin()
        self._position = part.first + len(part.chunk.times)
        self.add(part.chunk)

    def begin(self) -> None:
        """An empty picture."""
        self._outdated = False
        self._conditioner.restart()
        self._canvas.begin()

    def add(self, chunk: Chunk) -> None:
        """Append what follows on what is there."""
        if len(chunk.times) and self._canvas.channels is not None:
            conditioned = self._conditioner(chunk.samples, chunk.breaks, self._canvas.channels.averaged)
            self._canvas.add(conditioned, chunk.times, chunk.breaks)
