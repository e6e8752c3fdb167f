"""What the writer writes, pyxdf reads back, bit for bit; and what a killed writer left is not lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyxdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bci_live.errors import RecordingError
from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.xdf_format import BOUNDARY, FORMATS
from bci_live.sessions.xdf_writer import XdfWriter, write_recording

from .conftest import make_facts


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning:pyxdf")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(picked=st.data())
def test_samples_of_every_format_come_back_bit_for_bit(tmp_path: Path, picked: st.DataObject) -> None:
    name = picked.draw(st.sampled_from(sorted(FORMATS)))
    shape = picked.draw(st.tuples(st.integers(1, 300), st.integers(1, 5)))
    samples = picked.draw(hnp.arrays(FORMATS[name], shape, elements=hnp.from_dtype(FORMATS[name], allow_nan=False)))
    stamps = picked.draw(hnp.arrays(np.float64, shape[0], elements=st.floats(-1e9, 1e9)))
    cut = picked.draw(st.integers(0, shape[0]))
    path = tmp_path / "a.xdf"
    path.unlink(missing_ok=True)
    with XdfWriter(path) as writer:
        number = writer.add_stream(make_facts(shape[1]), name)
        writer.write_samples(number, samples[:cut], stamps[:cut])
        writer.write_samples(number, samples[cut:], stamps[cut:])
    (stream,), _ = pyxdf.load_xdf(path, dejitter_timestamps=False)
    assert stream["time_series"].dtype == FORMATS[name]
    assert stream["time_series"].tobytes() == samples.tobytes()
    assert stream["time_stamps"].tobytes() == stamps.tobytes()
    assert int(stream["footer"]["info"]["sample_count"][0]) == shape[0]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=400), min_size=1, max_size=20))
def test_texts_come_back_as_they_were(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "a.xdf"
    path.unlink(missing_ok=True)
    stamps = np.arange(len(texts)) * 0.37
    with XdfWriter(path) as writer:
        writer.write_strings(writer.add_stream(make_facts(1, rate=0.0), "string"), [[text] for text in texts], stamps)
    (stream,), _ = pyxdf.load_xdf(path)
    assert [row[0] for row in stream["time_series"]] == texts
    assert np.array_equal(stream["time_stamps"], stamps)


def test_a_recording_survives_writing_and_reading(tmp_path: Path, make_recording: Callable[..., Recording]) -> None:
    original = make_recording()
    path = tmp_path / "session.xdf"
    write_recording(path, original)
    back = read_recording(path)
    assert back.facts == original.facts
    assert back.samples.tobytes() == original.samples.tobytes()
    assert back.stamps.tobytes() == original.stamps.tobytes()
    assert back.markers == original.markers


def test_a_written_recording_says_that_its_streams_share_a_clock(
    tmp_path: Path, make_recording: Callable[..., Recording], caplog: pytest.LogCaptureFixture
) -> None:
    original = make_recording()
    write_recording(tmp_path / "session.xdf", original)
    (eeg, markers), _ = pyxdf.load_xdf(tmp_path / "session.xdf", dejitter_timestamps=False)
    assert eeg["clock_values"] == markers["clock_values"] == [0.0]
    assert eeg["time_stamps"].tobytes() == original.stamps.tobytes()
    pyxdf.load_xdf(tmp_path / "session.xdf")
    assert not caplog.records  # without any offset pyxdf warns "Segments and clock-segments differ"


def test_clock_offsets_put_the_stamps_on_the_recorders_clock(tmp_path: Path) -> None:
    path = tmp_path / "a.xdf"
    stamps = np.arange(1000) / 100
    with XdfWriter(path) as writer:
        number = writer.add_stream(make_facts(1, rate=100.0), "float32")
        writer.write_samples(number, np.zeros((1000, 1), np.float32), stamps)
        writer.write_clock_offset(number, 0.0, 5.0)
        writer.write_clock_offset(number, 5.0, 5.0)
    assert np.allclose(read_recording(path).stamps, stamps + 5.0, atol=1e-9)


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "precious.xdf"
    path.write_text("precious")
    with pytest.raises(RecordingError, match="not overwritten"):
        XdfWriter(path)
    assert path.read_text() == "precious"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="absent"):
        XdfWriter(tmp_path / "absent" / "a.xdf")


def test_names_that_xml_cannot_hold_do_no_harm(tmp_path: Path, make_recording: Callable[..., Recording]) -> None:
    from dataclasses import replace

    original = make_recording()
    odd = replace(original, facts=replace(original.facts, name="a\x00<b>&\x1b\ud800é"))
    write_recording(tmp_path / "odd.xdf", odd)
    assert read_recording(tmp_path / "odd.xdf").facts.name == "a<b>&é"


def test_boundaries_come_every_ten_seconds(tmp_path: Path, make_recording: Callable[..., Recording]) -> None:
    write_recording(tmp_path / "long.xdf", make_recording(seconds=61))
    assert 6 <= (tmp_path / "long.xdf").read_bytes().count(BOUNDARY) <= 8


def test_streams_of_two_clocks_share_the_boundaries(tmp_path: Path) -> None:
    with XdfWriter(tmp_path / "two.xdf") as writer:
        numbers = [writer.add_stream(make_facts(1), "float32") for _ in range(2)]
        for second in range(60):
            for number, origin in zip(numbers, (1e3, 7e5), strict=True):
                writer.write_samples(number, np.zeros((1, 1), np.float32), np.array([origin + second]))
    assert (tmp_path / "two.xdf").read_bytes().count(BOUNDARY) == 6  # at the beginning, and each ten seconds


def test_a_killed_writer_leaves_what_it_had_flushed(tmp_path: Path) -> None:
    path = tmp_path / "killed.xdf"
    program = f"""
import os, numpy as np
from pathlib import Path
from bci_live.sessions.xdf_writer import XdfWriter
from bci_live.types import StreamFacts
writer = XdfWriter(Path({str(path)!r}))
number = writer.add_stream(StreamFacts("a", "EEG", "", "", "", 100.0, ("x",), ("uV",)), "float32")
for second in range(20):
    writer.write_samples(number, np.full((100, 1), second, np.float32), second + np.arange(100) / 100)
    writer.flush()
os.kill(os.getpid(), 9) if os.name == "posix" else os._exit(1)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode != 0
    assert len(read_recording(path).stamps) == 2000
