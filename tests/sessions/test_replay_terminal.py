"""What somebody sees of a replay in a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from bci_live.sessions.recording import Recording
from bci_live.sessions.xdf_writer import write_recording
from tests.waiting import wait_until

pty = pytest.importorskip("pty")


class Screen(Thread):
    """A terminal that obeys what rich sends to draw a line anew, and shows what is left."""

    def __init__(self, terminal: int) -> None:
        super().__init__(daemon=True)
        self._terminal = terminal
        self._rows, self._row = [""], 0

    def run(self) -> None:
        """Until the program has closed its end."""
        try:
            while said := os.read(self._terminal, 1 << 16):
                self._show(said.decode(errors="ignore"))
        except OSError:  # so Linux tells that the other end is closed
            pass

    def _show(self, said: str) -> None:
        for text, moved, action in re.findall(
            r"([^\x1b\r\n]+)|\x1b\[\??(\d*)([A-Za-z])|[\r\n]", said.replace("\r", "")
        ):
            if action == "K":
                self._rows[self._row] = ""
            elif action == "A":
                self._row = max(0, self._row - int(moved or 1))
            elif text:
                self._rows[self._row] += text
            elif not action:
                self._row += 1
                self._rows += [""] * (self._row + 1 - len(self._rows))

    @property
    def bars(self) -> list[str]:
        """Its lines with a place in the recording."""
        return [row for row in self._rows if " left" in row]


@pytest.mark.timeout(60)
def test_one_bar_stays_on_the_screen_whatever_is_typed(
    tmp_path: Path, make_recording: Callable[..., Recording]
) -> None:
    write_recording(tmp_path / "long.xdf", make_recording(seconds=60))
    terminal, inside = pty.openpty()
    program = [sys.executable, "-m", "bci_live", "replay", str(tmp_path / "long.xdf")]
    replay = subprocess.Popen(program, stdin=inside, stdout=inside, stderr=inside, env=os.environ | {"COLUMNS": "100"})
    os.close(inside)
    screen = Screen(terminal)
    screen.start()
    try:
        wait_until(lambda: any("0:00:01" in bar for bar in screen.bars), 30, "the second second")
        bars = len(screen.bars)  # liblsl's log, which these tests do not silence, leaves one behind
        for typed, shown in (("", "paused$"), ("", "left$"), ("seek 40", "0:00:4.,"), ("pause", "paused$")):
            os.write(terminal, f"{typed}\n".encode())
            wait_until(lambda shown=shown: re.search(shown, screen.bars[-1]) is not None, 10, shown)
            wait_until(lambda: len(screen.bars) == bars, 2, "the one bar")
    finally:
        replay.kill()
        replay.wait()
        screen.join(10)
        os.close(terminal)
