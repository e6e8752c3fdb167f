"""A replay in another process pauses, goes on and jumps, and never splices what it jumped over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pylsl
import pytest

from bci_live.live.replay_process import ReplayProcess
from bci_live.sessions.recording import Recording
from bci_live.sessions.transport import Transport
from bci_live.sessions.xdf_writer import write_recording
from tests.waiting import wait_until

SEAM_S = 1.0


@pytest.fixture
def replay(tmp_path: Path, make_recording: Callable[..., Recording]) -> Iterator[ReplayProcess]:
    write_recording(tmp_path / "long.xdf", make_recording(seconds=60))
    with ReplayProcess(tmp_path / "long.xdf", loop=False, start_s=0, wait_for_consumers_s=30) as process:
        yield process


def opened(source_id: str) -> pylsl.StreamInlet:
    (info,) = pylsl.resolve_byprop("source_id", source_id, 1, 30)
    inlet = pylsl.StreamInlet(info)
    inlet.open_stream(10)
    return inlet


class Listener:
    """Everything that came: the file's own count of each sample, and its stamp."""

    def __init__(self, replay: ReplayProcess) -> None:
        self._inlet, self.markers = opened(replay.eeg_source_id), opened(replay.marker_source_id)
        self.counts: list[int] = []
        self.stamps: list[float] = []

    def listen(self, seconds: float = 0.05) -> int:
        """How many came within `seconds`."""
        rows, stamps = self._inlet.pull_chunk(timeout=seconds, max_samples=5000)
        self.counts += [int(row[0]) for row in rows]
        self.stamps += list(stamps)
        return len(stamps)


def test_a_pause_sends_nothing_and_loses_nothing(replay: ReplayProcess) -> None:
    eeg = Listener(replay)
    wait_until(lambda: eeg.listen() >= 0 and len(eeg.counts) > 250, 20, "the replay to play")
    replay.pause()
    wait_until(lambda: eeg.listen(0.3) == 0, 10, "the pause")
    assert replay.status().paused
    at = replay.status().at_s
    before = len(eeg.counts)
    assert eeg.listen(0.5) == 0
    assert replay.status().at_s == at == pytest.approx(before / 250, abs=0.3)
    replay.pause(False)
    wait_until(lambda: eeg.listen() >= 0 and len(eeg.counts) > before + 250, 20, "the replay to go on")
    assert eeg.counts == [*range(len(eeg.counts))]
    steps = np.diff(eeg.stamps)
    assert steps[before - 1] >= SEAM_S  # one gap, and nothing else out of step
    np.testing.assert_allclose(np.delete(steps, before - 1), 1 / 250, atol=1e-6)
    assert eeg.markers.pull_sample(timeout=5)[1] is not None


def test_it_goes_on_where_it_is_told_after_a_gap(replay: ReplayProcess) -> None:
    eeg = Listener(replay)
    wait_until(lambda: eeg.listen() >= 0 and len(eeg.counts) > 100, 20, "the replay to play")
    replay.seek(40.0)
    wait_until(lambda: eeg.listen() >= 0 and eeg.counts[-1] >= 40 * 250 + 100, 20, "the jump forwards")
    (jump,) = np.flatnonzero(np.diff(eeg.counts) != 1)
    assert eeg.counts[jump + 1] == 40 * 250
    assert eeg.stamps[jump + 1] - eeg.stamps[jump] >= SEAM_S
    wait_until(lambda: replay.status().at_s > 40, 5, "its place to be told")
    assert replay.status().end_s == pytest.approx(60, abs=0.01)
    replay.pause()
    replay.seek(1.0)  # also while it is paused
    replay.pause(False)
    wait_until(lambda: eeg.listen() >= 0 and eeg.counts[-1] < 1000, 20, "the jump back")
    assert np.all(np.diff(eeg.stamps) > 0)


def test_beyond_the_end_is_the_end_and_a_loop_begins_anew(replay: ReplayProcess) -> None:
    eeg = Listener(replay)
    replay.loop(True)
    replay.seek(1e6)
    wait_until(lambda: eeg.listen() >= 0 and 15000 - 1 in eeg.counts and eeg.counts[-1] < 1000, 30, "the next pass")
    replay.loop(False)
    replay.seek(59.5)
    wait_until(lambda: replay.ended, 20, "its end")
    assert replay.problem() is None


def test_what_is_no_command_is_told() -> None:
    transport = Transport()
    transport.follow("\n")
    assert transport.paused
    transport.follow("")
    assert not transport.paused
    for wrong in ("seek", "seek far", "seek -3", "seek nan", "loop", "stop it"):
        with pytest.raises(ValueError, match="is no command: pause, go"):
            transport.follow(wrong)
    assert (transport.paused, transport.loop, transport.take_seek()) == (False, False, None)
