"""A training that is killed goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from bci_live.diffusion.pipeline import load_pipeline
from bci_live.errors import DiffusionError
from bci_live.stimuli.captions import load_bank
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.training.checkpoints import Checkpoint, Progress
from bci_live.training.denoising import LatentSet, draw_pictures, draw_softness, draw_timesteps, soften
from bci_live.training.diffusion import TEACHER_FOLDER, begin_with, build_scheduler, build_unet, train_diffusion
from bci_live.training.loop import LoopSettings, learning_rate, run_loop
from bci_live.training.placement import contrast_map
from tests.diffusion.conftest import TINY, random_bank

STEPS = LoopSettings("line", minutes=1e6, learning_rate=0.1, warmup_steps=1, max_steps=12)


def _line() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def _loss_at(model: nn.Module, step: int) -> Tensor:
    inputs = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
    return (model(inputs) - inputs.sum(1, keepdim=True)).square().mean()


def test_interrupted_training_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    def interrupted(model: nn.Module, step: int) -> Tensor:
        if step == 5:
            raise KeyboardInterrupt
        return _loss_at(model, step)

    unbroken = run_loop(_line(), _loss_at, STEPS, tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        run_loop(_line(), interrupted, STEPS, tmp_path / "broken")
    assert json.loads((tmp_path / "broken" / "line" / "progress.json").read_text())["step"] == 5
    resumed = run_loop(_line(), _loss_at, STEPS, tmp_path / "broken")
    for ours, theirs in zip(resumed.parameters(), unbroken.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_finished_training_does_not_start_again(tmp_path: Path) -> None:
    run_loop(_line(), _loss_at, STEPS, tmp_path)

    def never(model: nn.Module, step: int) -> Tensor:
        raise AssertionError("a step was made")

    run_loop(_line(), never, STEPS, tmp_path)


def test_learning_rate_warms_up_and_falls_to_zero() -> None:
    settings = LoopSettings("any", minutes=1, learning_rate=1.0, warmup_steps=10)
    assert learning_rate(settings, 0, 0.0) == pytest.approx(0.1)
    assert learning_rate(settings, 100, 0.5) == pytest.approx(0.5)
    assert learning_rate(settings, 100, 1.0) == pytest.approx(0.0)


def test_noise_alone_goes_with_the_picture_in_the_middle() -> None:
    labels = torch.tensor([0, 1, 0, 1, 0, 1, 2])  # the last three: each picture in the middle, the third of the others
    data = LatentSet(torch.zeros(7, 8, 16, 16), labels, torch.zeros(3, 8, 4), catalogue=2)
    timesteps = torch.tensor([999, 499]).repeat(2000)
    picks = draw_pictures(data, timesteps, torch.Generator().manual_seed(0))
    assert set(picks[timesteps == 999].tolist()) == {4, 5, 6}
    assert set(picks[timesteps == 499].tolist()) == set(range(7))
    assert (labels[picks] == 2).float().mean() < 0.2  # the catalogue is what has to be drawn well


def test_timesteps_dwell_where_few_step_inference_looks() -> None:
    drawn = draw_timesteps(4000, torch.Generator().manual_seed(0))
    scheduler = build_scheduler()
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]
    assert (drawn == 999).float().mean() > 0.1
    assert torch.isin(drawn, scheduler.timesteps).float().mean() > 0.6
    assert drawn.min() >= 0


def test_whole_training_writes_a_pipeline_and_resumes(tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "pipeline"
    work.mkdir()
    # The sentence encoder is not needed where a bank lies already.
    random_bank(load_catalogue().labels).save(work / "caption_bank.safetensors")
    train_diffusion(out, 1.0, work, "cpu", TINY)
    (out / "README.md").write_text("kept")
    before = {file: file.stat().st_mtime_ns for file in (work / "autoencoder-trained").iterdir()}
    train_diffusion(out, 1.0, work, "cpu", TINY)
    assert before == {file: file.stat().st_mtime_ns for file in (work / "autoencoder-trained").iterdir()}
    assert (out / "README.md").read_text() == "kept"
    assert load_bank(out).labels == load_catalogue().labels
    drawing, teacher = (load_pipeline(it, torch.device("cpu")).unet for it in (out, work / TEACHER_FOLDER))
    assert drawing.config.cross_attention_dim == 32
    # What the sharpening went on from is kept, to compare with.
    assert any((a != b).any() for a, b in zip(drawing.parameters(), teacher.parameters(), strict=True))
    assert str(tmp_path) not in (out / "vae" / "config.json").read_text()  # its own folder is nobody else's business
    assert [it.name for it in tmp_path.iterdir() if it.name.startswith(".")] == []


def test_a_training_refuses_to_go_on_from_an_autoencoder_of_another_build(tmp_path: Path, exported: Path) -> None:
    with pytest.raises(
        DiffusionError, match=r"The autoencoder of '.*' is built otherwise .*Begin with another pipeline"
    ):
        train_diffusion(tmp_path / "out", 1.0, tmp_path / "work", "cpu", TINY, begin=exported)
    assert not (tmp_path / "out").exists()


def test_a_unet_begins_with_what_one_of_before_knows() -> None:
    torch.manual_seed(0)
    fresh = build_unet(TINY, 16, 32)
    settings = {name: it for name, it in fresh.config.items() if not name.startswith("_")}
    older = UNet2DConditionModel(**settings | {"addition_embed_type": None})
    begin_with(fresh, older, Path("older"))
    assert torch.equal(fresh.conv_in.weight, older.conv_in.weight)
    latents, timesteps, prompts = torch.randn(2, 8, 16, 16), torch.tensor([999, 499]), torch.randn(2, 8, 32)
    with torch.no_grad():
        drawn, wanted = (it(latents, timesteps, prompts).sample for it in (fresh, older))
    torch.testing.assert_close(drawn, wanted)
    assert fresh.add_embedding(torch.randn(1, 8, 32)).abs().max() == 0  # the captions' shift begins at nothing
    again = build_unet(TINY, 16, 32)
    begin_with(again, fresh, Path("same kind"))
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), fresh.parameters(), strict=True))
    without_attention = UNet2DConditionModel(**settings | {
        "down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2
    })  # fmt: skip
    for name, other in (
        ("wider", build_unet(replace(TINY, widths=(32, 64)), 16, 32)),
        ("plainer", without_attention),
    ):
        with pytest.raises(DiffusionError, match=f"'{name}' is built otherwise"):
            begin_with(again, other, Path(name))


def test_a_checkpoint_of_another_network_is_told_in_a_sentence(tmp_path: Path) -> None:
    for widths in ((16, 32), (16, 64)):
        network = build_unet(replace(TINY, widths=widths), 16, 32)
        kept = Checkpoint(tmp_path / "teacher")
        three = network, copy.deepcopy(network), torch.optim.AdamW(network.parameters())
        if widths == (16, 32):
            kept.save(Progress(1, 1.0), *three)
    with pytest.raises(DiffusionError, match=r"teacher' is of another network .* --work"):
        kept.load(*three)


def test_start_points_are_soft_where_it_is_noisy_and_never_at_the_end() -> None:
    timesteps = torch.tensor([999, 749, 374, 124]).repeat(1000)
    factors, faded = draw_softness(timesteps, torch.Generator().manual_seed(0))
    assert set(factors[timesteps > 400].tolist()) == {1, 2, 4, 8}
    assert set(factors[timesteps == 374].tolist()) == {1, 2}
    assert (factors[timesteps == 124] == 1).all()
    assert faded[timesteps > 400].max() > 0.6
    assert (faded[factors == 1] == 0).all()


def test_softening_keeps_the_place_and_loses_detail_and_contrast() -> None:
    latents = torch.zeros(4, 1, 16, 16)
    latents[:, :, 2, 2] = 1.0
    mean = torch.zeros(1, 16, 16)
    soft = soften(latents, torch.tensor([1, 2, 8, 8]), torch.tensor([0.0, 0.0, 0.0, 0.5]), mean)
    assert torch.equal(soft[0], latents[0])
    assert soft[1, 0, :5, :5].sum() > 0.99 * soft[1].sum()
    assert 0 < soft[2].max() < soft[1].max() < 1
    torch.testing.assert_close(soft[3], 0.5 * soft[2])


def test_a_contrast_map_is_brightest_where_the_object_is_and_blind_to_the_background() -> None:
    pictures = np.full((2, 64, 64, 3), 90, dtype=np.uint8)
    pictures[1] = 200
    pictures[:, 40:48, 8:16] += 40
    maps = contrast_map(pictures, 8)
    assert maps.shape == (2, 8, 8)
    assert maps[0].argmax() == 5 * 8 + 1
    torch.testing.assert_close(maps[0], maps[1])


def test_a_folder_that_is_no_pipeline_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years")
    with pytest.raises(DiffusionError, match="is left alone"):
        train_diffusion(tmp_path, minutes=1, work=tmp_path / "work", device="cpu", settings=TINY)
    assert (tmp_path / "thesis.txt").read_text() == "years"
    assert not (tmp_path / "work").exists()
