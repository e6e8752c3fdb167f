"""The demo as `make live` runs it without a display, on an excerpt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system.conftest import ROOT, Run, protocol

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]


def test_the_demo_names_what_was_shown_on_its_held_out_session(bci_live: Run, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done = bci_live(
        "live", "--headless", "--replay", ROOT / "recordings" / "demo.xdf", "--decoder", ROOT / "models" / "decoder-demo",
        "--seconds", 45, "--out", out, "--json", timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Loading the diffusion pipeline …" in done.stderr  # in a pipe, too: it takes a while
    summary = json.loads(done.stdout.splitlines()[-1])
    lines = protocol(out)
    shown = [line for line in lines if line["outcome"] == "shown"]
    assert summary["badge"] == "SIMULATED · REPLAY"
    assert len(lines) == summary["markers"] >= 20
    # Chance is 1 of 40; the whole session gets more than half (docs/measured.md), thirty trials leave ± 0.09.
    right = sum(line["top"] == line["marker"] for line in shown)
    assert right / len(shown) >= 0.5
    assert summary["accuracy"]["chance"] == pytest.approx(1 / 40)
    # Guesses from 250, 400 and 600 ms: above chance from the first on, and better the more has been seen.
    tops = [it["top1"] for it in summary["guesses"]]
    assert [it["until_s"] for it in summary["guesses"]] == [0.25, 0.4, 0.6]
    assert 0.1 < tops[0] < tops[2]
    # On a busy machine a chunk may bring the whole window at once; then nothing is left to guess.
    assert sum(len(line["guesses"]) for line in shown) >= 0.9 * 3 * len(shown)
    assert all(it["guess_ms"]["median"] < 100 for it in summary["guesses"])
    assert all((out / line["image"]).is_file() and (out / line["saliency"]).is_file() for line in shown)
    for stage in ("epoch_ms", "saliency_ms", "first_image_ms", "image_ms"):
        assert 0 <= summary[stage]["median"] <= summary[stage]["p95"]
