"""Real Muse recordings become sessions in which every marker lies on its own sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bci_live.errors import LabelError, RecordingError
from bci_live.sessions.muse_csv import import_muse
from bci_live.sessions.recording import read_recording

from .conftest import DATA

N170 = sorted((DATA / "muse-n170").glob("*.csv"))
GRATINGS = sorted((DATA / "muse-gratings").glob("*.csv"))
FACES = {"1": "house", "2": "face"}


def _columns(path: Path) -> dict[str, np.ndarray]:
    names = path.open().readline().strip().split(",")
    return dict(zip(names, np.loadtxt(path, delimiter=",", skiprows=1).T, strict=True))


@pytest.mark.parametrize("path", N170, ids=lambda path: path.stem[-8:])
def test_every_marker_falls_on_its_own_sample(tmp_path: Path, path: Path) -> None:
    (written,) = import_muse([path], tmp_path / "run.xdf", FACES)
    recording, columns = read_recording(written), _columns(path)
    rows = np.flatnonzero(columns["Marker0"])
    assert recording.facts.channels == ("TP9", "AF7", "AF8", "TP10")
    assert np.array_equal(recording.stamps, columns["timestamps"])
    assert np.array_equal(recording.samples[:, 3], columns["TP10"].astype(np.float32))
    assert [m.label for m in recording.markers] == [FACES[f"{code:.0f}"] for code in columns["Marker0"][rows]]
    times, breaks = recording.times()
    assert breaks == ()  # jitter, not loss
    assert np.array_equal([np.argmin(np.abs(times - m.time)) for m in recording.markers], rows)
    assert np.array_equal([m.time for m in recording.markers], times[rows])


@pytest.mark.skipif(not N170, reason="no real data")
def test_several_files_are_numbered(tmp_path: Path) -> None:
    written = import_muse(N170[:2], tmp_path / "n170.xdf", FACES)
    assert [path.name for path in written] == ["n170_run-01.xdf", "n170_run-02.xdf"]
    assert all(len(read_recording(path).markers) > 190 for path in written)


@pytest.mark.skipif(not GRATINGS, reason="no real data")
def test_the_extra_electrode_and_the_other_marker_columns_are_kept(tmp_path: Path) -> None:
    (written,) = import_muse(GRATINGS[:1], tmp_path / "g.xdf", {}, keep_aux=True)
    recording = read_recording(written)
    assert recording.facts.channels[-1] == "Right AUX"
    assert len(recording.markers) == 160
    assert recording.markers[0].label == "2"
    assert recording.markers[0].detail == '{"Marker1": 1.0, "Marker2": 45.0}'


@pytest.mark.parametrize(("name", "markers"), [("one-marker.csv", 1), ("saturated.csv", 7)])
def test_troubled_recordings_are_imported_as_they_are(tmp_path: Path, data: Path, name: str, markers: int) -> None:
    source = data / "muse-bad" / name
    (written,) = import_muse([source], tmp_path / "bad.xdf", {})
    recording = read_recording(written)
    assert len(recording.markers) == markers
    times, _ = recording.times()
    rows = np.flatnonzero(_columns(source)["Marker0"])
    assert np.array_equal([m.time for m in recording.markers], np.sort(times[rows]))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "small.csv"
    rows = "".join(f"{10 + row / 256:.3f},1.5,-2,0,{3 if row == 40 else 0}\n" for row in range(100))
    path.write_text("timestamps,TP9,AF7,Right AUX,Marker0\n" + rows)
    return path


def test_a_number_without_a_label_is_refused_with_its_count_and_the_remedy(tmp_path: Path, table: Path) -> None:
    with pytest.raises(LabelError, match=r"1 markers of number 3.*add 3=NAME"):
        import_muse([table], tmp_path / "out.xdf", FACES)
    assert not (tmp_path / "out.xdf").exists()


def test_without_labels_a_marker_keeps_its_number(tmp_path: Path, table: Path) -> None:
    import_muse([table], tmp_path / "out.xdf", {})
    (marker,) = read_recording(tmp_path / "out.xdf").markers
    assert (marker.label, marker.stream, marker.detail) == ("3", "Muse-markers", "")


def test_nothing_is_written_when_one_of_the_files_is_no_table(tmp_path: Path, table: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(RecordingError, match="lacks timestamps and Marker0"):
        import_muse([table, other], tmp_path / "out.xdf", {})
    assert not list(tmp_path.glob("*.xdf"))


@pytest.mark.parametrize(
    "text",
    ["", "timestamps,TP9,Marker0\n", "timestamps,TP9,Marker0\n1,2\n", "timestamps,TP9,Marker0\n1,x,0\n",
     "timestamps,TP9,Marker0\n1,nan,0\n", "timestamps,Marker0\n1,0\n"],
)  # fmt: skip
def test_a_damaged_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(RecordingError, match="no Muse table"):
        import_muse([tmp_path / "bad.csv"], tmp_path / "out.xdf", {})


def test_a_picture_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xfe\x00" * 50)
    with pytest.raises(RecordingError, match="no Muse table"):
        import_muse([tmp_path / "picture.csv"], tmp_path / "out.xdf", {})


def test_an_existing_session_and_a_wrong_suffix_are_refused(tmp_path: Path, table: Path) -> None:
    (tmp_path / "out.xdf").touch()
    with pytest.raises(RecordingError, match="exists already"):
        import_muse([table], tmp_path / "out.xdf", {})
    with pytest.raises(RecordingError, match=r"name it out\.xdf"):
        import_muse([table], tmp_path / "out.edf", {})
