"""Opening, closing, Ctrl-C, and a display that is not there: in a process of its own, as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from PyQt6.QtCore import QTimer
from bci_live.errors import BciError
from bci_live.window.app import run_window
from bci_live.window.example import ExampleSource, example_chunk, example_snapshot
from PyQt6.QtWidgets import QApplication

source = ExampleSource(example_snapshot(), example_chunk())
{more}
try:
    code = run_window(source, "example")
except BciError as error:
    print(error, flush=True)
    code = 7
sys.exit(code)
"""
_WHEN_OPEN = """
app = QApplication([])

def look():
    window = next((w for w in app.topLevelWidgets() if w.windowTitle() == "example" and w.isVisible()), None)
    if window is not None and ({until}):
        waiting.stop()
        print("open", window.errors.text.text(), flush=True)
        {then}

waiting = QTimer()
waiting.timeout.connect(look)
waiting.start(50)
QTimer.singleShot(30_000, app.quit)
"""


def start(more: str = "", **environment: str) -> subprocess.Popen[str]:
    """A process with the example in a window."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    inherited.pop("QT_QPA_PLATFORM", None)
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM.format(root=str(ROOT), more=more)],
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr, within a minute."""
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, err


def test_closing_the_window_ends_with_zero() -> None:
    closing = _WHEN_OPEN.format(until="True", then="window.close()")
    code, out, err = finish(start(closing, QT_QPA_PLATFORM="offscreen"))
    assert (code, out.strip()) == (0, "open"), err


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a child on Windows")
def test_ctrl_c_ends_cleanly() -> None:
    process = start(_WHEN_OPEN.format(until="True", then="pass"), QT_QPA_PLATFORM="offscreen")
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "open"
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 0, err
    assert "Traceback" not in err


def test_a_session_that_could_not_start_ends_with_two() -> None:
    failed = "source.state = None\nsource.fatal = 'No stream.'\n" + _WHEN_OPEN.format(
        until="True", then="window.close()"
    )
    code, _, err = finish(start(failed, QT_QPA_PLATFORM="offscreen"))
    assert code == 2, err


def test_a_bug_in_the_window_is_shown_and_logged_once_not_fatal() -> None:
    broken = "source.signal_since = lambda count, seconds: 1 / 0\n"
    program = broken + _WHEN_OPEN.format(until="window.errors.isVisible()", then="window.close()")
    code, out, err = finish(start(program, QT_QPA_PLATFORM="offscreen"))
    assert code == 0, err
    assert "ZeroDivisionError in the window" in out
    assert err.count("Traceback") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can lack a display server")
@pytest.mark.parametrize(
    ("environment", "said"), [({}, "There is no display"), ({"DISPLAY": ":987"}, "':987' (DISPLAY) does not answer")]
)
def test_without_a_display_one_sentence_says_so(environment: dict[str, str], said: str) -> None:
    code, out, err = finish(start(**environment))
    assert code == 7, err
    assert said in out
    assert "--headless" in out


def test_nothing_loads_torch_or_qt_before_it_is_needed() -> None:
    check = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import bci_live.window.app; "
        "assert 'PyQt6' not in sys.modules, 'Qt'; "
        "import bci_live.window.main_window; assert 'torch' not in sys.modules, 'torch'"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_loads_before_the_window_is_on_the_screen() -> None:
    late = """
class Late(ExampleSource):
    entered = False

    def __enter__(self):
        self.entered = True
        print([w.windowTitle() for w in QApplication.topLevelWidgets() if w.isVisible()], flush=True)
        return self

source = Late(example_snapshot(), example_chunk())
"""
    closing = _WHEN_OPEN.format(until="source.entered", then="window.close()")
    code, out, err = finish(start(late + closing, QT_QPA_PLATFORM="offscreen"))
    assert code == 0, err
    assert "['example']" in out.splitlines()
