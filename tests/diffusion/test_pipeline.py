"""A pipeline folder is loaded as it was saved, or refused with a sentence; code in it is never run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import LCMScheduler, PNDMScheduler, StableDiffusionImg2ImgPipeline
from huggingface_hub import constants

from bci_live.config import DiffusionConfig, bundled
from bci_live.diffusion.pipeline import load_pipeline, pipeline_name, quiet_libraries
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.errors import DiffusionError
from bci_live.stimuli.captions import load_bank
from bci_live.stimuli.catalogue import load_catalogue
from tests.diffusion.stable_diffusion import WIDTH, save_stable_diffusion

CPU = torch.device("cpu")
SHIPPED = bundled("models/diffusion-demo")


def test_weights_are_read_as_single_precision(folder: Path) -> None:
    pipeline = load_pipeline(folder, CPU)
    assert pipeline.unet.dtype == pipeline.vae.dtype == torch.float32
    assert pipeline.scheduler.alphas_cumprod[-1] == 0
    assert pipeline_name(folder) == "tiny"


def test_absent_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DiffusionError, match="There is no diffusion pipeline in"):
        load_pipeline(tmp_path / "nowhere", CPU)
    with pytest.raises(DiffusionError, match="There is no diffusion pipeline in"):
        load_pipeline(Path("models/no-such-pipeline"), CPU)


def test_a_name_that_is_none_is_told_with_those_that_are_known() -> None:
    with pytest.raises(DiffusionError, match=r"pipeline in sdturbo\. .*\(sd-turbo, lcm, sdxs\) .*\(OWNER/NAME\)"):
        load_pipeline("sdturbo", CPU)


def test_empty_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DiffusionError, match=r"model_index\.json cannot be read"):
        load_pipeline(tmp_path, CPU)


@pytest.mark.parametrize("part", ["unet", "vae"])
@pytest.mark.parametrize("harm", ["truncated", "absent", "rubbish"])
def test_damaged_weights_are_a_clear_error(folder: Path, part: str, harm: str) -> None:
    weights = next((folder / part).glob("*.safetensors"))
    if harm == "absent":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:1000] if harm == "truncated" else b"rubbish")
    with pytest.raises(DiffusionError, match="is damaged"):
        load_pipeline(folder, CPU)


def test_damaged_configuration_is_a_clear_error(folder: Path) -> None:
    (folder / "unet" / "config.json").write_text("{")
    with pytest.raises(DiffusionError, match="is damaged"):
        load_pipeline(folder, CPU)


def test_missing_part_is_named(folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    del index["vae"]
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(DiffusionError, match="lacks its part 'vae'"):
        load_pipeline(folder, CPU)


def test_code_in_the_folder_is_never_executed(folder: Path) -> None:
    trap = folder / "sprung"
    (folder / "unet" / "trap.py").write_text(f"open({str(trap)!r}, 'w')\nclass Trap: pass\n")
    index = json.loads((folder / "model_index.json").read_text())
    index["unet"] = ["trap", "Trap"]
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(DiffusionError, match="from diffusers and transformers alone"):
        load_pipeline(folder, CPU)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("_class_name", ["trap", "Trap"]), ("unet", [["diffusers"], "X"]), ("vae", []), ("scheduler", None)],
)
def test_an_index_of_another_shape_is_a_clear_error(folder: Path, name: str, value: object) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {name: value}))
    with pytest.raises(DiffusionError):
        load_pipeline(folder, CPU)


def test_a_step_is_one_evaluation_whatever_scheduler_the_folder_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    folder = save_stable_diffusion(tmp_path / "sd")
    PNDMScheduler(beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1).save_pretrained(
        folder / "scheduler"
    )
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"scheduler": ["diffusers", "PNDMScheduler"]}))
    reconstructor = DiffusionReconstructor.load(folder, CPU, DiffusionConfig(steps=4, strength=0.75))
    pictures = list(reconstructor.draw(np.ones((77, WIDTH), np.float32), None, 0))
    assert len(pictures) == reconstructor.steps == 3


def test_half_precision_is_read_as_single_on_the_processor(tmp_path: Path) -> None:
    pipeline = load_pipeline(save_stable_diffusion(tmp_path / "sd", half=True), CPU)
    assert pipeline.unet.dtype == pipeline.vae.dtype == torch.float32


def test_the_guidance_that_a_latent_consistency_model_reads_is_part_of_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    folder = save_stable_diffusion(tmp_path / "lcm", time_cond_proj_dim=16)
    with quiet_libraries():
        LCMScheduler.from_config(load_pipeline(folder, CPU).scheduler.config).save_pretrained(folder / "scheduler")
        index = json.loads((folder / "model_index.json").read_text())
        index |= {"_class_name": "LatentConsistencyModelPipeline", "scheduler": ["diffusers", "LCMScheduler"]}
        (folder / "model_index.json").write_text(json.dumps(index))
        ours, theirs = load_pipeline(folder, CPU), StableDiffusionImg2ImgPipeline.from_pretrained(folder)
    theirs.set_progress_bar_config(disable=True)

    def draw(pipeline: StableDiffusionImg2ImgPipeline, guidance: float) -> np.ndarray:
        return pipeline(
            prompt_embeds=torch.ones(1, 77, WIDTH), image=torch.full((1, 3, 64, 64), 0.5), strength=0.5,
            num_inference_steps=4, guidance_scale=guidance, generator=torch.Generator().manual_seed(1), output_type="np",
        ).images[0]  # fmt: skip

    np.testing.assert_allclose(draw(ours, 0.0), draw(theirs, 8.0), atol=1e-4)
    assert np.abs(draw(theirs, 1.0) - draw(theirs, 8.0)).max() > 1e-3


def test_pickled_weights_are_not_read(folder: Path) -> None:
    weights = next((folder / "unet").glob("*.safetensors"))
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(DiffusionError, match="is damaged"):
        load_pipeline(folder, CPU)


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="models/diffusion-demo is not there")
def test_shipped_pipeline_draws_another_picture_for_another_caption() -> None:
    bank = load_bank(SHIPPED)
    assert bank.labels == load_catalogue().labels
    reconstructor = DiffusionReconstructor.load(SHIPPED, CPU, DiffusionConfig(initial="grey", strength=1.0))
    pumpkin, rocket = (list(reconstructor.draw(bank.embedding(it), None, 0))[-1] for it in ("pumpkin", "rocket"))
    assert pumpkin.shape == (128, 128, 3)
    # Both have the same noise; a pumpkin fills more of its picture with orange (red well above blue) than a rocket.
    orange = [(image[..., 0].astype(int) - image[..., 2] > 60).mean() for image in (pumpkin, rocket)]
    assert orange[0] > orange[1] + 0.05
    assert np.abs(pumpkin.astype(int) - rocket).mean() > 5
