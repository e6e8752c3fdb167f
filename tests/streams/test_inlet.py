"""Inlets against a real outlet in another process."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pylsl
import pytest

from bci_live.errors import StreamError
from bci_live.live.epocher import MOST_PENDING
from bci_live.streams.discovery import find_eeg, find_markers
from bci_live.streams.inlet import _MOST_MARKERS, EegInlet, MarkerInlet
from bci_live.streams.outlet import open_eeg_outlet, open_marker_outlet
from bci_live.streams.ring import Window
from bci_live.types import StreamFacts
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def outlet(name: str, first: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.streams.outlet_process", name, f"source-{name}", str(first)], cwd=ROOT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_every_sample_arrives_once_in_order_in_microvolts_and_markers_fall_on_their_sample() -> None:
    name = f"test-{uuid.uuid4()}"
    with outlet(name), EegInlet(find_eeg(name, 15)) as eeg, MarkerInlet(find_markers(f"{name}-m", 15)) as inlet:
        wait_until(lambda: eeg.ring.count > 700, 15, "700 samples")
        chunk = eeg.ring.latest(60)
        steps = np.diff(chunk.samples[:, 0])
        assert (steps == 1).all()
        assert (chunk.samples[:, 1] == 1000).all()  # one millivolt
        assert eeg.facts.channels == ("count", "mV")
        assert eeg.status().breaks == 0
        assert not eeg.status().stale
        found = []
        wait_until(lambda: bool(found.extend(inlet.pop()) or found), 10, "a marker")
        marker = found[0]
        window = eeg.ring.window(marker.time, 0, 1)
        assert isinstance(window, Window)
        assert marker.label == f"m{int(window.samples[0, 0])}"


def test_a_killed_and_restarted_outlet_leaves_a_gap_not_a_splice() -> None:
    name = f"test-{uuid.uuid4()}"
    with outlet(name) as process:
        eeg = EegInlet(find_eeg(name, 15), stale_s=0.5)
        with eeg:
            wait_until(lambda: eeg.ring.count > 100, 15, "samples")
            process.kill()
            wait_until(lambda: eeg.status().stale, 10, "the stream to be stale")
            before = eeg.ring.count
            with outlet(name, first=100_000):
                wait_until(lambda: eeg.ring.count > before + 100, 30, "samples of the restarted outlet")
                chunk = eeg.ring.latest(60)
    assert eeg.status().breaks == 1
    jump = int(np.flatnonzero(np.diff(chunk.samples[:, 0]) > 1)[0]) + 1
    assert jump in chunk.breaks


def test_a_stream_that_never_sends_is_stale() -> None:
    name = f"test-{uuid.uuid4()}"
    silent = open_eeg_outlet(
        StreamFacts(name, "EEG", f"source-{name}", "", "", 250.0, ("E1",), ("microvolts",)), chunk=5
    )
    with EegInlet(find_eeg(name, 15), stale_s=0.5) as eeg:
        wait_until(lambda: eeg.status().stale, 10, "the stream to be stale")
        assert eeg.status().age_s is None
    del silent


def test_markers_that_nobody_takes_are_dropped_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"test-{uuid.uuid4()}"
    with outlet(name), MarkerInlet(find_markers(f"{name}-m", 15)) as inlet:
        assert inlet.trouble() == ""
        inlet.pop()
        monkeypatch.setattr("bci_live.streams.inlet._MOST_MARKERS", 1)
        wait_until(lambda: bool(inlet.trouble()), 20, "a dropped marker")
        assert f"'{name}-m'" in inlet.trouble()
        assert "were dropped" in inlet.trouble()
        assert len(inlet.pop()) == 1
        assert inlet.pop_dropped() >= 1
        monkeypatch.undo()
        inlet.pop_dropped()
        assert inlet.pop_dropped() == 0  # each is told once


def test_it_is_the_epocher_that_drops_markers_which_it_can_name() -> None:
    assert _MOST_MARKERS > MOST_PENDING


def test_a_marker_that_is_no_text_is_counted_and_the_next_one_comes() -> None:
    name = f"test-{uuid.uuid4()}"
    facts = StreamFacts(name, "Markers", f"source-{name}", "", "", 0.0, ("marker",), ("",))
    sender = open_marker_outlet(facts)
    with MarkerInlet(find_markers(name, 15)) as inlet:
        wait_until(sender.have_consumers, 10, "a listener")
        # What a program in another encoding sends; pylsl itself would encode as UTF-8.
        pylsl.lib.lib.lsl_push_sample_str(sender.obj, (ctypes.c_char_p * 1)(b"\xff\xfe"))
        sender.push_sample(["face"])
        found: list[str] = []
        wait_until(lambda: bool(found.extend(m.label for m in inlet.pop()) or found), 10, "the next marker")
        assert found == ["face"]
        assert "1 could not be read" in inlet.trouble()


def test_closing_leaves_no_thread() -> None:
    name = f"test-{uuid.uuid4()}"
    before = {thread.name for thread in threading.enumerate()}
    with outlet(name), EegInlet(find_eeg(name, 15)), MarkerInlet(find_markers(f"{name}-m", 15)):
        pass
    assert {thread.name for thread in threading.enumerate()} == before


def test_of_two_streams_of_one_name_neither_is_taken_by_chance() -> None:
    name = f"twins-{uuid.uuid4()}"
    kind = ("EEG", 1, 100.0, pylsl.cf_float32)
    twins = [pylsl.StreamOutlet(pylsl.StreamInfo(name, *kind, f"{name}-{number}")) for number in (1, 2)]
    with pytest.raises(StreamError, match=f"from the source '{name}-[12]'.*Name one with --stream-id SOURCE"):
        find_eeg(name, 15)
    assert find_eeg(name, 15, source_id=f"{name}-2").source_id() == f"{name}-2"
    del twins


def test_an_absent_stream_is_named_and_those_there_are_listed() -> None:
    name = f"test-{uuid.uuid4()}"
    with outlet(name), pytest.raises(StreamError, match="nobody"):
        find_eeg("nobody", 2)
    with outlet(name), pytest.raises(StreamError, match="is no EEG stream: its type is 'Markers'"):
        find_eeg(f"{name}-m", 15)
