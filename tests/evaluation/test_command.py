"""`bci-live evaluate`, as its user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bci_live.cli import main
from tests.diffusion.stable_diffusion import save_stable_diffusion

ROOT = Path(__file__).resolve().parents[2]
DECODER, SESSION = "models/decoder-demo", "recordings/demo.xdf"


def evaluate(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bci_live", "evaluate", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=220, check=False,
    )  # fmt: skip


def test_the_demo_is_scored_with_its_controls_in_json_and_in_a_report(tmp_path: Path) -> None:
    page = tmp_path / "new folder" / "report.html"
    done = evaluate(
        DECODER, SESSION, "--report", page, "--json", "--trials", 3, "--judge", "none", "--device", "cpu"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "reading …" in done.stderr
    assert done.stderr.count("drawing …") == 1
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["n_way"], told["chance"], told["trials"]) == (40, 0.025, 100)
    assert told["top1"] >= 0.5
    assert told["top5"] >= told["top1"]
    assert told["interval"][0] <= told["top1"] <= told["interval"][1]
    assert all(set(it) >= {"score", "chance", "interval", "within_chance"} for it in told["controls"].values())
    assert told["simulated"]
    assert not told["block_design"]
    ways = {(row["caption"], row["saliency"], row["latent"]) for row in told["pictures"]["ablation"]}
    starts = [(False, False), (True, False), (False, True)]
    assert ways == {(caption, *start) for caption in ("decoded", "label", "none") for start in starts}
    structure = told["pictures"]["structure"]
    assert set(structure["picture"]) >= {"position", "size", "turn", "overlap", "count", "intervals"}
    assert structure["picture"]["position"] < 0.5
    assert (structure["picture"]["count"], structure["saliency map of all trials"]["count"]) == (3, 100)
    ssim = told["pictures"]["scores"]["ssim"]["score"]
    assert structure["another trial's saliency map"]["count"] == 100
    assert structure["no EEG: one place and size for all, of all trials"]["position"] < 0.2
    for name in ("label_only", "mean_embedding", "mean_stimulus"):
        baseline = told["pictures"]["baselines"][name]["ssim"]
        assert baseline["gain"] == pytest.approx(ssim - baseline["score"], abs=1e-3)
    assert told["oracle"] or "oracle" in told["not_run"]
    assert page.read_text(encoding="utf-8").count("<figure") == 3


def test_a_pipeline_that_the_decoder_does_not_speak_to_is_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    big = save_stable_diffusion(tmp_path / "a folder")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["bci-live", "evaluate", DECODER, SESSION, "--diffusion", str(big)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"bci-live retarget {DECODER} --diffusion '{big}' --out FOLDER" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((DECODER,), "Name a decoder and the sessions"),
        ((DECODER, "nothing.xdf"), "nothing.xdf"),
        (("nothing", SESSION), "nothing"),
        ((DECODER, SESSION, "--reference", "Cz"), "--reference"),
        ((DECODER, SESSION, "--encoder", "lstm", "--objective", "labels=1"), "--encoder and --objective would change"),
        ((DECODER, SESSION, "--encoder", "cnn"), "'cnn' is no encoder"),
        ((DECODER, SESSION, "--judge", "jury"), "objects, imagenet or none"),
        ((DECODER, SESSION, "--reject", "eeg"), "eeg=150"),
        ((SESSION, SESSION, "--cross-validate", "trial"), "neighbours in time"),
        ((SESSION, "--cross-validate", "run"), "at least two runs"),
        ((SESSION, "b.xdf", "--cross-validate", "run", "--saliency", "colour=1"), "no picture is drawn"),
        ((SESSION, "b.xdf", "--cross-validate", "subject"), "does not tell the subject"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence_and_exit_code_2(
    arguments: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["bci-live", "evaluate", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert sentence in told.err
    assert told.out == ""
