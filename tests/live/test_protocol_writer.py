"""What a headless session leaves behind: lines as they happen, pictures, a summary, a sheet; and nothing outside its folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bci_live.errors import BciError
from bci_live.live.protocol_writer import ProtocolWriter, describe, prepare_folder
from bci_live.live.snapshot import Shown, Timings
from bci_live.types import Decoding, Epoch, Guess, Marker, Missed, MissedReason, Reconstruction

LABELS = ("dog", "house")


def shown(label: str, top: str = "dog", image_ms: float = 100.0) -> Shown:
    epoch = Epoch(np.zeros((2, 3), np.float32), 5.0, Marker(label, 5.001), 5.8, 5.81)
    scores = {name: 0.9 if name == top else 0.1 for name in LABELS}
    saliency = np.full((8, 8, 3), 0.5, np.float32)
    decoding = Decoding(saliency, np.zeros((1, 4), np.float32), None, scores, epoch, 5.82)
    picture = np.full((8, 8, 3), 200, np.uint8)
    return Shown(Reconstruction(picture, 4, 4, 3, decoding, 5.9), Timings(10.0, 20.0, 50.0, image_ms))


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "live.jsonl").read_text(encoding="utf-8").splitlines()]


def test_lines_pictures_summary_and_sheet_agree(tmp_path: Path) -> None:
    prepare_folder(tmp_path)
    with ProtocolWriter(tmp_path, LABELS) as writer:
        for ms in (100.0, 200.0, 300.0):
            writer.write(shown("dog", image_ms=ms))
            # Written as it happens: a killed program has lost nothing.
            assert lines(tmp_path)[-1]["image_ms"] == ms
        writer.write(shown("house"))
        writer.write(Missed(Marker("house", 7.0), MissedReason.GAP, "samples were lost"))
        summary = writer.finish(badge="REPLAY")
    first, *_, missed = lines(tmp_path)
    assert (first["marker"], first["onset"], first["outcome"], first["top"]) == ("dog", 5.0, "shown", "dog")
    assert first["scores"] == {"dog": 0.9, "house": 0.1}
    assert first["confidence"] == 0.9
    assert [first[f"{stage}_ms"] for stage in ("epoch", "saliency", "first_image", "image")] == [10, 20, 50, 100]
    told = {key: value for key, value in missed.items() if value not in (None, [])}
    assert told == {"marker": "house", "onset": 7.0, "outcome": "gap", "detail": "samples were lost"}
    assert missed.keys() == first.keys()
    with (
        Image.open(tmp_path / str(first["image"])) as picture,
        Image.open(tmp_path / str(first["saliency"])) as saliency,
    ):
        assert picture.getpixel((0, 0)) == (200, 200, 200)
        assert saliency.getpixel((0, 0)) == (128, 128, 128)
    assert summary == json.loads((tmp_path / "summary.json").read_text())
    assert (summary["markers"], summary["shown"], summary["missed"]) == (5, 4, {"gap": 1})
    assert summary["image_ms"] == {"median": 150.0, "p95": 285.0}
    assert summary["accuracy"] == {"top1": 0.75, "of": 4, "chance": 0.5}
    with Image.open(tmp_path / "contact_sheet.png") as sheet:
        colours = {colour for _, colour in sheet.getcolors(1_000_000) or []}
        assert {(200, 200, 200), (128, 128, 128)} <= colours


def guess(label: str, top: str, until_s: float, after_ms: float) -> Guess:
    epoch = Epoch(np.zeros((2, 3), np.float32), 5.0, Marker(label, 5.001), 5.0 + until_s, 5.0 + until_s)
    scores = {name: 0.75 if name == top else 0.25 for name in LABELS}
    return Guess(scores, until_s, epoch, 5.0 + until_s + after_ms / 1000)


def test_guesses_stand_in_their_marker_s_line_and_are_right_or_wrong_in_the_summary(tmp_path: Path) -> None:
    prepare_folder(tmp_path)
    right, wrong, late = guess("dog", "dog", 0.4, 3.0), guess("dog", "house", 0.25, 2.0), guess("dog", "dog", 0.25, 4.0)
    with ProtocolWriter(tmp_path, LABELS) as writer:
        writer.write(replace(shown("dog"), guesses=(wrong, right)))
        writer.write(Missed(Marker("dog", 7.0), MissedReason.GAP, "samples were lost", (late,)))
        summary = writer.finish(badge="REPLAY", errors=[])
    first, second = lines(tmp_path)
    assert first["guesses"] == [
        {"until_s": 0.25, "scores": {"dog": 0.25, "house": 0.75}, "top": "house", "confidence": 0.75, "guess_ms": 2.0},
        {"until_s": 0.4, "scores": {"dog": 0.75, "house": 0.25}, "top": "dog", "confidence": 0.75, "guess_ms": 3.0},
    ]
    assert [it["until_s"] for it in second["guesses"]] == [0.25]
    assert summary["guesses"] == [
        {"until_s": 0.25, "top1": 0.5, "of": 2, "guess_ms": {"median": 3.0, "p95": 3.9}},
        {"until_s": 0.4, "top1": 1.0, "of": 1, "guess_ms": {"median": 3.0, "p95": 3.0}},
    ]
    assert "First guesses, while the window filled: 50% at 250 ms, 100% at 400 ms" in describe(summary, tmp_path)


@pytest.mark.parametrize("label", ["../../outside", "/etc/passwd", "a\x00b", "\ud800", "C:\\x", "", "狗", "a" * 200])
def test_a_label_from_the_network_is_never_a_path(tmp_path: Path, label: str) -> None:
    out = tmp_path / "in" / "out"
    prepare_folder(out)
    with ProtocolWriter(out, LABELS) as writer:
        writer.write(shown(label))
        writer.write(Missed(Marker(label, 1.0), MissedReason.UNKNOWN_LABEL))
        writer.finish()
    assert [line["marker"] for line in lines(out)] == [label, label]
    files = {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {("in", "out")}
    assert len(list((out / "images").iterdir())) == len(list((out / "saliency").iterdir())) == 1


def test_a_session_is_never_written_over(tmp_path: Path) -> None:
    prepare_folder(tmp_path)
    with ProtocolWriter(tmp_path, LABELS) as writer:
        writer.finish()
    with pytest.raises(BciError, match=r"holds a session already.*--out"):
        prepare_folder(tmp_path)


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BciError, match="cannot be written to"):
        prepare_folder(tmp_path / "file" / "out")


def test_a_session_without_a_marker_still_has_its_summary(tmp_path: Path) -> None:
    prepare_folder(tmp_path)
    with ProtocolWriter(tmp_path, LABELS) as writer:
        summary = writer.finish(badge="LIVE")
    assert (summary["markers"], summary["missed"], summary["image_ms"]) == (0, {}, {"median": None, "p95": None})
    assert not (tmp_path / "contact_sheet.png").exists()
