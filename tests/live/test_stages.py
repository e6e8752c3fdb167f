"""A stage survives what its step raises, says it once, and ends when it is told to."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

import pytest

from bci_live.errors import StreamError
from bci_live.live.stages import ErrorLog, Stage
from tests.waiting import wait_until


def test_a_bug_is_logged_once_with_its_traceback_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    steps: list[int] = []

    def step() -> None:
        steps.append(len(steps))
        if len(steps) < 4:
            raise ZeroDivisionError("by nought")

    errors = ErrorLog()
    stage = Stage("dividing", step, errors)
    with caplog.at_level(logging.ERROR):
        stage.start()
        wait_until(lambda: len(steps) > 5, 10, "the stage to go on")
        stage.stop()
    assert errors.total == 3
    assert errors.recent() == ("dividing: by nought (3 times)",)
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info


def test_an_error_that_does_not_come_again_is_old_after_a_while() -> None:
    now = 0.0
    errors = ErrorLog(shown=2, clock=lambda: now)
    errors.report("decoding", StreamError("odd"))
    now = 50.0
    errors.report("drawing", StreamError("pale"))
    assert errors.recent(within_s=60) == ("drawing: pale", "decoding: odd")
    now = 70.0
    assert errors.recent(within_s=60) == ("drawing: pale",)
    errors.report("decoding", StreamError("odd"))
    assert errors.recent(within_s=10) == ("decoding: odd (2 times)",)
    assert errors.recent() == ("decoding: odd (2 times)", "drawing: pale")


def test_what_a_user_can_mend_is_a_sentence_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        ErrorLog().report("decoding", StreamError("The stream is gone."))
    assert "The stream is gone." in caplog.text
    assert "StreamError" not in caplog.text
    assert not caplog.records[0].exc_info


def test_stopping_does_the_last_thing_in_the_stages_own_thread_and_leaves_no_thread() -> None:
    said: list[str] = []
    stage = Stage("s", lambda: None, ErrorLog(), lambda: said.append(threading.current_thread().name))
    stage.start()
    stage.stop()
    stage.stop()
    assert said == ["s"]
    assert "s" not in {thread.name for thread in threading.enumerate()}


_BUSY = """
import subprocess
import sys
import threading
import torch
from bci_live.live import stages

stages._LONGEST_STEP_S = 0.1
begun = threading.Event()

def step():
    begun.set()
    torch.nn.functional.conv2d(torch.randn(8, 64, 512, 512), torch.randn(64, 64, 3, 3))

stage = stages.Stage("drawing", step, stages.ErrorLog())
stage.start()
begun.wait()
stage.stop()
print("all is written")
stages.leave(3)
"""


def test_a_step_that_cannot_be_waited_for_does_not_make_the_programs_end_a_crash() -> None:
    ended = subprocess.run([sys.executable, "-c", _BUSY], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (3, "all is written\n")
    assert "drawing: still busy" in ended.stderr
