"""A disk that takes nothing for a while: it is told on screen, the session goes on, and in the end all is in the file."""

from __future__ import annotations

import io
import os
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from bci_live.live.recording import LiveRecording
from bci_live.live.snapshot import RecordingRequest, RecordingStatus
from bci_live.sessions import recorder, xdf_writer
from bci_live.sessions.record import record
from bci_live.sessions.recorder import HELD_S
from bci_live.streams.inlet import EegInlet
from tests.sessions.test_recorder import find, load
from tests.streams.test_inlet import outlet
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(90)


class Disk:
    """Takes what is written, or lets the writer wait until it does."""

    def __init__(self) -> None:
        self.takes = threading.Event()
        self.takes.set()

    def open(self, path: Path) -> io.FileIO:
        class File(io.FileIO):
            def write(file, data: Any) -> int:
                self.takes.wait()
                return super().write(data)

        return File(os.fspath(path), "xb")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk()

    class OnDisk(type(Path())):  # type: ignore[misc]
        def open(self, mode: str, buffering: int) -> io.FileIO:
            return disk.open(self)

    monkeypatch.setattr(xdf_writer, "Path", OnDisk)
    yield disk
    disk.takes.set()


class Clock:
    """Runs as time does, but can be set on: nobody waits six minutes for a test."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


def test_a_disk_that_holds_the_recording_up_is_told_and_stalls_nothing_else(tmp_path: Path, disk: Disk) -> None:
    name, clock = f"slow-{uuid.uuid4()}", Clock()
    with outlet(name):
        infos = find(name)
        with EegInlet(infos[0]) as eeg, LiveRecording(RecordingRequest(tmp_path), lambda: infos, clock) as recording:

            def status() -> RecordingStatus:
                told = recording.status()
                assert told is not None
                return told

            wait_until(lambda: recording.status() is not None and status().size > 5_000, 20, "the recording")
            disk.takes.clear()
            before = eeg.ring.count
            clock.ahead_s = 11.0
            wait_until(lambda: "the recording is 1" in status().problem, 10, "the error on screen")
            assert status().running
            assert "Nothing is lost yet" in status().problem
            assert status().seconds > 11
            wait_until(lambda: eeg.ring.count > before + 250, 10, "a second of the session's own EEG")
            assert not eeg.status().stale
            disk.takes.set()
            wait_until(lambda: status().problem == "", 10, "all to be well again")
            recording.stop()
            wait_until(lambda: not recording.running, 20, "the end")
        counts = load(status().path)[name]["time_series"][:, 0]
        assert len(counts) > 250
        assert (np.diff(counts) == 1).all()
        assert recording.problem == ""


def test_what_is_lost_because_the_disk_was_slow_for_too_long_is_told_to_the_end(tmp_path: Path, disk: Disk) -> None:
    name, clock = f"slow-{uuid.uuid4()}", Clock()
    with outlet(name):
        infos = find(name)
        with LiveRecording(RecordingRequest(tmp_path), lambda: infos, clock) as recording:
            wait_until(lambda: recording.status() is not None, 20, "the recording")
            disk.takes.clear()
            clock.ahead_s = HELD_S + 5.0
            wait_until(lambda: "is not in the file" in recording.status().problem, 10, "the loss to be told")  # type: ignore[union-attr]
            disk.takes.set()
            recording.stop()
            wait_until(lambda: not recording.running, 20, "the end")
        status = recording.status()
        assert status is not None
        assert "what came before these is not in the file" in status.problem


def test_the_command_tells_it_in_the_terminal_while_it_waits_for_the_disk(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, terminal = f"slow-{uuid.uuid4()}", io.StringIO()
    monkeypatch.setattr(recorder, "_SLOW_DISK_S", 0.5)

    def hold_up() -> None:
        """From the first samples on, until it is told."""
        wait_until(lambda: any(it.stat().st_size > 5_000 for it in tmp_path.rglob("*.xdf")), 30, "the recording")
        disk.takes.clear()
        try:
            wait_until(
                lambda: "The disk is slow: the recording is 1 s behind" in terminal.getvalue(), 20, "the sentence"
            )
        finally:
            disk.takes.set()

    with outlet(name), ThreadPoolExecutor(1) as pool:
        held_up = pool.submit(hold_up)
        done = record(tmp_path, [name], seconds=5, console=Console(file=terminal, force_terminal=True, width=300))
        held_up.result()
    counts = load(done.path)[name]["time_series"][:, 0]
    assert (np.diff(counts) == 1).all()
