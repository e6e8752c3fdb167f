"""A stream that is announced and does not answer costs the others nothing, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from bci_live.errors import StreamError
from bci_live.live.recording import LiveRecording
from bci_live.live.snapshot import RecordingRequest
from bci_live.sessions.recorder import Recorder
from tests.sessions.test_recorder import RATE, find, load
from tests.streams.test_inlet import outlet
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process for a while")


@contextmanager
def stopped(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Announced, and connected to by the system itself, but without an answer."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def test_a_new_stream_that_does_not_answer_holds_nobody_up_and_is_recorded_when_it_does(tmp_path: Path) -> None:
    name = f"rec-{uuid.uuid4()}"
    with outlet(name), outlet(f"{name}-new") as late:
        known, new = find(name, f"{name}-new")
        with Recorder([known], tmp_path / "a.xdf") as recorder:
            with stopped(late):
                recorder.add(new)
                slowest = 0.0
                for _ in range(100):
                    began = time.monotonic()
                    recorder.step()
                    slowest = max(slowest, time.monotonic() - began)
                    time.sleep(0.02)
                assert slowest < 1.0
                assert [it.name for it in recorder.progress()] == [name]
                assert recorder.progress()[0].samples > RATE
            wait_until(lambda: recorder.step() or len(recorder.progress()) == 2, 8, "the new stream")
            wait_until(lambda: recorder.step() or recorder.progress()[1].samples > 100, 8, "its samples")
    streams = load(tmp_path / "a.xdf")
    assert (np.diff(streams[name]["time_series"][:, 0]) == 1).all()
    assert len(streams[f"{name}-new"]["time_stamps"]) > 100


def test_rec_goes_on_and_tells_while_a_chosen_stream_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bci_live.sessions.recorder._OPEN_S", 2.0)
    name = f"rec-{uuid.uuid4()}"
    with outlet(name), outlet(f"{name}-new") as late:
        known, new = find(name, f"{name}-new")
        chosen = [known]
        with stopped(late), LiveRecording(RecordingRequest(tmp_path), lambda: chosen) as rec:
            wait_until(lambda: (it := rec.status()) is not None and it.streams[0].samples > RATE, 20, "samples")
            chosen.append(new)
            sizes = []
            for _ in range(15):
                time.sleep(0.2)
                sizes.append(rec.status().size)  # type: ignore[union-attr]
            assert min(np.diff(sizes[::5])) > 0  # each second brings some to the disk
            wait_until(lambda: "does not answer" in rec.status().problem, 10, "the sentence")  # type: ignore[union-attr]
        assert not rec.running
    assert set(load(rec.status().path)) == {name}  # type: ignore[union-attr]


def test_a_stream_that_does_not_answer_at_the_start_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bci_live.sessions.recorder._OPEN_S", 1.0)
    name = f"rec-{uuid.uuid4()}"
    with outlet(name) as process:
        infos = find(name)
        with stopped(process), pytest.raises(StreamError, match="does not answer"), Recorder(infos, tmp_path / "a.xdf"):
            pass
    assert list(tmp_path.iterdir()) == []
