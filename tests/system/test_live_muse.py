"""Real EEG: runs 1 to 5 train, an excerpt of run 6 is replayed over LSL in real time and decoded headless."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from tests.system.conftest import Run, protocol

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def test_faces_and_houses_are_told_apart_live(
    bci_live: Run, muse_sessions: list[Path], muse_decoder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "live"
    done = bci_live(
        "live", "--headless", "--replay", muse_sessions[5], "--start", 20, "--decoder", muse_decoder,
        "--seconds", 40, "--out", out, "--json", timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    lines = protocol(out)

    # 0.5 to 0.7 s apart: some 60 markers in 40 s, and each of them ends as one line.
    assert len(lines) == summary["markers"] > 45
    assert summary["shown"] + sum(summary["missed"].values()) == summary["markers"]
    shown = [line for line in lines if line["outcome"] == "shown"]
    rejected = summary["missed"].get("artefact", 0)
    # The replay sends the pre-roll of its first marker, too: none is too old.
    assert "too_old" not in summary["missed"]
    assert len(shown) >= 0.95 * (len(lines) - rejected)

    # Plain offline decoders get 0.70 on this run; sixty trials leave a standard error of 0.07.
    truth = [line["marker"] == "face" for line in shown]
    assert roc_auc_score(truth, [line["scores"]["face"] for line in shown]) >= 0.55
    assert all(line["top"] in ("face", "house") for line in shown)
    with Image.open(out / shown[0]["image"]) as picture:
        assert picture.size == (64, 64)
    with Image.open(out / shown[0]["saliency"]) as saliency:
        assert saliency.size == (64, 64)
    assert (out / "contact_sheet.png").is_file()
    assert json.loads((out / "summary.json").read_text()) == summary
