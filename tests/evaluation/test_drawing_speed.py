"""The benchmark of drawing measures what is drawn, and its peer draws the same."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import MagicMock, patch

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from bci_live.cli_bench import _counts
from bci_live.errors import BciError
from bci_live.evaluation.drawing_speed import DrawingBench, _batch_rate, bench_reconstruct


def test_both_draw_the_same_picture_and_every_part_of_ours_is_told() -> None:
    told: list[str] = []
    figures = bench_reconstruct(DrawingBench("models/diffusion-demo", steps=2, rounds=3, streams=(1, 2)), told.append)
    ours, peer = figures["ours"], figures["peer"]
    # The peer's picture is not yet rounded to whole grey levels.
    assert ours["largest_difference"] < 1.01
    assert (ours["steps"], ours["device"]) == (2, "cpu")
    for part in ("total", "eeg_decoder", "vae_encode", "step", "vae_decode"):
        assert 0 < ours[f"{part}_ms_median"] <= ours[f"{part}_ms_p95"]
    assert ours["total_processor_ms_median"] > 0
    assert ours["memory_mb"] > 100
    assert set(ours["pictures_a_second_by_streams"]) == {"1", "2"}
    assert peer["name"] == "diffusers"
    assert peer["total_ms_median"] > 0
    assert "2 at once …" in told


def test_more_at_once_than_there_is_memory_for_is_told_and_leaves_the_other_figures() -> None:
    told: list[str] = []
    full = MagicMock(**{"warm_up.side_effect": torch.OutOfMemoryError("CUDA out of memory.")})
    condition = np.zeros((8, 384), np.float32), np.zeros((64, 64, 3), np.float32)
    assert _batch_rate(full, *condition, 2, DrawingBench("any"), told.append) is None
    assert told[-1] == "There is not the memory for 2 at once: CUDA out of memory."
    broken = MagicMock(**{"warm_up.side_effect": RuntimeError("Its shapes do not fit.")})
    with pytest.raises(RuntimeError, match="do not fit"):
        _batch_rate(broken, *condition, 2, DrawingBench("any"), told.append)


def test_where_the_peer_finds_no_memory_ours_is_told_all_the_same() -> None:
    told: list[str] = []
    full = patch("bci_live.evaluation.drawing_speed._plain", side_effect=torch.OutOfMemoryError("CUDA out of memory."))
    with full:
        figures = bench_reconstruct(DrawingBench("models/diffusion-demo", rounds=3), told.append)
    assert figures["ours"]["total_ms_median"] > 0
    assert figures["ours"]["largest_difference"] is None
    assert figures["peer"] == {"name": "diffusers", "total_ms_median": None}
    assert "There is not the memory for the plain diffusers call beside ours: CUDA out of memory." in told


def test_what_cannot_be_measured_is_refused_with_what_can() -> None:
    with pytest.raises(BciError, match="draws no 65 pixels: take a --size that 32 divides"):
        bench_reconstruct(DrawingBench("models/diffusion-demo", size=65))
    with pytest.raises(ValidationError, match="sdxs was made to draw in one step, not in 4"):
        bench_reconstruct(DrawingBench("sdxs", steps=4))
    with pytest.raises(BciError, match="no architecture 'sd-3'"):
        bench_reconstruct(DrawingBench("sd-3", random_weights=True))
    with pytest.raises(BciError, match="There is no diffusion pipeline in"):
        bench_reconstruct(DrawingBench(str(Path("nowhere") / "at" / "all")))
    with pytest.raises(BciError, match="--streams '1,many' is no list of numbers"):
        _counts("1,many")
    assert _counts("1, 2,4") == (1, 2, 4)
