"""A second process of a training: of two cores, each has its work.

A program of its own rather than `multiprocessing`'s: that would run the caller's script once more, and cannot be started everywhere.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Generic, TypeVar, cast

from bci_live.training.threads import one_thread

# A number of this process's → its sum with the other's.
Agree = Callable[[float], float]
Result = TypeVar("Result")

_PROGRAM = "from bci_live.training.second import serve; serve()"


class Lost(Exception):
    """The second process is no more, for want of memory for instance; what it was to do has to be done here."""


class Link:
    """Objects to the other process and back. Both ends are this program's own, so pickle is as safe as the program."""

    def __init__(self, outgoing: IO[bytes], incoming: IO[bytes]) -> None:
        self._outgoing, self._incoming = outgoing, incoming

    def send(self, thing: object) -> None:
        """Write it; raises what pickle and pipes raise."""
        # First as a whole: half of a thing that cannot be pickled would leave the other waiting for the rest.
        self._outgoing.write(pickle.dumps(thing, pickle.HIGHEST_PROTOCOL))
        self._outgoing.flush()

    def receive(self) -> Any:
        """Wait for what the other sent; raises what pickle and pipes raise."""
        return pickle.load(self._incoming)  # noqa: S301 (see the class)

    def agree(self, number: float) -> float:
        """The sum of both processes' numbers."""
        self.send(number)
        return number + float(self.receive())


class Second:
    """The second process, as the first sees it. It does one piece of work at a time, with one thread."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def begin(self, work: Callable[[Agree], Result]) -> Task[Result]:
        """Let it call `work`; if that cannot be sent, or the process is lost, the task tells."""
        try:
            with _told():
                self._link.send(work)
        except Lost:
            return Task(None)
        return Task(self._link)


class Task(Generic[Result]):
    """What the second process is doing; every method raises `Lost`."""

    def __init__(self, link: Link | None) -> None:
        self._link = link

    def agree(self, number: float) -> float:
        """The sum of a number of this process's and the other's, which calls its own `agree` as often."""
        with _told():
            return self._present.agree(number)

    def result(self) -> Result:
        """Wait for it."""
        with _told():
            return cast(Result, self._present.receive())

    @property
    def _present(self) -> Link:
        if self._link is None:
            raise Lost
        return self._link


@contextmanager
def second_process(wanted: bool) -> Iterator[Second | None]:
    """Start one, if it is wanted and can be; it ends with the block, whatever it is doing."""
    process = _started() if wanted else None
    if process is None:
        yield None
        return
    try:
        yield Second(Link(cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)))
    finally:
        process.kill()
        with suppress(OSError):  # what was still to be sent
            process.communicate()


def _started() -> subprocess.Popen[bytes] | None:
    paths = os.pathsep.join(filter(None, sys.path))
    try:
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": paths},
            # Apart from the terminal: Ctrl-C is the first one's, which ends this one without a traceback.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError:
        return None


def serve() -> None:
    """The second process's life."""
    # What libraries print goes where errors go; the output is the link.
    link = Link(os.fdopen(os.dup(1), "wb"), sys.stdin.buffer)
    os.dup2(2, 1)
    try:
        while True:
            work = link.receive()
            with one_thread():  # as the first, so that the bits are the same in either
                result = work(link.agree)
            link.send(result)
            del work, result
    except Exception:  # noqa: BLE001 - the first has ended; or it does the same again, and raises the same where it is seen
        sys.exit(1)


def leave_if_orphaned(parent: int) -> None:
    """End this process if `parent`, which started it, was killed: whoever starts anew needs the core."""
    if os.getppid() != parent:
        os._exit(1)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError, pickle.PickleError, RuntimeError, TypeError, AttributeError) as error:
        raise Lost from error
