"""A training that is killed goes on from what it had finished, and ends as if nothing had happened."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bci_live.training.adversarial import SaliencyTraining
from bci_live.training.decoder import train_decoder
from bci_live.training.encoder import EncoderTraining
from bci_live.training.processes import Processes
from bci_live.training.resume import Resume
from tests.training.test_decoder import EPOCH, FILTER, PIPELINE, session
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
ALONE = Processes(torch.device("cpu"))
# What a Python user would write; few steps, and kept often.
PROGRAM = """
import sys
from pathlib import Path
from tests.training.test_resume import train
train([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]))
"""


def train(sessions: list[Path], out: Path, passes: int = 3) -> None:
    train_decoder(
        sessions, out, pipeline=PIPELINE, filter_config=FILTER, epoch_config=EPOCH,
        encoder_training=EncoderTraining(passes=passes, batch=16),
        saliency_training=SaliencyTraining(steps=60, batch=4, keep_every=7),
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("resume")


@pytest.fixture(scope="module")
def sessions(folder: Path) -> list[Path]:
    return [session(folder / f"run-{seed}.xdf", seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def unbroken(folder: Path, sessions: list[Path]) -> Path:
    train(sessions, folder / "unbroken")
    return folder / "unbroken"


def kept_of(out: Path) -> Path:
    return out.with_name(f".{out.name}.training")


def start(out: Path, sessions: list[Path]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(out), *map(str, sessions)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def kill_when_it_has_kept(phase: str, out: Path, sessions: list[Path]) -> str:
    """Start a training and kill it -9 as soon as that phase is on disk; returns what it had told."""
    written = kept_of(out) / f"{phase}.safetensors"
    process = start(out, sessions)
    try:
        wait_until(lambda: written.exists() or process.poll() is not None, 100, str(written))
    finally:
        process.kill()
        _, told = process.communicate()
    assert written.exists(), told
    assert not out.exists()
    return told


def same(a: Path, b: Path) -> bool:
    return all((a / name).read_bytes() == (b / name).read_bytes() for name in ("decoder.json", "weights.safetensors"))


@pytest.mark.timeout(400)
def test_killed_again_and_again_it_goes_on_and_gives_the_same_bits(
    unbroken: Path, sessions: list[Path], folder: Path
) -> None:
    out = folder / "killed"
    assert "runs left out in turn" in kill_when_it_has_kept("held-out", out, sessions)
    told = kill_when_it_has_kept("saliency", out, sessions)
    assert "going on where it was interrupted" in told
    assert "runs left out in turn" not in told  # not done again
    process = start(out, sessions)
    _, told = process.communicate(timeout=200)
    assert process.returncode == 0, told
    assert "encoder" not in told
    assert same(out, unbroken)
    assert not kept_of(out).exists()


def test_with_other_settings_it_begins_anew(
    unbroken: Path, sessions: list[Path], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder / "other"
    with monkeypatch.context() as patch:  # what is kept of a whole training, as if it were killed at its last moment
        patch.setattr(Resume, "forget", lambda _: None)
        train(sessions, out, passes=2)
    assert (kept_of(out) / "encoder.safetensors").exists()
    shutil.rmtree(out)
    train(sessions, out)
    assert same(out, unbroken)
    assert not kept_of(out).exists()


def test_a_file_that_cannot_be_read_or_is_of_another_training_counts_as_absent(tmp_path: Path) -> None:
    Resume(tmp_path / "kept", "this", ALONE).keep("a", {"x": torch.ones(2)})
    assert Resume(tmp_path / "kept", "this", ALONE).recall("a") is not None
    (tmp_path / "kept" / "b.safetensors").write_bytes(b"cut sh")
    assert Resume(tmp_path / "kept", "this", ALONE).recall("b") is None
    assert not Resume(tmp_path / "kept", "other", ALONE).goes_on
