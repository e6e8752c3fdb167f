"""What a replay in another process sends is what the file holds, in the file's own time."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pylsl
import pytest
from rich.console import Console

from bci_live.errors import RecordingError
from bci_live.sessions.muse_csv import import_muse
from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.replay import outlet_source_ids, play, play_with_progress
from bci_live.sessions.transport import Transport
from bci_live.sessions.xdf_writer import XdfWriter, write_recording
from bci_live.streams.markers import marker_text
from tests.waiting import wait_until

Make = Callable[..., Recording]


@contextmanager
def replaying(path: Path, source_id: str, loop: bool = False, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """`play` in a process of its own."""
    arguments = "".join(f", {name}={value!r}" for name, value in options.items()) + f", transport=Transport({loop})"
    program = (
        # Tests that run in the background hand on that SIGINT is to be ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from pathlib import Path; from bci_live.sessions.replay import play; "
        "from bci_live.sessions.transport import Transport; "
        f"play(Path({str(path)!r}), source_id={source_id!r}{arguments})"
    )
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def open_inlet(source_id: str) -> pylsl.StreamInlet:
    """The stream with just this source id, subscribed to."""
    (info,) = pylsl.resolve_byprop("source_id", source_id, 1, 30)
    inlet = pylsl.StreamInlet(info)
    inlet.open_stream(10)
    return inlet


def pull(inlet: pylsl.StreamInlet, count: int, seconds: float = 40) -> tuple[list[list[object]], np.ndarray]:
    """The next `count` samples, or those that came within `seconds`."""
    rows: list[list[object]] = []
    stamps: list[float] = []
    until = time.monotonic() + seconds
    while len(rows) < count and time.monotonic() < until:
        more, times = inlet.pull_chunk(timeout=0.2, max_samples=count - len(rows))
        rows += list(more)
        stamps += list(times)
    return rows, np.array(stamps)


@pytest.fixture
def source_id() -> str:
    return f"replay-{uuid.uuid4()}"


@pytest.fixture
def session(tmp_path: Path, make_recording: Make) -> Recording:
    """Three seconds, jittered as a Muse is, with a hole of half a second."""
    recording = make_recording(seconds=3)
    jitter = np.random.default_rng(2).uniform(-0.01, 0.01, len(recording.stamps))
    stamps = recording.stamps + jitter
    stamps[500:] += 0.5
    markers = tuple(replace(marker, time=float(stamps[100 * k])) for k, marker in enumerate(recording.markers, start=1))
    write_recording(tmp_path / "session.xdf", replace(recording, stamps=stamps, markers=markers))
    return read_recording(tmp_path / "session.xdf")


def assert_same(recording: Recording, source_id: str, first: int = 0) -> None:
    """Listen to a replay of the recording from its sample `first` on and compare all of it."""
    eeg_id, marker_id = outlet_source_ids(recording.path, source_id)
    eeg, marker_inlet = open_inlet(eeg_id), open_inlet(marker_id)
    expected = [m for m in recording.markers if m.time >= recording.stamps[first]]
    rows, stamps = pull(eeg, len(recording.stamps) - first)
    texts, marker_stamps = pull(marker_inlet, len(expected), seconds=5)
    assert np.array(rows, dtype=np.float32).tobytes() == recording.samples[first:].tobytes()
    shift = stamps[0] - recording.stamps[first]
    # Two roundings of a double that counts up to some 1e6 s are far below a microsecond.
    assert np.max(np.abs(stamps - shift - recording.stamps[first:])) < 1e-7
    assert [text for (text,) in texts] == [marker_text(m) for m in expected]
    assert marker_stamps - shift == pytest.approx([m.time for m in expected], abs=1e-7)


def test_a_listener_gets_the_files_samples_bit_for_bit_and_the_markers_at_their_times(
    session: Recording, source_id: str
) -> None:
    with replaying(session.path, source_id, wait_for_consumers_s=30.0):
        assert_same(session, source_id)


def test_mne_lsl_gets_the_files_samples_bit_for_bit(tmp_path: Path, make_recording: Make, source_id: str) -> None:
    recording = replace(make_recording(seconds=3), markers=())
    write_recording(tmp_path / "bare.xdf", recording)
    eeg_id, _ = outlet_source_ids(tmp_path / "bare.xdf", source_id)
    listener = f"""
import sys, time
from mne_lsl.stream import StreamLSL
stream = StreamLSL(60, source_id={eeg_id!r}).connect(acquisition_delay=0.01, timeout=30)
until = time.monotonic() + 30
while stream.n_new_samples < {len(recording.stamps)} and time.monotonic() < until:
    time.sleep(0.05)
data, _ = stream.get_data()
sys.stdout.buffer.write(data[:, -{len(recording.stamps)}:].T.tobytes())
"""
    with replaying(tmp_path / "bare.xdf", source_id, wait_for_consumers_s=30.0):
        heard = subprocess.run([sys.executable, "-c", listener], capture_output=True, timeout=90, check=False)
    assert heard.stdout == recording.samples.tobytes(), heard.stderr.decode()


def test_a_real_recording_is_played_from_a_start_to_its_end(tmp_path: Path, data: Path, source_id: str) -> None:
    source = min((data / "muse-n170").glob("*.csv"))
    (path,) = import_muse([source], tmp_path / "run.xdf", {"1": "house", "2": "face"})
    recording = read_recording(path)
    start_s = float(recording.stamps[-1] - recording.stamps[0]) - 4.0
    with replaying(path, source_id, start_s=start_s, wait_for_consumers_s=30.0):
        eeg_id, marker_id = outlet_source_ids(path, source_id)
        eeg, markers = open_inlet(eeg_id), open_inlet(marker_id)
        # Both at once: a first pull from an outlet that is gone blocks for ever, whatever its timeout.
        with ThreadPoolExecutor(1) as pool:
            pulled = pool.submit(pull, markers, 100, seconds=6)
            rows, stamps = pull(eeg, 4 * 256 + 100, seconds=6)
            texts, marker_stamps = pulled.result()
    first = len(recording.stamps) - len(rows)
    assert 4 * 256 - 20 < len(rows) <= 4 * 256 + 20  # 4 s, give or take the packets' jitter
    assert np.array(rows, dtype=np.float32).tobytes() == recording.samples[first:].tobytes()
    shift = stamps[0] - recording.stamps[first]
    expected = [m for m in recording.markers if m.time >= recording.stamps[first]]
    assert [text for (text,) in texts] == [m.label for m in expected]
    assert marker_stamps - shift == pytest.approx([m.time for m in expected], abs=1e-7)
    assert len(texts) >= 3  # a stimulus each 0.5…0.7 s, the last some time before the end


def test_the_streams_keep_their_names_labels_units_and_rates_and_say_that_they_are_a_replay(
    session: Recording, source_id: str
) -> None:
    with replaying(session.path, source_id, wait_for_consumers_s=30.0):
        eeg_id, marker_id = outlet_source_ids(session.path, source_id)
        eeg, markers = open_inlet(eeg_id).info(5), open_inlet(marker_id).info(5)
    assert (eeg.name(), eeg.type(), eeg.nominal_srate()) == ("Test head", "EEG", 250)
    assert eeg.get_channel_labels() == ["E1", "E2", "E3", "E4"]
    assert eeg.get_channel_units() == ["microvolts"] * 4
    assert eeg.channel_format() == pylsl.cf_float32
    assert eeg.desc().child_value("replay") == "true"
    assert (markers.name(), markers.type(), markers.nominal_srate()) == ("stimuli", "Markers", 0)


def test_a_loop_goes_on_in_time_and_leaves_a_second_without_samples_at_the_seam(
    session: Recording, source_id: str
) -> None:
    n = len(session.stamps)
    with replaying(session.path, source_id, loop=True, start_s=2.0, wait_for_consumers_s=30.0):
        eeg_id, marker_id = outlet_source_ids(session.path, source_id)
        eeg, markers = open_inlet(eeg_id), open_inlet(marker_id)
        rows, stamps = pull(eeg, 900)
        texts, _ = pull(markers, 6, seconds=5)
    counter = np.array(rows)[:, 0]
    seams = np.flatnonzero(np.diff(counter) < 0) + 1
    assert len(seams) >= 2
    assert np.all(counter[seams] == counter[0])
    assert np.all(counter[seams - 1] == n - 1)
    gaps = stamps[seams] - stamps[seams - 1]
    assert np.all((gaps > 0.97) & (gaps < 1.04))  # a period and a second, give or take twice the jitter of 10 ms
    assert [text for (text,) in texts] == [marker_text(m) for m in session.markers[-3:]] * 2


def test_it_plays_to_its_end_without_any_listener(session: Recording, source_id: str) -> None:
    with replaying(session.path, source_id, start_s=2.5, wait_for_consumers_s=0.3) as process:
        assert process.wait(timeout=30) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGTERM: a terminated process is dead at once")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_its_ordinary_end(session: Recording, source_id: str, number: signal.Signals) -> None:
    with replaying(session.path, source_id, loop=True) as process:
        open_inlet(outlet_source_ids(session.path, source_id)[0])
        process.send_signal(number)
        assert process.wait(timeout=5) == 0


@pytest.mark.parametrize("waiting", [False, True], ids=["while it plays", "while it waits for listeners"])
def test_it_stops_when_told(session: Recording, source_id: str, waiting: bool) -> None:
    stop, seen = threading.Event(), threading.Event()
    wait_s = 600.0 if waiting else 0.0
    with ExitStack() as stack:
        thread = threading.Thread(
            target=play,
            args=(session.path,),
            kwargs={"transport": Transport(loop=True), "source_id": source_id, "wait_for_consumers_s": wait_s, "stop": stop,
                    "on_progress": lambda played, total: seen.set()},
        )  # fmt: skip
        thread.start()
        stack.callback(stop.set)
        assert waiting or seen.wait(10)
        stop.set()
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_progress_is_told_in_seconds_up_to_the_length(session: Recording, source_id: str) -> None:
    told: list[tuple[float, float]] = []
    play(
        session.path, start_s=2.5, source_id=source_id, stop=threading.Event(), on_progress=lambda *at: told.append(at)
    )
    assert told[0][0] == pytest.approx(2.5, abs=0.2)
    assert told[-1][0] == pytest.approx(told[-1][1])
    assert told[-1][1] == pytest.approx(3.5, abs=0.05)  # with the hole


def test_a_marker_with_half_a_character_and_a_sample_without_a_time_are_sent(
    tmp_path: Path, make_recording: Make, source_id: str
) -> None:
    recording = make_recording(seconds=1)
    stamps = recording.stamps.copy()
    stamps[120] = np.nan
    with XdfWriter(tmp_path / "odd.xdf") as writer:
        eeg_number = writer.add_stream(recording.facts, "float32")
        texts = replace(recording.facts, kind="Markers", rate=0.0, channels=("m",), units=("",))
        text_number = writer.add_stream(texts, "string")
        writer.write_samples(eeg_number, recording.samples, stamps)
        writer.write_strings(text_number, [['{"label": "\\ud800"}'], ["dog"]], stamps[[50, 100]])
    read = read_recording(tmp_path / "odd.xdf")
    write_recording(tmp_path / "again.xdf", read)  # recorded anew, it is the same
    assert read_recording(tmp_path / "again.xdf").markers == read.markers
    with replaying(tmp_path / "odd.xdf", source_id, wait_for_consumers_s=30.0):
        eeg_id, marker_id = outlet_source_ids(tmp_path / "odd.xdf", source_id)
        eeg, markers = open_inlet(eeg_id), open_inlet(marker_id)
        rows, sent = pull(eeg, len(stamps))
        labels, _ = pull(markers, 2, seconds=5)
    assert np.array(rows, dtype=np.float32).tobytes() == recording.samples.tobytes()
    assert np.diff(sent) == pytest.approx(1 / 250, abs=1e-4)
    assert labels == [["?"], ["dog"]]


def test_a_recording_without_markers_opens_no_marker_stream(
    tmp_path: Path, make_recording: Make, source_id: str
) -> None:
    write_recording(tmp_path / "bare.xdf", replace(make_recording(seconds=1), markers=()))
    with replaying(tmp_path / "bare.xdf", source_id, loop=True):
        eeg_id, marker_id = outlet_source_ids(tmp_path / "bare.xdf", source_id)
        open_inlet(eeg_id)
        assert pylsl.resolve_byprop("source_id", marker_id, 1, 1.0) == []


def test_each_file_has_source_ids_of_its_own(tmp_path: Path) -> None:
    assert outlet_source_ids(tmp_path / "a.xdf", "me") == ("me-eeg", "me-markers")
    assert outlet_source_ids(tmp_path / "a.xdf") == outlet_source_ids(tmp_path / "." / "a.xdf")
    assert outlet_source_ids(tmp_path / "a.xdf") != outlet_source_ids(tmp_path / "b.xdf")


def test_a_looping_replay_ends_when_its_parent_was_killed(session: Recording) -> None:
    program = (
        "import time; from pathlib import Path; from bci_live.live.replay_process import ReplayProcess\n"
        f"with ReplayProcess(Path({str(session.path)!r}), loop=True, start_s=0, wait_for_consumers_s=0) as replay:\n"
        "    print(replay.pid, replay.eeg_source_id, flush=True)\n    time.sleep(120)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, eeg_id = parent.stdout.readline().split()
    try:
        open_inlet(eeg_id)
        parent.kill()
        parent.wait()
        wait_until(lambda: not running(int(pid)), 20, "the replay to end")
    finally:
        parent.kill()
        if running(int(pid)):
            os.kill(int(pid), signal.SIGKILL)


def running(pid: int) -> bool:
    """Whether the process is there and no zombie that nobody has waited for."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError):
        play(tmp_path / "absent.xdf")


def test_a_replay_tells_its_streams_and_while_it_is_paused_that_it_is(session: Recording, source_id: str) -> None:
    said, transport = io.StringIO(), Transport()
    console = Console(file=said, width=80, force_terminal=True, color_system=None)
    options = {"source_id": source_id, "transport": transport, "console": console}
    player = threading.Thread(target=play_with_progress, args=(session.path,), kwargs=options)
    player.start()
    try:
        wait_until(lambda: "0:00:01, 0:00:0" in said.getvalue(), 20, "the second second")
        transport.follow("")
        wait_until(lambda: "left, paused" in said.getvalue(), 5, "the word")
    finally:
        transport.follow("go")
        player.join(20)
    assert not player.is_alive()
    assert "Replaying session.xdf as 'Test head' and 'stimuli'" in said.getvalue()
    # Three seconds and a hole of a half: at every place both add up to that, less what rounding down takes.
    places = re.findall(r"0:00:0(\d), 0:00:0(\d) left", said.getvalue())
    assert {int(at) + int(left) for at, left in places} <= {2, 3}
