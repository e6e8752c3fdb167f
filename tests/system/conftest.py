"""The program run as its user runs it: `python -m bci_live …` in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bci_live.evaluation.object_classifier import ObjectClassifier, train_object_classifier
from bci_live.stimuli.catalogue import load_catalogue

ROOT = Path(__file__).resolve().parents[2]
MUSE = ROOT.parent / "shared" / "data" / "muse-n170"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def bci_live() -> Run:
    """Runs a command of ours, bounded in time, from the project's root."""

    def run(*arguments: object, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bci_live", *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def muse_sessions(bci_live: Run, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The six real Muse runs as XDF sessions, imported by the command."""
    if not MUSE.is_dir():
        pytest.skip(f"the real recordings are not at {MUSE}")
    folder = tmp_path_factory.mktemp("muse")
    files = sorted(MUSE.glob("*.csv"))
    done = bci_live("import", "muse-csv", *files, "--out", folder / "muse.xdf", "--labels", "1=house,2=face")
    assert done.returncode == 0, done.stderr
    return sorted(folder.glob("*.xdf"))


@pytest.fixture(scope="session")
def muse_decoder(bci_live: Run, muse_sessions: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decoder trained on runs 1 to 5 by the command."""
    out = tmp_path_factory.mktemp("decoder") / "muse"
    done = bci_live("train", *muse_sessions[:5], "--out", out, timeout=400)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def judge() -> ObjectClassifier:
    """Names drawn objects; it has seen renderings, never what the diffusion model draws."""
    classifier, held_out = train_object_classifier(load_catalogue("objects"), count=3_000, epochs=5)
    assert held_out > 0.9  # 0.956 measured: a judge worth asking
    return classifier


def protocol(out: Path) -> list[dict[str, Any]]:
    """The lines of a headless run's `live.jsonl`."""
    return [json.loads(line) for line in (out / "live.jsonl").read_text().splitlines()]
