"""Recordings that MNE reads: µV, names, and markers on their samples."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pytest

from bci_live.errors import RecordingError
from bci_live.sessions.recording import read_recording


def _raw(first_samp: int = 0, kinds: tuple[str, ...] = ("eeg", "eeg", "eog")) -> tuple[mne.io.RawArray, np.ndarray]:
    info = mne.create_info(["Fz", "Oz", "EOG"][: len(kinds)], 200.0, list(kinds))
    microvolts = np.random.default_rng(0).normal(scale=20, size=(len(kinds), 2000))
    return mne.io.RawArray(microvolts * 1e-6, info, first_samp=first_samp, verbose="ERROR"), microvolts


@pytest.mark.parametrize("first_samp", [0, 700])
@pytest.mark.parametrize("dated", [False, True])
def test_a_fif_file_gives_microvolts_and_its_annotations(tmp_path: Path, first_samp: int, dated: bool) -> None:
    raw, microvolts = _raw(first_samp)
    if dated:
        raw.set_meas_date(1_700_000_000)
    raw.set_annotations(mne.Annotations([1.0, 2.5, 3.0], 0.1, ["dog", "BAD_blink", "cat"]))
    raw.save(tmp_path / "a_raw.fif", verbose="ERROR")
    recording = read_recording(tmp_path / "a_raw.fif")
    assert recording.facts.channels == ("Fz", "Oz", "EOG")
    assert recording.facts.eeg_channels == ("Fz", "Oz")
    assert recording.facts.rate == 200
    assert recording.samples == pytest.approx(microvolts.T, abs=1e-4)
    assert recording.stamps[:2] == pytest.approx([0, 0.005])
    # MNE counts the onsets of undated annotations and of dated ones from the first sample here, wherever that lies.
    assert [(m.label, m.time) for m in recording.markers] == [("dog", pytest.approx(1.0)), ("cat", pytest.approx(3.0))]


def test_triggers_are_the_markers_where_there_are_no_annotations(tmp_path: Path) -> None:
    raw, _ = _raw(first_samp=300, kinds=("eeg", "eeg", "stim"))
    raw._data[2] = 0
    raw._data[2, 400:410] = 5
    raw._data[2, 900:910] = 7
    raw.save(tmp_path / "t_raw.fif", verbose="ERROR")
    recording = read_recording(tmp_path / "t_raw.fif")
    assert [(m.label, m.time) for m in recording.markers] == [("5", 2.0), ("7", 4.5)]


@pytest.mark.parametrize("inside", ["seeg", "ecog", "dbs"])
def test_electrodes_in_the_brain_are_eeg(tmp_path: Path, inside: str) -> None:
    raw, microvolts = _raw(kinds=(inside, "eeg", "eog"))
    raw.save(tmp_path / "a_raw.fif", verbose="ERROR")
    facts = read_recording(tmp_path / "a_raw.fif").facts
    assert facts.eeg_channels == ("Fz", "Oz")
    raw, microvolts = _raw(kinds=(inside, inside))
    raw.save(tmp_path / "b_raw.fif", verbose="ERROR")
    recording = read_recording(tmp_path / "b_raw.fif")
    assert recording.facts.channel_types == ("eeg", "eeg")
    assert recording.samples == pytest.approx(microvolts.T, abs=1e-4)


def test_a_file_without_eeg_names_its_channels(tmp_path: Path) -> None:
    raw, _ = _raw(kinds=("misc", "misc"))
    raw.save(tmp_path / "m_raw.fif", verbose="ERROR")
    with pytest.raises(RecordingError, match="no EEG samples; its channels are Fz, Oz"):
        read_recording(tmp_path / "m_raw.fif")


def _write_edf(path: Path, values: np.ndarray, onsets: dict[float, str]) -> None:
    """EDF+C with one EEG channel, 100 Hz, records of 1 s, a step of 1 µV a digit (Kemp & Olivan 2003)."""
    n_records, tal_bytes = len(values) // 100, 60
    header = "".join(
        text.ljust(width)
        for text, width in [
            ("0", 8), ("X X X X", 80), ("Startdate 01-JAN-2020 X X X", 80), ("01.01.20", 8), ("12.00.00", 8),
            ("768", 8), ("EDF+C", 44), (str(n_records), 8), ("1", 8), ("2", 4),
            ("EEG Oz", 16), ("EDF Annotations", 16), ("", 80), ("", 80), ("uV", 8), ("", 8), ("-1000", 8), ("-1", 8),
            ("1000", 8), ("1", 8), ("-1000", 8), ("-32768", 8), ("1000", 8), ("32767", 8), ("", 80), ("", 80),
            ("100", 8), (str(tal_bytes // 2), 8), ("", 32), ("", 32),
        ]
    )  # fmt: skip
    records = b""
    for record in range(n_records):
        tal = f"+{record}\x14\x14\x00"
        tal += "".join(f"+{onset}\x14{text}\x14\x00" for onset, text in onsets.items() if record <= onset < record + 1)
        records += values[record * 100 : (record + 1) * 100].astype("<i2").tobytes()
        records += tal.encode().ljust(tal_bytes, b"\0")
    path.write_bytes(header.encode() + records)


def test_an_edf_file_gives_microvolts_and_its_annotations(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-200, 200, 500)
    _write_edf(tmp_path / "a.edf", values, {0.5: "house", 3.25: "face"})
    recording = read_recording(tmp_path / "a.edf")
    assert recording.facts.channels == ("EEG Oz",)
    assert recording.facts.rate == 100
    assert np.array_equal(recording.samples[:, 0], values.astype(np.float32))
    assert [(m.label, m.time) for m in recording.markers] == [("house", 0.5), ("face", 3.25)]
