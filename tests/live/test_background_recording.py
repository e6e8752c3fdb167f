"""What the window records: the session's streams, from real outlets in other processes, read back by pyxdf."""

from __future__ import annotations

from pathlib import Path

import pyxdf

from bci_live.live.snapshot import RecordingRequest
from bci_live.streams.outlet import open_eeg_outlet
from bci_live.types import StreamFacts
from tests.live.background_sessions import forgotten, headset, listens_to, name, session, told
from tests.waiting import wait_until

__all__ = ["forgotten", "name"]  # fixtures


def test_a_headset_that_the_decoder_does_not_fit_can_be_recorded_to_train_one_that_does(
    name: str, tmp_path: Path
) -> None:
    odd = open_eeg_outlet(StreamFacts(name, "EEG", name, "", "", 250.0, ("X",), ("uV",)))
    with session(stream=name) as running:
        wait_until(lambda: "needs the channels" in told(running), 30, "the refusal")
        running.record(RecordingRequest(tmp_path, subject="07", task="faces"))

        def held() -> int:
            odd.push_sample([1.0])
            status = running.recording()
            return sum(it.samples for it in status.streams if it.name == name) if status else 0

        wait_until(lambda: held() > 20, 30, "its samples")
        running.stop_recording()
        wait_until(lambda: (status := running.recording()) is not None and not status.running, 20, "the end")
        status = running.recording()
    assert status is not None
    streams, _ = pyxdf.load_xdf(str(status.path))
    assert len(next(it for it in streams if it["info"]["name"] == [name])["time_series"]) > 20


def test_the_recording_holds_the_streams_and_markers_that_come_later(name: str, tmp_path: Path) -> None:
    with session(stream=name, markers=f"{name}-late-m") as running:
        with headset(name):
            wait_until(lambda: listens_to(running) == name, 40, "the session")
            running.record(RecordingRequest(tmp_path / "rec", subject="07", task="faces"))
            wait_until(lambda: (status := running.recording()) is not None and status.seconds > 1, 20, "REC")
            with headset(f"{name}-late", f"{name}-late-m"):
                wait_until(
                    lambda: any(it.name == f"{name}-late-m" and it.samples > 2 for it in running.recording().streams),  # type: ignore[union-attr]
                    40,
                    "the late markers in the recording",
                )
                running.stop_recording()
                wait_until(lambda: not running.recording().running, 20, "the recording to end")  # type: ignore[union-attr]
        status = running.recording()
        assert status is not None
        assert status.problem == running.recording_problem() == ""
        assert status.path == tmp_path / "rec/sub-07/ses-01/eeg/sub-07_ses-01_task-faces_run-01_eeg.xdf"
        assert status.size == status.path.stat().st_size
    streams, _ = pyxdf.load_xdf(status.path)
    counts = {stream["info"]["name"][0]: len(stream["time_stamps"]) for stream in streams}
    assert counts == {it.name: it.samples for it in status.streams}
    assert counts[name] > 250
    assert counts[f"{name}-late-m"] > 2


def test_what_cannot_be_recorded_is_told_and_costs_the_session_nothing(name: str, tmp_path: Path) -> None:
    with headset(name, f"{name}-m"), session(stream=name, markers=f"{name}-m") as running:
        wait_until(lambda: listens_to(running) == name, 40, "the session")
        running.record(RecordingRequest(tmp_path, subject="../etc"))
        wait_until(lambda: "is no BIDS label" in running.recording_problem(), 10, "the reason")
        assert running.recording() is None
        assert running.problem() is None
        running.record(RecordingRequest(tmp_path))
        wait_until(lambda: running.recording() is not None, 20, "REC")
        assert running.recording_problem() == ""
