"""Streams are listed as they announce themselves and as they are heard."""

from __future__ import annotations

import io
import signal
import sys
import uuid

import pytest
from rich.console import Console

from bci_live.streams.survey import StreamReport, Survey
from bci_live.streams.survey_table import survey_table
from tests.streams.test_inlet import outlet
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
            process.send_signal(signal.SIGCONT)


def test_what_is_not_as_announced_is_red_in_the_table() -> None:
    good = StreamReport("cap", "EEG", "lab", 8, 250.0, 250.3, 1000, 0.01, 0.2, 0.1, "s", "abcdefgh-1", "")
    slow = StreamReport("band", "EEG", "lab", 4, 256.0, 128.0, 500, 3.0, None, None, "s", "abcdefgh-2", "")
    dead = StreamReport(
        "old", "Markers", "lab", 1, 0.0, None, 0, None, None, None, "s", "abcdefgh-3", "does not answer"
    )
    console = Console(width=200, record=True, force_terminal=True, file=io.StringIO())
    console.print(survey_table([good, slow, dead]))
    html = console.export_html(inline_styles=True)
    assert "250.3 Hz" in html
    for text in ("128.0 Hz", "3.00 s ago", "does not answer"):
        at = html.index(text)
        assert "color: #800000" in html[at - 60 : at], text
