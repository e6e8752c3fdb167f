"""How pictures were drawn comes back at the next start, unless the command line says otherwise or it cannot be."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from bci_live.config import DiffusionConfig
from bci_live.live import remembered
from bci_live.live.controls import DrawingChoice
from bci_live.live.remembered import remember_drawing, remembered_drawing

CHOSEN = DrawingChoice(
    DiffusionConfig(steps=8, strength=0.5, initial="blend", seed=7),
    free_seed=True, averaged=3, every_s=1.5, anytime=False,
)  # fmt: skip
USUAL = DrawingChoice()


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "drawing.json"
    monkeypatch.setattr(remembered, "_drawing_file", lambda: path)
    return path


def test_all_of_it_comes_back() -> None:
    assert remembered_drawing(USUAL, frozenset()) == USUAL  # the first start
    remember_drawing(CHOSEN)
    assert remembered_drawing(USUAL, frozenset()) == CHOSEN


def test_what_was_asked_for_by_name_wins() -> None:
    remember_drawing(CHOSEN)
    given = DrawingChoice(DiffusionConfig(steps=2, seed=5))
    drawn = remembered_drawing(given, frozenset({"steps", "seed", "anytime"}))
    assert drawn.diffusion == DiffusionConfig(steps=2, strength=0.5, initial="blend", seed=5)
    assert (drawn.free_seed, drawn.anytime, drawn.averaged) == (False, True, 3)
    grey = DrawingChoice(DiffusionConfig(initial="grey"))
    assert remembered_drawing(grey, frozenset({"initial"})).diffusion.strength == 1.0  # there is nothing to keep


def test_another_pipeline_draws_as_it_is_used() -> None:
    remember_drawing(CHOSEN)
    given = DrawingChoice(DiffusionConfig(pipeline="sd-turbo"))
    assert remembered_drawing(given, frozenset({"pipeline"})).diffusion == given.diffusion.model_copy(
        update={"seed": 7}
    )


def test_less_than_one_step_falls_back_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    remember_drawing(CHOSEN)
    given = DrawingChoice(DiffusionConfig(steps=1, strength=1.0))
    with caplog.at_level(logging.WARNING):
        drawn = remembered_drawing(given, frozenset({"steps"}))  # 1 × the remembered 0.5
    assert drawn.diffusion == given.diffusion
    assert drawn.averaged == 3
    assert "1 steps × strength 0.5 is less than one step" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"averaged": 0}, {"averaged": 10**9}, {"every_s": -1}, {"every_s": float("nan")}, {"every_s": 0.001},
        {"seed": -1}, {"seed": 2**80}, {"initial": "../x"}, {"steps": "many"}, {"free_seed": []}, {"pipeline": None},
    ],
)  # fmt: skip
def test_hostile_values_are_ignored_in_one_sentence(
    file: Path, change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    remember_drawing(CHOSEN)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with caplog.at_level(logging.WARNING):
        assert remembered_drawing(USUAL, frozenset()) == USUAL
    assert len(caplog.records) == 1
    assert next(iter(change)) in caplog.text
    assert "\n" not in caplog.records[0].getMessage()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b'{"steps": 8}'])
def test_a_file_that_is_no_memory_is_ignored_in_one_sentence(
    file: Path, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_bytes(text)
    with caplog.at_level(logging.WARNING):
        assert remembered_drawing(USUAL, frozenset()) == USUAL
    assert "drawing.json' is ignored" in caplog.text


@pytest.mark.parametrize("change", [{"steps": 0}, {"steps": 999}, {"strength": 7.0}, {"strength": 0.01}])
def test_settings_that_no_pipeline_draws_with_leave_the_usual_ones(file: Path, change: dict[str, Any]) -> None:
    remember_drawing(CHOSEN)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert remembered_drawing(USUAL, frozenset()).diffusion == USUAL.diffusion
