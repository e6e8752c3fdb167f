"""The example of docs/block-design.md, at a small size: fake success by random trial, nothing by run, and the alarm."""

from __future__ import annotations

from pathlib import Path

import pytest

from bci_live.config import EpochConfig, FilterConfig
from bci_live.evaluation.folds import Training
from bci_live.training.encoder import EncoderTraining
from benchmarks.block_design import measure

TRAINING = Training(FilterConfig(), EpochConfig(reject_uv={}), {}, encoder=EncoderTraining(passes=1, batch=16))


@pytest.mark.parametrize("order", ["blocks", "random"])
def test_only_blocks_make_the_fake_success_and_holding_out_runs_ends_it(order: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    found = measure(tmp_path, order, runs=3, trials=16, training=TRAINING, report=page)
    assert found["trials"] == 3 * 4 * 16
    fake = found["by_random_trial"] > found["by_random_trial_chance_interval"][1]
    assert (fake, found["alarm"]) == (order == "blocks", order == "blocks")
    assert found["by_run"] <= found["by_run_chance_interval"][1]
    assert ("BLOCK DESIGN" in page.read_text(encoding="utf-8")) == (order == "blocks")
