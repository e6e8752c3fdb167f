"""A whole session over real LSL: a short recording is replayed by a process of its own, the models are stand-ins."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from bci_live.config import Config, DiffusionConfig, EpochConfig, FilterConfig, LiveConfig
from bci_live.live.averages import Averages
from bci_live.live.headless import run_headless
from bci_live.live.protocol_writer import prepare_folder
from bci_live.live.replay_process import ReplayProcess
from bci_live.live.session import LiveSession
from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.streams.clock import local_clock
from bci_live.streams.discovery import find_eeg, find_markers
from bci_live.types import Decoding, Epoch, Guess, Marker, Missed, MissedReason, Reconstruction, StreamFacts
from tests.streams.test_inlet import outlet
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(120)

RATE, SECONDS = 250.0, 8
FACTS = StreamFacts("Test head", "EEG", "", "", "", RATE, ("E1", "E2"), ("microvolts",) * 2)
# With the pre-roll of 1 s: the first begins before the signal, the 5th is unknown, at the 6th a blink, the last is cut off.
TIMES = (0.5, 2.0, 2.5, 3.0, 3.5, 5.0, 6.5, 7.8)
LABELS = ("dog", "dog", "house", "dog", "zebra", "dog", "house", "dog")
OUTCOMES = ["too_old", "shown", "shown", "shown", "unknown_label", "artefact", "shown", "late"]


class SaysDog:
    """Stands where the decoder does. Window and beginnings are 250 Hz, 100 ms before the onset are the baseline."""

    repair = None
    card = SimpleNamespace(
        channels=("e2", "E1"), rate=RATE, filter=FilterConfig(pre_roll_s=1.0), epoch=EpochConfig(stop_s=0.5),
        labels=("dog", "house"), marker_labels={}, prefixes=(0.1, 0.3), pipeline="", simulated=False,
    )  # fmt: skip

    def decode(self, epoch: Epoch) -> Decoding:
        blank = np.zeros((4, 4, 3), np.float32)
        return Decoding(blank, blank[0], None, {"dog": 0.7, "house": 0.3}, epoch, local_clock())

    def guess(self, epoch: Epoch, until_s: float) -> Guess:
        return Guess({"dog": 0.6, "house": 0.4}, until_s, epoch, local_clock())


class Draws:
    """Stands where diffusion does: two steps, as slow as the test wants."""

    name, note, draws_cold = "black", "", False

    def __init__(self, slow: threading.Event | None = None) -> None:
        self._slow = slow

    def load(self) -> None:
        """Nothing to load."""

    def warm_up(self, tokens: int, beside_drawing: bool = False) -> None:
        """Nothing to warm."""

    def draw_as(self, config: DiffusionConfig) -> None:
        """Black, whatever is asked for."""

    def reconstruct(self, decoding: Decoding, seed: int) -> Iterator[Reconstruction]:
        for step in (1, 2):
            if self._slow is not None:
                self._slow.wait(60)
            yield Reconstruction(np.zeros((4, 4, 3), np.uint8), step, 2, seed, decoding, local_clock())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = np.random.default_rng(0).normal(scale=10, size=(round(SECONDS * RATE), 2)).astype(np.float32)
    samples[round(5.1 * RATE) : round(5.2 * RATE), 1] += 900
    stamps = 50 + np.arange(len(samples)) / RATE
    markers = tuple(Marker(label, 50 + time, "stimuli") for label, time in zip(LABELS, TIMES, strict=True))
    path = tmp_path_factory.mktemp("session") / "session.xdf"
    write_recording(path, Recording(FACTS, samples, stamps, markers, path))
    return path


@pytest.fixture
def replay(file: Path) -> Iterator[ReplayProcess]:
    with ReplayProcess(file, loop=False, start_s=0, wait_for_consumers_s=30) as process:
        yield process


def session_of(
    replay: ReplayProcess, draws: Draws | None = None, keep_outcomes: bool = True, **live: Any
) -> LiveSession:
    eeg = find_eeg(None, 20, source_id=replay.eeg_source_id)
    markers = find_markers(None, 20, source_id=replay.marker_source_id)
    config = Config(live=LiveConfig(**live))
    return LiveSession(eeg, markers, SaysDog(), draws or Draws(), config, keep_outcomes=keep_outcomes)


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "live.jsonl").read_text().splitlines()]


def test_a_replay_ends_and_every_marker_has_its_line(replay: ReplayProcess, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    prepare_folder(tmp_path)
    with session_of(replay) as session:
        summary = run_headless(
            session, replay, seconds=60, out=tmp_path, console=Console(file=io.StringIO()), device="cpu"
        )
        snapshot = session.snapshot()
        assert session.signal(2.0).samples.shape == (500, 2)
    assert set(threading.enumerate()) <= before
    in_order = sorted(lines(tmp_path), key=lambda line: line["onset"])
    assert [(line["marker"], line["outcome"]) for line in in_order] == list(zip(LABELS, OUTCOMES, strict=True))
    details = {line["outcome"]: line.get("detail", "") for line in in_order}
    assert "'zebra'" in details["unknown_label"]
    assert "dog, house" in details["unknown_label"]
    assert "e2 spans" in details["artefact"]
    assert "ended before the window was complete" in details["late"]
    # Ended by the stream's end, not by the limit.
    assert replay.ended
    assert summary["seconds"] < 40
    assert summary["problem"] is None
    assert (summary["badge"], summary["stream"], summary["breaks"]) == ("REPLAY", "Test head", 0)
    assert (summary["markers"], summary["shown"], sum(summary["missed"].values())) == (8, 4, 4)
    assert summary["accuracy"] == {"top1": 0.5, "of": 4, "chance": 0.5}
    assert snapshot.phase == "ended"
    assert (snapshot.counts.markers, snapshot.counts.shown) == (8, 4)
    averages = Averages()
    averages.add(snapshot.history, snapshot.labels)
    assert averages.accuracy == (2, 4)
    assert len(snapshot.history) == 4
    assert snapshot.began > 0
    assert set(snapshot.latency) == {"epoch_ms", "saliency_ms", "first_image_ms", "image_ms"}
    for line in in_order:
        if line["outcome"] == "shown":
            assert 0 <= line["epoch_ms"] <= line["saliency_ms"] <= line["first_image_ms"] <= line["image_ms"]


@pytest.mark.parametrize("anytime", [True, False])
def test_guesses_come_while_windows_fill_and_change_nothing_else(
    replay: ReplayProcess, tmp_path: Path, anytime: bool
) -> None:
    prepare_folder(tmp_path)
    seen: set[float] = set()
    with session_of(replay, anytime=anytime) as session:

        def look() -> bool:
            guess = session.snapshot().guess
            seen.update([guess.until_s] if guess else [])
            return replay.ended

        thread = threading.Thread(target=wait_until, args=(look, 60, "the end of the replay"))
        thread.start()
        summary = run_headless(
            session, replay, seconds=60, out=tmp_path, console=Console(file=io.StringIO()), device="cpu"
        )
        thread.join()
    in_order = sorted(lines(tmp_path), key=lambda line: line["onset"])
    assert [(line["marker"], line["outcome"]) for line in in_order] == list(zip(LABELS, OUTCOMES, strict=True))
    assert (summary["markers"], summary["shown"], sum(summary["missed"].values())) == (8, 4, 4)
    ends = {(line["marker"], line["outcome"]): [it["until_s"] for it in line["guesses"]] for line in in_order}
    if not anytime:
        assert not any(ends.values())
        assert "guesses" not in summary
        assert not seen
        return
    # The blink begins 100 ms after its marker; of the last marker's window 200 ms are there; none before the pre-roll.
    assert ends == {
        ("dog", "too_old"): [], ("dog", "shown"): [0.1, 0.3], ("house", "shown"): [0.1, 0.3],
        ("zebra", "unknown_label"): [], ("dog", "artefact"): [0.1], ("dog", "late"): [0.1],
    }  # fmt: skip
    first, second = summary["guesses"]
    assert (first["until_s"], first["of"], first["top1"]) == (0.1, 6, 4 / 6)
    assert (second["until_s"], second["of"], second["top1"]) == (0.3, 4, 2 / 4)
    # Made when their own last sample is there, so before the window is full.
    assert 0 <= first["guess_ms"]["median"] < 100
    assert seen == {0.1, 0.3}


def test_an_electrode_that_is_off_all_the_time_is_named_loudly_and_counted(file: Path, tmp_path: Path) -> None:
    recording = read_recording(file)
    recording.samples[:, 1] = 3.0
    write_recording(tmp_path / "off.xdf", recording)
    prepare_folder(tmp_path)
    said = io.StringIO()
    with (
        ReplayProcess(tmp_path / "off.xdf", loop=False, start_s=0, wait_for_consumers_s=30) as replay,
        session_of(replay) as session,
    ):
        summary = run_headless(
            session, replay, seconds=60, out=tmp_path, console=Console(file=said, width=300), device="cpu"
        )
        snapshot = session.snapshot()
    assert said.getvalue().count("E2 is flat: no epoch can be read so. Check the electrode") == 1
    assert any("E2 is flat" in error for error in snapshot.present_errors)
    assert summary["shown"] == 0
    assert summary["missed"]["artefact"] == 5  # of eight: the first, the last and the unknown are missed in any case
    assert {it["detail"] for it in lines(tmp_path) if it["outcome"] == "artefact"} == {"E2 is flat"}
    assert summary["channel_faults"] == {"E2": "flat"}
    assert summary["channel_fault_seconds"] == {"E2": {"flat": SECONDS}}
    assert "Without EEG of 8 s: E2 for 8 s (flat)." in summary["errors"]


class OfTheTestOutlet(SaysDog):
    """For the channels that the outlet of the inlets' tests has."""

    card = SimpleNamespace(**vars(SaysDog.card) | {"channels": ("count", "mV")})


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends a process on Windows")
def test_senders_that_are_gone_are_told_while_they_are_once_each(tmp_path: Path) -> None:
    prepare_folder(tmp_path)
    name, said = f"session-{uuid.uuid4()}", io.StringIO()

    def kill_and_wait_for_the_words() -> None:
        wait_until(lambda: session.snapshot().counts.markers > 0, 30, "a marker")
        sender.kill()
        try:
            wait_until(lambda: f"marker stream '{name}-m' is gone" in said.getvalue(), 40, "the markers' trouble")
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    with (
        outlet(name) as sender,
        LiveSession(
            find_eeg(name, 20), find_markers(f"{name}-m", 20), OfTheTestOutlet(), Draws(), Config(), keep_outcomes=True
        ) as session,
    ):
        thread = threading.Thread(target=kill_and_wait_for_the_words)
        thread.start()
        summary = run_headless(
            session, None, seconds=90, out=tmp_path, console=Console(file=said, width=300), device="cpu"
        )
        thread.join()
    # Who reads the summary alone learns it, too.
    assert any(f"The stream '{name}' has sent nothing for" in error for error in summary["errors"])
    assert said.getvalue().count(f"The stream '{name}' has sent nothing for 3 s.") == 1
    assert said.getvalue().count("has sent nothing") == 1
    assert said.getvalue().count("is gone") == 1


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends a process on Windows")
def test_ctrl_c_stops_with_everything_written(replay: ReplayProcess, tmp_path: Path) -> None:
    prepare_folder(tmp_path)
    handler, protocol = signal.getsignal(signal.SIGINT), tmp_path / "live.jsonl"

    def interrupt_after_the_first() -> None:
        wait_until(lambda: protocol.exists() and '"shown"' in protocol.read_text(), 60, "the first picture")
        os.kill(os.getpid(), signal.SIGINT)

    with session_of(replay) as session:
        thread = threading.Thread(target=interrupt_after_the_first)
        thread.start()
        summary = run_headless(
            session, replay, seconds=60, out=tmp_path, console=Console(file=io.StringIO()), device="cpu"
        )
        thread.join()
    assert not replay.ended
    assert 1 <= summary["shown"] < 4
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    assert len(lines(tmp_path)) == summary["markers"]
    # The stream went on, so a marker that had come in got the rest of its window.
    assert "late" not in summary["missed"]
    assert (tmp_path / "contact_sheet.png").is_file()
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_drawer_that_hangs_costs_pictures_but_no_marker(replay: ReplayProcess) -> None:
    free = threading.Event()
    with session_of(replay, Draws(free), waiting_epochs=1) as session:
        wait_until(lambda: session.snapshot().counts.markers >= 5, 60, "five markers")
        # The saliency map is told although no picture is done.
        wait_until(lambda: session.snapshot().decoding is not None, 10, "the first decoding")
        assert session.snapshot().reconstruction is None
        wait_until(lambda: "dropped" in session.snapshot().counts.missed, 20, "the mailbox to run over")
        begin = time.monotonic()
        session.finish(0.2)
        assert time.monotonic() - begin < 5
        outcomes = session.drain()
        free.set()
    assert {o.reason.value for o in outcomes if isinstance(o, Missed)} >= {
        "too_old",
        "unknown_label",
        "dropped",
        "late",
    }
    counts = session.snapshot().counts
    assert len(outcomes) == counts.markers == counts.shown + sum(counts.missed.values())
    # What is drawn after the end is not counted once more.
    assert session.drain() == []


@pytest.mark.parametrize(("watched", "shown"), [(True, [6.5]), (False, [2.0, 2.5, 3.0, 6.5])])
def test_what_is_only_watched_is_never_behind_and_what_is_written_down_is_complete(
    replay: ReplayProcess, watched: bool, shown: list[float]
) -> None:
    free = threading.Event()
    with session_of(replay, Draws(free), keep_outcomes=not watched) as session:
        if watched:
            session.draw(threading.Event())
        # The first picture takes until the last marker's window is over.
        wait_until(lambda: session.snapshot().counts.markers == len(TIMES), 60, "the markers")
        wait_until(lambda: replay.ended, 20, "the end of the signal")
        free.set()
        wait_until(lambda: len(session.snapshot().history) == len(shown), 20, "the pictures")
        *_, last = times = [it.decoding.epoch.marker.time for it in session.snapshot().history]
        assert [round(time - last + shown[-1], 1) for time in times] == shown
        # Watched, the first picture gives way to the newest epoch, before which two were dropped already.
        missed = session.snapshot().counts.missed
        drawn = missed.get(MissedReason.DROPPED, 0), missed.get(MissedReason.INTERRUPTED, 0)
        assert drawn == ((2, 1) if watched else (0, 0))
