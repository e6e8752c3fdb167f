"""What cannot run is told in a sentence, before anything is loaded; and a window is never left waiting."""

from __future__ import annotations

import os
import signal
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

import numpy as np
import pylsl
import pytest

from bci_live.config import Config, EpochConfig, FilterConfig, StreamConfig, bundled
from bci_live.errors import BciError, RecordingError, StreamError
from bci_live.live import background, launcher, runner
from bci_live.live.background import BackgroundSession
from bci_live.live.demo import DEMO_DECODER, DEMO_RECORDING
from bci_live.live.launcher import LiveRequest, open_live, windowed_live
from bci_live.live.remembered import StreamChoice
from bci_live.live.replay_process import ReplayProcess
from bci_live.sessions.recording import Recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.types import Marker, StreamFacts
from tests.waiting import wait_until

FACTS = StreamFacts("cap", "EEG", "", "", "", 100.0, ("E1",), ("microvolts",))


CARD: Any = SimpleNamespace(filter=FilterConfig(), epoch=EpochConfig())  # as much of one as a replay needs


def recording(folder: Path, markers: tuple[Marker, ...]) -> Path:
    path = folder / "session.xdf"
    write_recording(path, Recording(FACTS, np.zeros((300, 1), np.float32), np.arange(300) / 100, markers, path))
    return path


def opens(request: LiveRequest) -> None:
    with open_live(request, lambda _: None, keep_outcomes=False):
        raise AssertionError("it opened")


def test_a_recording_without_markers_cannot_be_shown(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="has no markers"):
        opens(LiveRequest(tmp_path / "decoder", replay=recording(tmp_path, ())))


@pytest.mark.parametrize(("what", "said"), [("replay", "There is no recording"), ("decoder", "is no decoder")])
def test_no_window_opens_for_what_is_not_there(tmp_path: Path, what: str, said: str) -> None:
    named = {"decoder": bundled(DEMO_DECODER)} | {what: tmp_path / "nowhere"}
    opened = MagicMock()
    with patch.object(launcher, "has_display", return_value=True), pytest.raises(BciError, match=said):
        windowed_live(LiveRequest(**named), opened)
    opened.assert_not_called()


def test_a_start_after_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot start at 40 s"):
        opens(LiveRequest(tmp_path / "decoder", replay=recording(tmp_path, (Marker("dog", 1.0),)), start_s=40))


def test_when_a_replay_dies_its_own_sentence_is_the_reason(tmp_path: Path) -> None:
    file = recording(tmp_path, (Marker("dog", 1.0),))
    request = LiveRequest(tmp_path / "decoder", replay=file, config=Config(streams=StreamConfig(resolve_s=0.2)))
    with launcher.start_replay(request, file.with_name("gone.xdf"), CARD) as replay:
        wait_until(lambda: replay.ended, 60, "the replay to fail")
        with patch.object(launcher, "REPLAY_START_S", 0.2), pytest.raises(StreamError, match=r"gone\.xdf"):
            launcher._find_streams(request, replay, join_late=False)


def test_the_window_is_told_why_there_is_no_session(tmp_path: Path) -> None:
    with BackgroundSession(LiveRequest(tmp_path / "decoder", replay=tmp_path / "none.xdf")) as session:
        wait_until(lambda: session.problem() is not None, 60, "the reason")
        assert "none.xdf" in str(session.problem())
        assert session.snapshot() is None
        models = MagicMock(), MagicMock()
        with patch.object(runner, "load_models", return_value=models), patch.object(background, "remember"):
            session.connect(StreamChoice(stream="nowhere"))
            wait_until(lambda: "nowhere" in str(session.problem()), 60, "the stream to be looked for")


def test_the_window_is_told_when_its_replay_dies(tmp_path: Path) -> None:
    file = recording(tmp_path, (Marker("dog", 1.0),))
    died = MagicMock(**{"problem.return_value": "the replay died"})
    with (
        patch.object(runner, "load_models", return_value=(MagicMock(), MagicMock())),
        patch.object(launcher, "_pre_roll_s", return_value=0.0),
        patch.object(launcher, "start_replay", return_value=nullcontext(died)),
        patch.object(launcher, "_find_streams", return_value=(MagicMock(), MagicMock())),
        patch("bci_live.live.session.LiveSession", return_value=nullcontext(MagicMock())),
        BackgroundSession(LiveRequest(tmp_path / "decoder", replay=file)) as session,
    ):
        wait_until(lambda: session.problem() == "the replay died", 60, "the reason")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_while_loading_is_told_too(tmp_path: Path) -> None:
    with (
        patch.object(runner, "load_models", side_effect=ZeroDivisionError("by nought")),
        BackgroundSession(LiveRequest(tmp_path / "decoder")) as session,
    ):
        wait_until(lambda: session.problem() is not None, 60, "the reason")
        assert "ZeroDivisionError" in str(session.problem())
        wait_until(lambda: not session._runner.alive, 10, "the thread's end")
        session.play_demo()
        assert "ZeroDivisionError" in str(session.problem())  # nothing begins any more: it is not said that it does


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends a process on Windows with a code of its own")
def test_a_replay_that_is_killed_is_told_in_a_sentence_not_by_the_last_line_it_happened_to_say() -> None:
    with ReplayProcess(bundled(DEMO_RECORDING), loop=False, start_s=0.0, wait_for_consumers_s=60.0) as replay:
        assert pylsl.resolve_byprop("source_id", replay.eeg_source_id, timeout=30)
        assert replay.problem() is None
        os.kill(replay.pid, signal.SIGKILL)
        wait_until(lambda: replay.ended, 10, "the end of the replay's process")
        assert replay.problem() == (
            "The replay's process was ended from outside (exit code -9). Start the program again, or press 'Play again' in "
            "its window."
        )
