"""Real EEG: runs 1 to 5 train, an excerpt of run 6 is replayed over LSL in real time and decoded headless."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from bci_live.decoding.decoder import load_decoder
from bci_live.evaluation.object_classifier import ObjectClassifier, name_objects
from bci_live.sessions.recording import read_recording
from bci_live.signal.epoching import EpochPlan
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import resized
from bci_live.training.epochs import cut_recording
from bci_live.types import Epoch, MissedReason
from tests.system.conftest import Run, protocol

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def test_faces_and_houses_are_told_apart_live(
    bci_live: Run, muse_sessions: list[Path], muse_decoder: Path, judge: ObjectClassifier, tmp_path: Path
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
    pictures = np.stack([np.asarray(Image.open(out / line["image"])) for line in shown])
    assert pictures.shape == (len(shown), 128, 128, 3)
    labels = load_catalogue("objects").labels
    drawn = [labels[index] for index in name_objects(judge, resized(pictures, 64))]
    assert sum(name in ("face", "house") for name in drawn) >= 0.8 * len(shown)  # a few come out as pumpkins
    # A decoder that is unsure shows it, but what it is sure of is what it draws.
    sure = [(name, line["top"]) for name, line in zip(drawn, shown, strict=True) if line["confidence"] > 0.7]
    assert sum(name == top for name, top in sure) >= 0.8 * len(sure)
    with Image.open(out / shown[0]["saliency"]) as saliency:
        assert saliency.size == (64, 64)
    assert (out / "contact_sheet.png").is_file()
    assert json.loads((out / "summary.json").read_text()) == summary


def test_over_the_whole_run_faces_and_houses_are_told_apart(muse_sessions: list[Path], muse_decoder: Path) -> None:
    """From the file, since live epochs are bit-identical to these (`test_online_equals_offline`): all 190 of run 6."""
    decoder = load_decoder(muse_decoder)
    card, recording = decoder.card, read_recording(muse_sessions[5])
    plan = EpochPlan(recording.facts.rate, card.rate, card.filter, card.epoch)
    epochs = cut_recording(recording, plan, card.channels)
    scores = [
        decoder.decode(Epoch(data, onset, marker, onset, onset)).scores["face"]
        for data, marker, onset in zip(epochs.data, epochs.markers, epochs.onsets, strict=True)
    ]
    rejected = sum(miss.reason is MissedReason.ARTEFACT for miss in epochs.missed)
    assert len(scores) >= 0.95 * (len(recording.markers) - rejected)
    assert roc_auc_score([label == "face" for label in epochs.labels], scores) >= 0.62
