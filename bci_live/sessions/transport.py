"""What a replay is told while it plays: pause, go on, another place, again or not."""

from __future__ import annotations

import math
from threading import Lock


class Transport:
    """Told from any thread, looked at by the player between two steps."""

    def __init__(self, loop: bool = False) -> None:
        self.loop = loop
        self.paused = False
        self._lock = Lock()
        self._seek: float | None = None

    @property
    def moved(self) -> bool:
        """Whether it is to go on at another place."""
        return self._seek is not None

    def take_seek(self) -> float | None:
        """Where to go on, s from the recording's beginning; None for where it is. It is told once."""
        with self._lock:
            seek, self._seek = self._seek, None
        return seek

    def follow(self, command: str) -> None:
        """`pause`, `go`, `seek 12.5`, `loop on`, `loop off`; an empty line pauses, and goes on after that.

        Raises
        ------
        ValueError
            If it is none of these; the sentence lists them.
        """
        match command.split():
            case []:
                self.paused = not self.paused
            case ["pause"]:
                self.paused = True
            case ["go"]:
                self.paused = False
            case ["loop", "on" | "off" as state]:
                self.loop = state == "on"
            case ["seek", seconds] if _is_time(seconds):
                with self._lock:
                    self._seek = float(seconds)
            case _:
                raise ValueError(f"'{command.strip()}' is no command: pause, go, seek SECONDS, loop on, loop off")


def _is_time(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and float(text) >= 0
    except ValueError:
        return False
