"""What somebody sees in a terminal who types while a line on it is drawn over and over."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from tests.system.conftest import ROOT
from tests.waiting import wait_until

pty = pytest.importorskip("pty")
pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]


class Terminal(Thread):
    """Obeys what rich sends to draw a line anew, and knows what is left on the screen."""

    def __init__(self, line: int) -> None:
        super().__init__(daemon=True)
        self._line = line
        self._rows, self._row = [""], 0

    def run(self) -> None:
        """Until the program has closed its end."""
        try:
            while said := os.read(self._line, 1 << 16):
                self._show(said.decode(errors="ignore"))
        except OSError:  # so Linux tells that the other end is closed
            pass

    def _show(self, said: str) -> None:
        sent = re.findall(r"([^\x1b\r\n]+)|\x1b\[\??([\d;]*)([A-Za-z])|[\r\n]", said.replace("\r", ""))
        for text, moved, action in sent:
            if action == "K":
                self._rows[self._row] = ""
            elif action == "A":
                self._row = max(0, self._row - int(moved or 1))
            elif text:
                self._rows[self._row] += text
            elif not action:
                self._row += 1
                self._rows += [""] * (self._row + 1 - len(self._rows))

    def rows(self, word: str) -> list[str]:
        """The lines on the screen that have `word` in them."""
        return [row for row in self._rows if word in row]

    def type(self, text: str) -> None:
        """A line, and Enter."""
        os.write(self._line, f"{text}\n".encode())


@contextmanager
def terminal_of(*arguments: str) -> Iterator[Terminal]:
    """Of a command of ours, which runs meanwhile."""
    line, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bci_live", *arguments],
        cwd=ROOT, stdin=inside, stdout=inside, stderr=inside, env=os.environ | {"COLUMNS": "100"},
    )  # fmt: skip
    os.close(inside)
    terminal = Terminal(line)
    terminal.start()
    try:
        yield terminal
    finally:
        process.kill()
        process.wait()
        terminal.join(10)
        os.close(line)


def test_a_replay_has_one_progress_bar_whatever_is_typed() -> None:
    with terminal_of("replay", "recordings/demo.xdf") as terminal:
        wait_until(lambda: bool(terminal.rows("0:00:01,")), 40, "the second second")
        bars = len(terminal.rows(" left"))  # liblsl's log, which these tests do not silence, leaves one behind
        for typed, shown in (("", "paused$"), ("", "left$"), ("seek 40", "0:00:4.,"), ("pause", "paused$")):
            terminal.type(typed)
            wait_until(lambda shown=shown: re.search(shown, terminal.rows(" left")[-1]) is not None, 10, shown)
            wait_until(lambda: len(terminal.rows(" left")) == bars, 2, "the one bar")


def test_a_bridge_has_one_line_of_counts_whatever_is_typed() -> None:
    pytest.importorskip("brainflow")
    with terminal_of("bridge", "--board", "synthetic", "--markers") as terminal:
        wait_until(lambda: bool(terminal.rows("samples, 0 markers")), 40, "the board")
        lines = len(terminal.rows(" samples, "))
        for typed, shown in (("5", "samples, 1 marker"), ("five", "'five' is no marker"), ("7", "samples, 2 markers")):
            terminal.type(typed)
            wait_until(lambda shown=shown: bool(terminal.rows(shown)), 10, shown)
            wait_until(lambda: len(terminal.rows(" samples, ")) == lines, 2, "the one line")
