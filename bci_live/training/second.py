"""A second process of a training: of two cores, each has its work."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Generic, TypeVar, cast

from bci_live.training.threads import one_thread

# A number of this process's → its sum with the other's.
Agree = Callable[[float], float]
Result = TypeVar("Result")


class Lost(Exception):
    """The second process is no more, for want of memory for instance; what it was to do has to be done here."""


class Second:
    """The second process, as the first sees it. It does one piece of work at a time, with one thread."""

    def __init__(self, link: Connection) -> None:
        self._link = link

    def begin(self, work: Callable[[Agree], Result]) -> Task[Result]:
        """Let it call `work`, which has to be picklable, and so has its result. If it is lost, the task tells."""
        with suppress(ConnectionError):
            self._link.send(work)
        return Task(self._link)


class Task(Generic[Result]):
    """What the second process is doing."""

    def __init__(self, link: Connection) -> None:
        self._link = link

    def agree(self, number: float) -> float:
        """The sum of a number of this process's and the other's, which calls its own `agree` as often."""
        with _told():
            return _agree(self._link, number)

    def result(self) -> Result:
        """Wait for it."""
        with _told():
            return cast(Result, self._link.recv())


@contextmanager
def second_process(wanted: bool) -> Iterator[Second | None]:
    """Start one, if it is wanted; it ends with the block, whatever it is doing."""
    if not wanted:
        yield None
        return
    # Spawned: a forked process hangs where its parent has had OpenMP threads.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    with _without_interrupts():
        process.start()
    theirs.close()
    try:
        yield Second(ours)
    finally:
        process.kill()
        process.join()
        ours.close()


def _serve(link: Connection) -> None:
    """The second process's life."""
    with suppress(EOFError, ConnectionError):  # until the first is killed
        while True:
            work = link.recv()
            with one_thread():  # as the first, so that the bits are the same in either
                result = work(lambda number: _agree(link, number))
            link.send(result)


def _agree(link: Connection, number: float) -> float:
    link.send(number)
    return number + float(link.recv())


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (EOFError, ConnectionError) as error:
        raise Lost from error


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """What is started here never hears of Ctrl-C: the first process ends it, without a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
