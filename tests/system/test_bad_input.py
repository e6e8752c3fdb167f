"""Bad input gets one clear sentence that names the thing, and exit code 2: never a traceback, never silence."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from bci_live.sessions.recording import read_recording
from bci_live.sessions.xdf_writer import write_recording
from tests.streams.test_inlet import outlet
from tests.system.conftest import ROOT, Run

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

DEMO = ROOT / "recordings" / "demo.xdf"
DECODER = ROOT / "models" / "decoder-demo"


def complains(run: Run, *arguments: object, about: tuple[str, ...]) -> None:
    """Asserts exit code 2 and one sentence on stderr that has every word of `about`."""
    done = run(*arguments, timeout=120)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for word in about:
        assert word in done.stderr


def test_an_absent_stream_is_named(bci_live: Run, tmp_path: Path) -> None:
    name = f"nobody-{uuid.uuid4()}"
    complains(
        bci_live, "live", "--headless", "--stream", name, "--decoder", DECODER, "--out", tmp_path / "o", about=(name,)
    )


def test_a_stream_that_is_not_eeg_and_absent_markers_are_named(bci_live: Run, tmp_path: Path) -> None:
    name = f"test-{uuid.uuid4()}"
    with outlet(name):
        arguments = ("live", "--headless", "--decoder", DECODER, "--out", tmp_path / "o")
        complains(bci_live, *arguments, "--stream", f"{name}-m", about=(f"{name}-m", "is no EEG stream"))
        complains(
            bci_live, *arguments, "--stream", name, "--markers", "nobody", about=("marker stream", "nobody", name)
        )


def test_a_file_that_is_no_recording_is_named(bci_live: Run, tmp_path: Path) -> None:
    file = tmp_path / "notes.xdf"
    file.write_text("not a recording")
    complains(bci_live, "replay", file, about=("notes.xdf",))
    complains(bci_live, "train", file, "--out", tmp_path / "d", about=("notes.xdf",))
    complains(
        bci_live,
        "live",
        "--headless",
        "--replay",
        file,
        "--decoder",
        DECODER,
        "--out",
        tmp_path / "o",
        about=("notes.xdf",),
    )


def test_a_damaged_decoder_is_named(bci_live: Run, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(DECODER, damaged)
    weights = damaged / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    complains(
        bci_live,
        "live",
        "--headless",
        "--replay",
        DEMO,
        "--decoder",
        damaged,
        "--out",
        tmp_path / "o",
        about=("damaged",),
    )


def test_a_decoder_of_another_version_is_named(bci_live: Run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(DECODER, other)
    card = json.loads((other / "decoder.json").read_text())
    (other / "decoder.json").write_text(json.dumps(card | {"format": 99}))
    complains(
        bci_live, "live", "--headless", "--replay", DEMO, "--decoder", other, "--out", tmp_path / "o", about=("99",)
    )


def test_channels_that_the_decoder_lacks_are_named(bci_live: Run, muse_sessions: list[Path], tmp_path: Path) -> None:
    complains(
        bci_live, "live", "--headless", "--replay", muse_sessions[0], "--decoder", DECODER, "--out", tmp_path / "o",
        about=("Oz", "TP9"),
    )  # fmt: skip


def test_a_marker_value_without_a_label_is_named(bci_live: Run, tmp_path: Path) -> None:
    file = tmp_path / "run.csv"
    file.write_text(
        "timestamps,TP9,AF7,AF8,TP10,Marker0\n"
        + "".join(f"{i / 256:.3f},1,2,3,4,{int(i == 300) * 7}\n" for i in range(600))
    )
    complains(
        bci_live, "import", "muse-csv", file, "--out", tmp_path / "run.xdf", "--labels", "1=house,2=face", about=("7",)
    )


def test_labels_that_the_decoder_does_not_know_are_named_and_nothing_is_lost(bci_live: Run, tmp_path: Path) -> None:
    demo = read_recording(DEMO)
    dragons = tuple(replace(marker, label="dragon", detail="") for marker in demo.markers[:3])
    short = round(8 * demo.facts.rate)
    write_recording(
        tmp_path / "dragons.xdf",
        replace(demo, samples=demo.samples[:short], stamps=demo.stamps[:short], markers=dragons),
    )
    complains(
        bci_live, "live", "--headless", "--replay", tmp_path / "dragons.xdf", "--decoder", DECODER, "--out", tmp_path / "o",
        about=("None of the 3 markers", "'dragon'", "it knows airplane"),
    )  # fmt: skip
    assert json.loads((tmp_path / "o" / "summary.json").read_text())["missed"] == {"unknown_label": 3}


def test_impossible_settings_are_refused(bci_live: Run, tmp_path: Path) -> None:
    complains(
        bci_live, "live", "--headless", "--replay", DEMO, "--decoder", DECODER, "--steps", 1, "--strength", 0.5,
        "--out", tmp_path / "o", about=("strength",),
    )  # fmt: skip


def test_an_absent_device_is_refused(bci_live: Run, tmp_path: Path) -> None:
    complains(
        bci_live, "live", "--headless", "--replay", DEMO, "--decoder", DECODER, "--device", "abacus", "--out", tmp_path / "o",
        about=("abacus",),
    )  # fmt: skip


@pytest.mark.parametrize("setting", [("--rate", "inf"), ("--rate", 1), ("--seconds", "inf")])
def test_a_benchmark_without_end_or_with_hardly_a_sample_is_refused(bci_live: Run, setting: tuple[str, object]) -> None:
    complains(bci_live, "bench", "streaming", *setting, about=(f"'{setting[0]}'",))


@pytest.mark.parametrize("program", [["-m", "bci_live", "streams"], ["run_live.py"]])
def test_ctrl_c_while_it_is_being_imported_is_no_traceback(program: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", *program], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            begun = next(line for line in process.stderr if line.rstrip().endswith(" typer"))
            process.send_signal(signal.SIGINT)
            said = begun + process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert "Traceback" not in said
    assert process.returncode == 130
