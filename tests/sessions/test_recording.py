"""Every recording is read, or refused with one sentence: never a traceback, never for ever."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bci_live.errors import RecordingError
from bci_live.sessions.recording import Recording, digest, read_recording
from bci_live.sessions.schedule import make_schedule
from bci_live.sessions.xdf_writer import XdfWriter, write_recording
from bci_live.streams.arrivals import Arrivals

from .conftest import DATA, make_facts

MUSE_EXAMPLES = sorted((DATA / "xdf-examples").glob("muselsl2-*.xdf"))
BROKEN = sorted((DATA / "xdf-broken").glob("*.xdf"))


@pytest.mark.parametrize("path", MUSE_EXAMPLES, ids=lambda path: path.name[9:17])
def test_the_eeg_is_found_among_streams_of_the_same_name(path: Path) -> None:
    recording = read_recording(path)
    assert recording.facts.kind == "EEG"
    assert recording.facts.channels == ("TP9", "AF7", "AF8", "TP10", "AUX_RIGHT")
    assert recording.facts.units == ("microvolts",) * 5
    assert recording.facts.rate == 256
    assert recording.samples.shape == (len(recording.stamps), 5)
    assert recording.samples.dtype == np.float32
    assert 4 < recording.stamps[-1] - recording.stamps[0] < 20


def test_the_minimal_file_of_the_specification_is_read(data: Path) -> None:
    recording = read_recording(data / "xdf-examples" / "minimal.xdf")
    assert recording.samples[1].tolist() == [12, 22, 32]
    assert [marker.label for marker in recording.markers[1:5]] == ["Hello", "World", "from", "LSL"]


def test_a_file_without_eeg_says_what_it_holds(data: Path) -> None:
    with pytest.raises(RecordingError, match=r"holds no EEG .* 'ctrl' \(control"):
        read_recording(data / "xdf-examples" / "empty_streams.xdf")


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_malformed_file_is_refused_in_silence(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RecordingError):
        read_recording(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "name", ["text.xdf", "text.edf", "text.fif", "text.vhdr", "text.set", "text.txt", "text", "text.xdfz"]
)
def test_a_text_is_no_recording_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("This is a letter.\nYours sincerely\n" * 40)
    with pytest.raises(RecordingError, match=name):
        read_recording(tmp_path / name)


@pytest.mark.parametrize("name", ["empty.xdf", "empty.edf", "empty.fif", "empty.bdf", "empty.csv"])
def test_an_empty_file_is_no_recording(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(RecordingError, match=name):
        read_recording(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"no recording '.*absent\.xdf'"):
        read_recording(tmp_path / "absent.xdf")


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "folder.xdf").mkdir()
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(tmp_path / "folder.xdf")


def test_a_table_is_refused_with_the_way_to_import_it(tmp_path: Path) -> None:
    (tmp_path / "run.csv").write_text("timestamps,TP9,Marker0\n1,2,0\n")
    with pytest.raises(RecordingError, match="bci-live import muse-csv"):
        read_recording(tmp_path / "run.csv")


def test_a_compressed_file_is_read(tmp_path: Path, make_recording: Callable[..., Recording]) -> None:
    write_recording(tmp_path / "a.xdf", make_recording())
    (tmp_path / "a.xdfz").write_bytes(gzip.compress((tmp_path / "a.xdf").read_bytes()))
    assert len(read_recording(tmp_path / "a.xdfz").markers) == 9


def test_volts_become_microvolts_and_say_so(tmp_path: Path) -> None:
    facts = make_facts(3, units=("volts", "mV", "uV"))
    with XdfWriter(tmp_path / "volts.xdf") as writer:
        number = writer.add_stream(facts, "double64")
        writer.write_samples(number, np.array([[1e-5, 0.02, 7.0]]), np.zeros(1))
    recording = read_recording(tmp_path / "volts.xdf")
    assert recording.samples[0] == pytest.approx([10, 20, 7])
    assert recording.facts.units == ("microvolts", "microvolts", "uV")


@pytest.mark.parametrize("rate", [np.inf, np.nan, -250.0, 1e-300, 1e308, 1e9])
def test_a_rate_that_no_amplifier_has_is_refused_with_its_value(rate: float, tmp_path: Path) -> None:
    with XdfWriter(tmp_path / "a.xdf") as writer:
        number = writer.add_stream(make_facts(1, rate=rate), "float32")
        writer.write_samples(number, np.zeros((500, 1), np.float32), np.arange(500) / 250)
    with pytest.raises(RecordingError, match=re.escape(f"its rate is {rate:g} Hz")):
        read_recording(tmp_path / "a.xdf")


def test_eeg_without_a_channel_is_refused(tmp_path: Path) -> None:
    with XdfWriter(tmp_path / "none.xdf") as writer:
        number = writer.add_stream(make_facts(0), "float32")
        writer.write_samples(number, np.zeros((500, 0), np.float32), np.arange(500) / 250)
    with pytest.raises(RecordingError, match="no channel"):
        read_recording(tmp_path / "none.xdf")


def test_markers_of_all_streams_come_in_the_order_of_time(tmp_path: Path) -> None:
    with XdfWriter(tmp_path / "two.xdf") as writer:
        eeg = writer.add_stream(make_facts(1), "float32")
        texts = writer.add_stream(replace(make_facts(1, rate=0.0), name="words", kind="Markers"), "string")
        codes = writer.add_stream(replace(make_facts(1, rate=0.0), name="codes", kind="Events"), "int32")
        writer.write_samples(eeg, np.zeros((500, 1), np.float32), np.arange(500) / 250)
        writer.write_strings(texts, [["dog"], ['{"label": "cat", "hue": 3}']], np.array([0.1, 0.9]))
        writer.write_samples(codes, np.array([[17]]), np.array([0.5]))
    markers = read_recording(tmp_path / "two.xdf").markers
    assert [(m.label, m.stream, m.time) for m in markers] == [
        ("dog", "words", 0.1),
        ("17", "codes", 0.5),
        ("cat", "words", 0.9),
    ]
    assert "hue" in markers[2].detail


@pytest.mark.parametrize(
    ("kind", "form", "rate", "are_markers"),
    [
        ("Stim", "string", 0.0, True),
        ("Stimulus", "string", 0.0, True),
        ("Triggers", "int32", 0.0, True),
        ("", "string", 0.0, True),
        ("StringMarker", "string", 10.0, True),
        ("Pulse", "int32", 0.0, False),
        ("Trigger", "float32", 250.0, False),
    ],
)
def test_what_are_markers_live_are_markers_in_the_file_and_what_are_not_is_told(
    kind: str, form: str, rate: float, are_markers: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with XdfWriter(tmp_path / "a.xdf") as writer:
        eeg = writer.add_stream(make_facts(1), "float32")
        other = writer.add_stream(replace(make_facts(1, rate=rate), name="other", kind=kind), form)
        writer.write_samples(eeg, np.zeros((500, 1), np.float32), np.arange(500) / 250)
        if form == "string":
            writer.write_strings(other, [["7"]], np.array([0.5]))
        else:
            writer.write_samples(other, np.array([[7]], form), np.array([0.5]))
    labels = [marker.label for marker in read_recording(tmp_path / "a.xdf").markers]
    assert labels == (["7"] if are_markers else [])
    assert ["'other'" in message and "not read as markers" in message for message in caplog.messages] == (
        [] if are_markers else [True]
    )


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf])
def test_a_sample_without_a_time_is_read_as_live(
    nothing: float, tmp_path: Path, make_recording: Callable[..., Recording], caplog: pytest.LogCaptureFixture
) -> None:
    original = make_recording()
    stamps = original.stamps + np.random.default_rng(0).uniform(-0.005, 0.005, len(original.stamps))
    stamps[[300, 301, 650]] = nothing
    write_recording(tmp_path / "a.xdf", replace(original, stamps=stamps))
    read = read_recording(tmp_path / "a.xdf")
    assert ["3 samples without a time" in message for message in caplog.messages] == [True]
    live = Arrivals(250.0, 4)
    with np.errstate(invalid="ignore"):
        chunks = [live.take(original.samples[part], stamps[part], 0.0) for part in (np.s_[:301], np.s_[301:])]
    assert read.arrivals().times.tobytes() == np.concatenate([chunk.times for chunk in chunks]).tobytes()
    assert read.arrivals().samples.tobytes() == original.samples.tobytes()
    # A replay sends all of them, and its listener dates them alike.
    dated = read.dated()
    assert np.isfinite(dated.stamps).all()
    np.testing.assert_allclose(dated.stamps, original.stamps, atol=0.01)
    np.testing.assert_allclose(dated.arrivals().times, read.arrivals().times, atol=1e-9)
    assert len(make_schedule(dated).samples) == len(original.stamps)


def test_samples_before_the_first_time_are_counted_back_from_it(
    tmp_path: Path, make_recording: Callable[..., Recording]
) -> None:
    original = make_recording()
    stamps = original.stamps.copy()
    stamps[:3] = np.nan
    write_recording(tmp_path / "a.xdf", replace(original, stamps=stamps))
    np.testing.assert_allclose(read_recording(tmp_path / "a.xdf").stamps, original.stamps, atol=1e-9)
    write_recording(tmp_path / "b.xdf", replace(original, stamps=np.full(len(stamps), np.nan)))
    with pytest.raises(RecordingError, match="no times"):
        read_recording(tmp_path / "b.xdf")


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(RecordingError, match="absent"):
        digest(tmp_path / "absent")


def test_a_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="is a folder"):
        read_recording(tmp_path)
