"""A headset in trouble: whatever it does, each marker ends once, and no epoch holds a wrong sample.

Other troubles are tested where the part is that meets them: an outlet that is killed and restarted in streams/test_inlet.py,
one that comes back with other channels, rate, units or source id in streams/test_returning.py, packets twice or overtaken in
streams/test_arrivals.py, a recorder's `kill -9` to the sample, a full disk and one that is too small in
sessions/test_recorder.py, a disk that is slow in live/test_slow_disk.py, a replay that is killed under the window in
live/test_launcher.py, a stall that makes the stream STALE in streams/test_inlet.py and window/test_main_window.py, cut and
bit-flipped files in sessions/test_damage.py (all of them by benchmarks/damage.py).
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bci_live.config import EpochConfig, FilterConfig
from bci_live.live.epocher import Epocher
from bci_live.live.mailbox import Mailbox
from bci_live.live.telemetry import Telemetry
from bci_live.sessions.recording import read_recording
from bci_live.sessions.replay import outlet_source_ids
from bci_live.signal.epoching import EpochPlan
from bci_live.streams.awaited import AwaitedMarkers, MarkerSearch
from bci_live.streams.clock import local_clock
from bci_live.streams.discovery import find_eeg, find_markers
from bci_live.streams.inlet import EegInlet, MarkerInlet, StreamStatus
from bci_live.types import Epoch, FloatArray
from tests.system.conftest import ROOT
from tests.system.fault_outlet import BLOCK, BURST, EVERY, FLOOD, FLOOD_S, FROM_S, RATE
from tests.waiting import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

BEFORE_S, AFTER_S = 0.1, 0.5
PATIENCE_S = 25.0


class CountsKept(EpochPlan):
    """Cuts as the program does, but neither filters nor rejects: so each sample can be known by its count."""

    def __init__(self) -> None:
        epoch = EpochConfig(start_s=-BEFORE_S, stop_s=AFTER_S, baseline=False, reject_uv=None)
        super().__init__(RATE, RATE, FilterConfig(pre_roll_s=0.0), epoch)

    def prepare(self, samples: FloatArray) -> FloatArray:
        return np.ascontiguousarray(samples.T)


class Outcomes:
    """What became of the markers of a troubled stream, by the counts of their samples."""

    def __init__(self) -> None:
        self.epochs: dict[int, Epoch] = {}
        self.missed: dict[int, str] = {}
        self.status: StreamStatus | None = None
        self.markers = 0
        self.wrong = 0
        self.ended = 0
        # The numbers of a flood's markers that got their epoch.
        self.flood: list[int] = []

    def reasons(self) -> Counter[str]:
        return Counter(self.missed.values())

    def shown_between(self, start_s: float, end_s: float) -> list[int]:
        return [count for count in self.epochs if start_s <= count / RATE < end_s]


@contextmanager
def troubled(scenario: str) -> Iterator[str]:
    name = f"fault-{uuid.uuid4()}"
    process = subprocess.Popen([sys.executable, "-m", "tests.system.fault_outlet", name, scenario], cwd=ROOT)
    try:
        yield name
    finally:
        process.kill()
        process.wait()


def listen(scenario: str, seconds: float) -> Outcomes:
    """Listen through the program's own inlets and epocher; nothing is judged here but that the samples are right."""
    outcomes, mailbox = Outcomes(), Mailbox[Epoch](100_000)
    telemetry = Telemetry(1)
    with (
        troubled(scenario) as name,
        EegInlet(find_eeg(name, 20)) as eeg,
        (
            AwaitedMarkers(MarkerSearch(f"{name}-m"))
            if scenario == "the markers come late"
            else MarkerInlet(find_markers(f"{name}-m", 20))
        ) as markers,
    ):
        card = SimpleNamespace(channels=eeg.facts.channels, labels=("dog",), marker_labels={})
        epocher = Epocher(eeg, markers, CountsKept(), card, mailbox, telemetry, local_clock, timeout_s=3.0)
        end, latest = time.monotonic() + seconds, time.monotonic() + seconds + PATIENCE_S
        # A flood takes longer where others need the processor, too; some of the markers after it show that all of it came.
        least = FLOOD + round(seconds * RATE) // EVERY if scenario == "a flood of markers" else 0
        while (now := time.monotonic()) < end or (telemetry.counts().markers < least and now < latest):
            epocher.step()
        outcomes.status = eeg.status()
        epocher.close()
        epocher.give_up()
        assert not markers.trouble()
    while (epoch := mailbox.take(0.0)) is not None:
        told = json.loads(epoch.marker.detail)
        count = told["count"]
        if "flood" in told:
            outcomes.flood.append(told["flood"])
        else:
            outcomes.epochs[count] = epoch
        expected = count - round(BEFORE_S * RATE) + np.arange(epoch.data.shape[1])
        outcomes.wrong += int((epoch.data[0] != expected).sum())
    for missed in telemetry.drain():
        told = json.loads(missed.marker.detail)
        if "flood" not in told:
            outcomes.missed[told["count"]] = missed.reason.value
    outcomes.ended = len(outcomes.flood) + len(outcomes.epochs) + len(outcomes.missed)
    outcomes.markers = telemetry.counts().markers
    return outcomes


SECONDS = {
    "one second is lost": FROM_S + 5,
    "ten seconds are lost": FROM_S + 14,
    "the clock goes on 10 s": FROM_S + 5,
    "the clock goes back 10 s": FROM_S + 5,
    "the clock goes back 2 s": FROM_S + 5,
    "the clock drifts by 100 ppm": FROM_S + 5,
    "every fifth packet is lost": FROM_S + 10,
    "a flood of markers": FROM_S + FLOOD_S + 8,
    "a burst of markers": FROM_S + 6,
    "a burst of NaN": FROM_S + 3,
    "the markers come late": FROM_S + 8,
}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcomes]:
    """Of each scenario; some are listened to at once, which none of them may feel."""
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(SECONDS, pool.map(listen, SECONDS, SECONDS.values()), strict=True))


def check_each_ended_once(outcomes: Outcomes, flood: int = 0) -> None:
    """Every marker that the sender numbered, from the first to the last that came; and so many besides."""
    ended = sorted([*outcomes.epochs, *outcomes.missed])
    assert ended == list(range(ended[0], ended[-1] + 1, EVERY))
    assert len(ended) + flood == outcomes.markers
    assert outcomes.ended == outcomes.markers
    assert outcomes.wrong == 0


def test_a_lost_second_costs_the_markers_whose_window_it_touches_and_no_others(outcomes: dict[str, Outcomes]) -> None:
    it = outcomes["one second is lost"]
    check_each_ended_once(it)
    assert it.status is not None
    assert (it.status.breaks, it.status.health.lost, it.status.health.clock_steps) == (1, 250, 0)
    # Windows from 0.1 s before to 0.5 s after: those of the markers from 4.5 to 6.0 s touch the hole.
    lost = [count for count, reason in it.missed.items() if reason == "gap"]
    assert {5.0, 5.5} <= {count / RATE for count in lost} <= {4.5, 5.0, 5.5, 6.0}
    assert len(it.shown_between(6.5, 9)) >= 4


def test_after_ten_lost_seconds_it_goes_on_by_itself(outcomes: dict[str, Outcomes]) -> None:
    it = outcomes["ten seconds are lost"]
    check_each_ended_once(it)
    assert len(it.shown_between(FROM_S, FROM_S + 10)) == 0
    assert len(it.shown_between(FROM_S + 10.5, FROM_S + 13)) >= 4
    assert set(it.reasons()) <= {"gap", "late", "too_old"}


@pytest.mark.parametrize("step", ["goes on 10 s", "goes back 10 s", "goes back 2 s"])
def test_after_a_step_of_the_senders_clock_epochs_are_right_again_at_once(
    outcomes: dict[str, Outcomes], step: str
) -> None:
    it = outcomes[f"the clock {step}"]
    check_each_ended_once(it)
    assert it.status is not None
    assert (it.status.health.clock_steps, it.status.health.lost) == (1, 0)
    assert len(it.shown_between(FROM_S + 1, FROM_S + 4)) >= 5


def test_a_drifting_clock_costs_nothing(outcomes: dict[str, Outcomes]) -> None:
    it = outcomes["the clock drifts by 100 ppm"]
    check_each_ended_once(it)
    assert it.status is not None
    assert it.status.breaks == 0
    assert set(it.reasons()) <= {"late", "too_old"}  # the first and the last
    assert len(it.epochs) >= 15


def test_with_every_fifth_packet_lost_no_epoch_is_spliced(outcomes: dict[str, Outcomes]) -> None:
    it = outcomes["every fifth packet is lost"]
    check_each_ended_once(it)
    assert it.status is not None
    assert it.status.breaks >= 25
    assert it.status.health.lost >= 25 * BLOCK
    assert it.reasons()["gap"] >= 10


@pytest.mark.parametrize(("scenario", "markers"), [("a burst of markers", BURST), ("a flood of markers", FLOOD)])
def test_of_a_flood_of_markers_each_gets_its_epoch(outcomes: dict[str, Outcomes], scenario: str, markers: int) -> None:
    it = outcomes[scenario]
    check_each_ended_once(it, flood=markers)
    assert sorted(it.flood) == list(range(markers))


def test_numbers_that_are_none_reach_no_decoder(outcomes: dict[str, Outcomes]) -> None:
    """Here rejection is off; that such an epoch is an artefact is shown where epochs are judged."""
    it = outcomes["a burst of NaN"]
    check_each_ended_once(it)
    spoilt = [count for count, epoch in it.epochs.items() if not np.isfinite(epoch.data).all()]
    assert spoilt == []
    assert it.reasons()["artefact"] >= 1
    assert it.status is not None
    assert it.status.health.not_numbers >= 40


def test_markers_whose_stream_comes_late_get_their_epochs_from_then_on(outcomes: dict[str, Outcomes]) -> None:
    it = outcomes["the markers come late"]
    check_each_ended_once(it)
    # It is looked for every two seconds, and LSL takes a moment to open it.
    assert FROM_S <= min(it.epochs) / RATE <= FROM_S + 4
    assert it.reasons()["gap"] == 0
    assert len(it.epochs) >= 5


@contextmanager
def program(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bci_live", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_killing_recorder_and_replay_costs_the_live_program_nothing_but_their_own(tmp_path: Path) -> None:
    """Each with `kill -9`, as programs of their own; the replay comes back as it was, elsewhere in its file."""
    source = f"fault-{uuid.uuid4()}"
    replay = ("replay", "recordings/demo.xdf", "--source-id", source, "--wait", 60)
    eeg_id, markers_id = outlet_source_ids(ROOT / "recordings/demo.xdf", source)
    live = (
        "live", "--headless", "--stream-id", eeg_id, "--markers-id", markers_id, "--device", "cpu", "--json",
        "--out", tmp_path / "live",
    )  # fmt: skip

    def shown() -> int:
        file = tmp_path / "live" / "live.jsonl"
        return sum('"shown"' in line for line in file.read_text().splitlines()) if file.exists() else 0

    with program(*replay) as sender, program(*live) as watching:
        wait_until(lambda: shown() >= 1, 60, "a picture")
        with program("record", "--out", tmp_path / "rec") as recorder:
            wait_until(lambda: any(it.stat().st_size > 50_000 for it in tmp_path.rglob("*.xdf")), 30, "a recording")
            recorder.kill()
            recorder.wait()
        after_recorder = shown()
        wait_until(lambda: shown() >= after_recorder + 2, 20, "pictures after the recorder was killed")
        sender.kill()
        sender.wait()
        after_sender = shown()
        with program(*replay, "--start", 30):
            wait_until(lambda: shown() >= after_sender + 3, 40, "pictures of the replay that came back")
            watching.send_signal(signal.SIGINT)
            said, errors = watching.communicate(timeout=30)
    assert watching.returncode == 0, errors
    summary = json.loads(said.splitlines()[-1])
    assert summary["markers"] == summary["shown"] + sum(summary["missed"].values())
    assert set(summary["missed"]) <= {"gap", "late", "too_old"}
    assert summary["breaks"] == 1  # the killed replay; the recorder left no trace
    (recorded,) = tmp_path.rglob("*.xdf")
    recording = read_recording(recorded)
    assert len(recording.stamps) > recording.facts.rate
    steps = np.diff(recording.stamps) * recording.facts.rate
    np.testing.assert_allclose(steps, 1, atol=0.01)
