"""Streams are listed as they announce themselves and as they are heard."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import uuid
from dataclasses import replace

import numpy as np
import pylsl
import pytest
from rich.console import Console

from bci_live.streams.survey import StreamReport, Survey
from bci_live.streams.survey_table import survey_table
from tests.streams.test_inlet import ROOT, outlet
from tests.waiting import wait_until

RATE = 250.0


def of(name: str, reports: tuple[StreamReport, ...]) -> StreamReport | None:
    return next((it for it in reports if it.name == name), None)


def test_a_stream_is_measured_while_it_sends_and_seen_to_stop() -> None:
    name = f"survey-{uuid.uuid4()}"
    with outlet(name) as process, Survey() as listening:
        heard: list[StreamReport] = []

        def measured() -> bool:
            report = of(name, listening.listen(0.2))
            heard[:] = [report] if report else []
            return bool(report and report.samples > 2 * RATE)

        wait_until(measured, 20, "two seconds of the stream")
        (eeg,) = heard
        assert (eeg.kind, eeg.channels, eeg.rate, eeg.source_id) == ("EEG", 2, RATE, f"source-{name}")
        assert eeg.measured_rate == pytest.approx(RATE, rel=0.1)
        assert eeg.age_s is not None
        assert eeg.age_s < 0.5
        assert eeg.offset_ms == pytest.approx(0, abs=5)  # the same machine
        markers = of(f"{name}-m", listening.listen(0.1))
        assert markers is not None
        assert (markers.rate, markers.measured_rate) == (0.0, 0.0)
        assert markers.samples >= 4
        if sys.platform != "win32":
            process.send_signal(signal.SIGSTOP)
            wait_until(lambda: (of(name, listening.listen(0.2)) or eeg).age_s > 1.0, 10, "the stream to be old")
            silent = of(name, listening.listen(0.1))
            assert silent is not None
            assert silent.measured_rate == 0  # not what it was before
            markers = of(f"{name}-m", listening.listen(0.1))
            assert markers is not None
            assert not markers.stale  # of an irregular stream nothing is expected
            process.send_signal(signal.SIGCONT)


def test_what_is_not_as_announced_is_red_in_the_table() -> None:
    good = StreamReport("cap", "EEG", "lab", 8, 250.0, 250.3, 1000, 0.01, 0.2, 0.1, "s", "abcdefgh-1", "")
    slow = StreamReport("belt", "EEG", "lab", 4, 252.0, 126.0, 500, 0.1, None, None, "s", "abcdefgh-4", "")
    lost = StreamReport("band", "EEG", "lab", 4, 256.0, 128.0, 500, 3.0, None, None, "s", "abcdefgh-2", "")
    dead = StreamReport(
        "old", "Markers", "lab", 1, 0.0, None, 0, None, None, None, "s", "abcdefgh-3", "does not answer"
    )
    console = Console(width=200, record=True, force_terminal=True, file=io.StringIO())
    console.print(survey_table([good, slow, lost, dead]))
    html = console.export_html(inline_styles=True)
    assert "250.3 Hz" in html
    assert "128.0 Hz" not in html  # it is no longer so
    for text in ("126.0 Hz", "silent", "3.00 s ago", "does not answer"):
        at = html.index(text)
        assert "color: #800000" in html[at - 60 : at], text


def test_a_slow_stream_is_silent_only_after_its_own_samples_fail_to_come() -> None:
    slow = StreamReport("temperature", "Misc", "lab", 1, 0.5, 0.5, 9, 1.9, None, None, "s", "abcdefgh-1", "")
    assert not slow.stale
    assert replace(slow, age_s=4.1).stale


def test_the_measured_rate_is_that_of_the_last_seconds() -> None:
    name = f"survey-{uuid.uuid4()}"
    sender = pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", 1, 100.0, pylsl.cf_float32, name))
    speed, stop = [100], threading.Event()

    def send() -> None:
        while not stop.wait(0.05):
            sender.push_chunk(np.zeros((speed[0] // 20, 1), np.float32))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        with Survey() as listening:

            def rate() -> float:
                report = of(name, listening.listen(0.2))
                return (report.measured_rate if report else None) or 0.0

            wait_until(lambda: 60 < rate() < 110, 20, "the full rate")
            for _ in range(20):
                listening.listen(0.2)
            speed[0] = 40
            # On an average since the beginning it would be over 60 for 12 s and longer.
            wait_until(lambda: rate() < 45, 9, "the rate it has now")
    finally:
        stop.set()
        thread.join()


def test_a_clock_that_was_measured_once_has_no_spread_yet() -> None:
    name = f"survey-{uuid.uuid4()}"
    with outlet(name), Survey() as listening:
        spreads: list[float | None] = []

        def measured_twice() -> bool:
            report = of(name, listening.listen(0.2))
            if report and report.offset_ms is not None:
                spreads.append(report.offset_spread_ms)
            return bool(spreads) and spreads[-1] is not None

        # liblsl measures every few seconds, and is asked fifty times a second.
        wait_until(measured_twice, 30, "the second measurement")
    assert spreads[0] is None
    assert spreads[-1] is not None
    assert spreads[-1] > 0


LONG = StreamReport(
    "OpenBCI_EEG_of_the_lab", "EEG", "laboratory-3.local", 8, 250.0, 250.3, 999, 0.01, -1250.2, 0.1,
    "openbci-cyton-of-the-laboratory-0042", "abcdefgh-1", "",
)  # fmt: skip
IDENTITY = (LONG.name, LONG.kind, LONG.host, LONG.source_id, LONG.uid[:8])
FIGURES = ("8", "250 Hz", "250.3 Hz", "0.01 s ago", "-1250.20 ± 0.05 ms")


def printed(width: int) -> list[str]:
    console = Console(width=width, force_terminal=True, color_system=None, file=io.StringIO())
    console.print(survey_table([LONG], width), crop=False)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_narrow_table_shows_which_stream_it_is_and_cuts_nothing(width: int) -> None:
    headings, *lines = printed(width)
    assert max(map(len, (headings, *lines))) <= width
    for text in FIGURES:
        assert text in lines[0]
    for heading in ("stream", "announced", "measured", "last sample", "clock offset"):
        assert heading in headings
    wide = headings.index(" ch ")  # no name is wider than its column, and what is wider goes on below
    assert "".join(line[:wide].strip() for line in lines) == "".join(IDENTITY)


def test_a_wide_table_has_one_line_a_stream() -> None:
    headings, line = printed(180)
    for text in (*IDENTITY, *FIGURES):
        assert text in line
    assert "source id" in headings


def test_through_a_pipe_nothing_is_cut() -> None:
    name = f"survey-of-a-laboratory-{uuid.uuid4()}"
    with outlet(name):
        with Survey() as listening:  # `survey` raises as long as there is none
            wait_until(lambda: of(name, listening.listen(0.2)) is not None, 20, "the stream")
        done = run_streams("--seconds", "2")
    line = next(line for line in done.stdout.splitlines() if line.startswith(f"{name} "))
    assert "…" not in done.stdout
    assert "250 Hz" in line


def test_a_watch_prints_json_each_second_and_ends() -> None:
    name = f"survey-{uuid.uuid4()}"
    with outlet(name):
        done = run_streams("--watch", "--json", "--seconds", "4")
    assert done.returncode == 0
    seconds = [json.loads(line) for line in done.stdout.splitlines()]
    assert 3 <= len(seconds) <= 5
    assert any(it["name"] == name and it["samples"] > 100 for it in seconds[-1])


def run_streams(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bci_live", "streams", *options],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
