"""BrainFlow's synthetic board becomes an LSL stream like any headset's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bci_live.errors import StreamError
from bci_live.streams.board import Board, board_names
from bci_live.streams.bridge import bridge
from bci_live.streams.clock import local_clock
from bci_live.streams.discovery import find_eeg
from bci_live.streams.inlet import EegInlet
from tests.waiting import wait_until

pytest.importorskip("brainflow")
pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def bridged() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "bci_live", "bridge", "--board", "synthetic"])
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_a_board_streams_with_its_names_and_units_and_rate(bridged: None) -> None:
    with EegInlet(find_eeg(None, 30, source_id="brainflow-synthetic")) as eeg:
        wait_until(lambda: eeg.ring.count > 1000, 30, "four seconds of the board")
        assert eeg.facts.channels[:3] == ("Fz", "C3", "Cz")
        assert set(eeg.facts.units) == {"microvolts"}
        assert eeg.facts.simulated
        chunk = eeg.ring.latest(3)
        # Whether there are gaps is left to the board: BrainFlow's stalls, and dates what it makes up for, on a busy machine.
        # As fast as announced, and dated now: not in Unix time.
        assert np.median(np.diff(chunk.times)) == pytest.approx(1 / 250, rel=0.05)
        assert abs(local_clock() - chunk.times[-1]) < 1
        assert np.ptp(chunk.samples, axis=0).min() > 1


def test_a_marker_comes_with_the_time_of_its_sample() -> None:
    with Board("synthetic", {}) as board:
        wait_until(lambda: len(board.read()[1]) > 0, 10, "samples")
        before = local_clock()
        board.insert_marker(7)
        found: list[float] = []

        def marked() -> bool:
            _, times, markers = board.read()
            found.extend(times[markers == 7].tolist())
            return bool(found)

        wait_until(marked, 10, "the marker")
    assert found[0] == pytest.approx(before, abs=0.2)


def test_a_file_that_brainflow_recorded_is_played_as_its_board_and_its_end_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from brainflow.board_shim import BoardIds, BoardShim, BrainFlowInputParams

    file = tmp_path / "synthetic.csv"
    recorded = BoardShim(BoardIds.SYNTHETIC_BOARD.value, BrainFlowInputParams())
    recorded.prepare_session()
    recorded.start_stream(1000, f"file://{file}:w")
    wait_until(lambda: recorded.get_board_data_count() > 250, 20, "a second of the board")
    recorded.release_session()
    samples, _ = bridge("Playback_File", {"file": str(file), "master_board": "Synthetic"}, seconds=6)
    assert samples > 200
    told = capsys.readouterr().err
    assert " ".join(told.split()).count("Nothing has come from the board 'playback_file' for 2 s.") == 1
    playback = Board("playback_file", {"file": str(file), "master_board": "muse_2"})
    assert (playback.facts.replay, playback.facts.simulated) == (True, False)
    assert playback.facts.channels == Board("muse_2", {}).facts.channels
    with pytest.raises(StreamError, match=r"A playback needs --file, and with --master-board"):
        Board("playback_file", {})
    with pytest.raises(StreamError, match="knows no board 'brain'"):
        Board("playback_file", {"file": str(file), "master_board": "brain"})


def test_a_board_that_does_not_exist_or_answer_is_told() -> None:
    assert {"synthetic", "cyton", "muse_2", "unicorn"} <= set(board_names())
    with pytest.raises(StreamError, match=r"knows no board 'brain'. It knows: .*cyton"):
        Board("brain", {})
    with (
        pytest.raises(StreamError, match="The board 'cyton' does not answer"),
        Board("cyton", {"serial_port": "/dev/none"}),
    ):
        pass
