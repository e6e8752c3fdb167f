"""A stage of the pipeline: one thread that repeats one step, and survives what the step raises."""

from __future__ import annotations

import gc
import logging
import math
import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import NoReturn

from bci_live.errors import BciError

log = logging.getLogger(__name__)

# A step that fails at once every time must not eat a core.
_PAUSE_S = 0.1
# A step is at most one picture; a device that hangs for so long must not hang the program's end.
_LONGEST_STEP_S = 20.0


class ErrorLog:
    """What went wrong in the live threads: each kind is logged once (a bug with its traceback), all are counted and shown."""

    def __init__(self, shown: int = 20, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._last: dict[str, float] = {}
        self._recent: deque[str] = deque(maxlen=shown)
        self._lock = threading.Lock()

    def report(self, stage: str, error: BaseException) -> None:
        """Count and show an error of a stage."""
        text = f"{stage}: {error or type(error).__name__}"
        with self._lock:
            self._counts[text] += 1
            first = self._counts[text] == 1
            if text in self._recent:
                self._recent.remove(text)
            self._recent.append(text)
            self._last = {it: self._last[it] for it in self._recent if it != text} | {text: self._clock()}
        if first:
            # What the user can mend is a sentence; only a bug needs its traceback.
            log.error("%s", text, exc_info=None if isinstance(error, BciError) else error)

    def recent(self, within_s: float = math.inf) -> tuple[str, ...]:
        """The last different errors, newest first, with how often they came; those that came `within_s` seconds."""
        with self._lock:
            since = self._clock() - within_s
            return tuple(
                f"{text} ({self._counts[text]} times)" if self._counts[text] > 1 else text
                for text in reversed(self._recent)
                if self._last[text] >= since
            )

    @property
    def total(self) -> int:
        """How many errors there were."""
        with self._lock:
            return self._counts.total()


class StageThread(threading.Thread):
    """A stage's thread, or another one of a session, that nothing is lost by when it is left behind."""


def leave(code: int) -> NoReturn:
    """End the program; at once where a stage was left behind in a step.

    Such a thread is inside a native operation. When that returns into an interpreter that has ended, the whole program
    aborts, and what called it would take a good run for a crash.
    """
    if any(isinstance(thread, StageThread) for thread in threading.enumerate()):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    # What torch and diffusers have made, a million objects, would be walked through for seconds before all of it goes anyway.
    gc.freeze()
    sys.exit(code)


class Stage:
    """Calls `step` again and again in a thread of its own until `stop`, then `last` once. A step waits at most a moment."""

    def __init__(
        self, name: str, step: Callable[[], None], errors: ErrorLog, last: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self._step, self._last = step, last
        self._errors = errors
        self._stopping = threading.Event()
        self._thread = StageThread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present step, and wait for that, but not for ever."""
        self._stopping.set()
        if not self._thread.is_alive():
            return
        self._thread.join(_LONGEST_STEP_S)
        if self._thread.is_alive():
            log.error("%s: still busy %g s after it was told to end; it is left behind", self.name, _LONGEST_STEP_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._survive(self._step)
        self._survive(self._last)

    def _survive(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the one home of a broad except: a stage survives its bugs
            self._errors.report(self.name, error)
            self._stopping.wait(_PAUSE_S)
