"""Damage costs what it touched, is told of, and invents nothing."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bci_live.errors import RecordingError
from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.xdf_format import BOUNDARY
from bci_live.sessions.xdf_writer import XdfWriter, write_recording
from benchmarks.damage import strange

from .conftest import make_facts


def test_a_file_cut_off_anywhere_gives_its_beginning(tmp_path: Path, make_recording: Callable[..., Recording]) -> None:
    original = make_recording(seconds=3, rate=20.0)
    write_recording(tmp_path / "whole.xdf", original)
    whole = (tmp_path / "whole.xdf").read_bytes()
    cut = tmp_path / "cut.xdf"
    lengths = []
    for end in range(0, len(whole), 3):
        cut.write_bytes(whole[:end])
        try:
            recording = read_recording(cut)
        except RecordingError:
            lengths.append(0)
            continue
        lengths.append(len(recording.stamps))
        assert recording.samples.tobytes() == original.samples[: lengths[-1]].tobytes()
    assert lengths == sorted(lengths)  # a longer beginning never gives less
    assert lengths[-1] == len(original.stamps)


def test_what_comes_after_damage_is_found_again(tmp_path: Path, make_recording: Callable[..., Recording]) -> None:
    write_recording(tmp_path / "a.xdf", make_recording(seconds=40))
    damaged = bytearray((tmp_path / "a.xdf").read_bytes())
    first = damaged.index(BOUNDARY) + len(BOUNDARY)
    damaged[first : first + 5] = b"\x07\xff\xff\xff\xff"  # no length begins with 7
    (tmp_path / "damaged.xdf").write_bytes(damaged)
    recording = read_recording(tmp_path / "damaged.xdf")
    assert 7000 < len(recording.stamps) < 10000  # up to the next boundary, ten seconds (2,500 samples), is lost
    assert np.all(np.diff(recording.samples[:, 0]) > 0)


def test_a_wrong_stamp_size_anywhere_costs_its_chunk_and_invents_nothing(
    tmp_path: Path, make_recording: Callable[..., Recording], caplog: pytest.LogCaptureFixture
) -> None:
    original = make_recording(seconds=3, rate=20.0)
    write_recording(tmp_path / "a.xdf", original)
    whole = (tmp_path / "a.xdf").read_bytes()
    for row in range(len(original.stamps)):
        size_at = whole.index(original.stamps[row].tobytes() + original.samples[row].tobytes()) - 1
        for wrong in (0, 9):
            damaged = bytearray(whole)
            damaged[size_at] = wrong
            (tmp_path / "b.xdf").write_bytes(damaged)
            caplog.clear()
            read = read_recording(tmp_path / "b.xdf")
            chunk = row // 20 * 20  # a second a chunk
            assert read.samples.tobytes() == np.delete(original.samples, np.s_[chunk : chunk + 20], axis=0).tobytes()
            assert read.stamps.tobytes() == np.delete(original.stamps, np.s_[chunk : chunk + 20]).tobytes()
            assert len(read.markers) == len(original.markers)
            (warning,) = caplog.messages
            # 20 rows of a size, a stamp and four values, and what tells of the chunk.
            assert f"{20 * (1 + 8 + 16) + 13:,} of {len(whole):,} bytes are left out and 20 samples" in warning


def test_samples_without_stamps_of_their_own_are_read(tmp_path: Path) -> None:
    rows = np.arange(100, dtype="<f4")
    content = struct.pack("<IBBBd", 1, 1, 100, 8, 5.0) + rows[:1].tobytes()
    content += b"".join(b"\x00" + rows[row : row + 1].tobytes() for row in range(1, 100))
    with XdfWriter(tmp_path / "a.xdf") as writer:
        writer.add_stream(make_facts(1, rate=100.0), "float32")
    whole = (tmp_path / "a.xdf").read_bytes() + struct.pack("<BIH", 4, len(content) + 2, 3) + content
    (tmp_path / "a.xdf").write_bytes(whole)
    read = read_recording(tmp_path / "a.xdf")
    assert read.samples[:, 0].tolist() == rows.tolist()
    np.testing.assert_allclose(read.stamps, 5 + np.arange(100) / 100)


def test_a_wrong_size_among_texts_invents_no_marker(
    tmp_path: Path, make_recording: Callable[..., Recording], caplog: pytest.LogCaptureFixture
) -> None:
    original = make_recording()
    write_recording(tmp_path / "a.xdf", original)
    damaged = bytearray((tmp_path / "a.xdf").read_bytes())
    text_at = damaged.index(b'{"label": "m300"')
    damaged[text_at - 2 - 8 - 1] = 0  # before the text's length and the stamp
    (tmp_path / "a.xdf").write_bytes(damaged)
    read = read_recording(tmp_path / "a.xdf")
    assert read.markers == ()
    assert read.samples.tobytes() == original.samples.tobytes()
    assert f"{len(original.markers)} samples that it once held are missing" in caplog.text


def test_a_whole_file_of_another_recorder_gives_no_warning(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    read_recording(data / "xdf-examples" / "minimal.xdf")
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["whole.xdf", "killed.xdf"])
def test_a_whole_file_of_ours_gives_no_warning(
    name: str, tmp_path: Path, make_recording: Callable[..., Recording], caplog: pytest.LogCaptureFixture
) -> None:
    original = make_recording()
    write_recording(tmp_path / "whole.xdf", original)
    with XdfWriter(tmp_path / "open.xdf") as writer:
        writer.write_samples(writer.add_stream(original.facts, "float32"), original.samples, original.stamps)
        writer.flush()
        # Ours leaves whole chunks when it is killed, without footers: nothing of them is missing.
        shutil.copy(tmp_path / "open.xdf", tmp_path / "killed.xdf")
    read_recording(tmp_path / name)
    assert caplog.messages == []


@pytest.mark.parametrize("command", ["train", "replay"])
def test_the_commands_tell_of_damage_in_one_line(
    command: str, tmp_path: Path, make_recording: Callable[..., Recording]
) -> None:
    write_recording(tmp_path / "a.xdf", make_recording(seconds=1))
    data = (tmp_path / "a.xdf").read_bytes()
    (tmp_path / "a.xdf").write_bytes(data[:-20])  # of the last footer
    extra = ["--out", str(tmp_path / "out")] if command == "train" else []
    done = subprocess.run(
        [sys.executable, "-m", "bci_live", command, str(tmp_path / "a.xdf"), *extra],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert [line for line in done.stderr.splitlines() if "is damaged, and not all of it is read" in line] == [
        line for line in done.stderr.splitlines() if "damaged" in line
    ]
    assert done.stderr.count("damaged") == 1


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_damage_gives_a_recording_or_a_sentence(
    tmp_path: Path, make_recording: Callable[..., Recording], flips: list[tuple[int, int]]
) -> None:
    path, original = tmp_path / "a.xdf", make_recording(seconds=2, rate=20.0)
    if not path.exists():
        write_recording(path, original)
    damaged = bytearray(path.read_bytes())
    for place, value in flips:
        damaged[place % len(damaged)] = value
    other = tmp_path / "b.xdf"
    other.write_bytes(damaged)
    with suppress(RecordingError):
        recording = read_recording(other)
        assert recording.samples.shape == (len(recording.stamps), len(recording.facts.channels))
        # All but the samples that were touched, and a byte lies in one of them at most, are as they were.
        assert strange(recording, original) <= len(flips)


@pytest.mark.parametrize("channels", [1, 2**40])
def test_a_count_that_lies_reserves_no_memory(tmp_path: Path, channels: int) -> None:
    header = (
        f"<info><name>x</name><type>EEG</type><channel_count>{channels}</channel_count><nominal_srate>100</nominal_srate>"
        "<channel_format>string</channel_format></info>"
    ).encode()
    chunks = [struct.pack("<HI", 2, 1) + header, struct.pack("<HIBQ", 3, 1, 8, 2**45) + b"\x00" * 20]
    body = b"".join(struct.pack("<BI", 4, len(chunk)) + chunk for chunk in chunks)
    (tmp_path / "bomb.xdf").write_bytes(b"XDF:" + body)
    with pytest.raises(RecordingError, match="no EEG"):
        read_recording(tmp_path / "bomb.xdf")
