"""A pipeline tells which text and latent space it reads; captions are embedded as the pipeline itself would."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTextModel

from bci_live.config import bundled
from bci_live.diffusion.spaces import STABLE_DIFFUSION, latent_side, latent_space, text_space
from bci_live.diffusion.text import caption_bank, embed
from bci_live.errors import DiffusionError
from bci_live.stimuli.catalogue import load_catalogue
from tests.diffusion.stable_diffusion import SIDE, SPACE, save_stable_diffusion


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("big") / "sd", half=True)


def test_a_trained_pipeline_speaks_the_space_of_its_bank(exported: Path) -> None:
    assert text_space(exported) == "all-MiniLM-L6-v2 centred/8x32"
    assert latent_space(exported).startswith("autoencoder ")


@pytest.mark.skipif(not bundled("models/diffusion-demo").is_dir(), reason="models/diffusion-demo is not there")
def test_what_ships_speaks_to_itself() -> None:
    card = json.loads((bundled("models/decoder-demo") / "decoder.json").read_text())
    demo = bundled("models/diffusion-demo")
    assert text_space(demo) == card.get("text_space", "all-MiniLM-L6-v2 centred/8x384")
    assert card.get("latent_space") in (None, latent_space(demo))


@pytest.mark.parametrize(
    ("width", "layers", "space"), [(768, 12, "clip-vit-l-14/77x768"), (1024, 23, "openclip-vit-h-14/77x1024")]
)
def test_the_big_ones_are_told_by_their_text_encoders(tmp_path: Path, width: int, layers: int, space: str) -> None:
    (tmp_path / "text_encoder").mkdir()
    config = {"hidden_size": width, "num_hidden_layers": layers, "max_position_embeddings": 77}
    (tmp_path / "text_encoder" / "config.json").write_text(json.dumps(config))
    assert text_space(tmp_path) == space


def test_stable_diffusion_and_taesd_share_their_latents(big: Path, tmp_path: Path) -> None:
    assert latent_space(big) == STABLE_DIFFUSION
    assert latent_side(big) == SIDE
    from diffusers import AutoencoderTiny

    AutoencoderTiny().save_pretrained(tmp_path / "vae")
    assert latent_space(tmp_path) == STABLE_DIFFUSION


def test_captions_are_embedded_as_the_pipeline_itself_does(big: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(big, variant="fp16", torch_dtype=torch.float32)
    theirs, _ = pipeline.encode_prompt("An image of a dog", "cpu", 1, do_classifier_free_guidance=False)
    bank = caption_bank(big)
    assert bank.labels == load_catalogue().labels
    assert bank.space == text_space(big) == SPACE
    np.testing.assert_allclose(embed(big, ["An image of a dog"])[0], theirs[0].detach().numpy(), atol=1e-5)
    assert not np.allclose(bank.embedding("dog"), bank.embedding("piano"), atol=1e-3)


def test_a_pipeline_without_text_encoder_is_a_clear_error(big: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(big, tmp_path / "sd"))
    weights = next((copy / "text_encoder").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(DiffusionError, match=r"text encoder in .* cannot be used"):
        embed(copy, ["An image of a dog"])
    shutil.rmtree(copy / "text_encoder")
    with pytest.raises(DiffusionError, match=r"text_encoder of .* cannot be read"):
        caption_bank(copy)


def test_without_memory_on_the_device_captions_are_embedded_by_the_processor_and_that_is_said(
    big: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    there = embed(big, ["An image of a dog"])
    move = CLIPTextModel.to

    def full(encoder: CLIPTextModel, device: torch.device) -> CLIPTextModel:
        if device.type == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.27 GiB.")
        return move(encoder, device)

    monkeypatch.setattr(CLIPTextModel, "to", full)
    np.testing.assert_array_equal(embed(big, ["An image of a dog"], "cuda"), there)
    assert "ran out of memory: captions are embedded by the processor" in caplog.text


def test_another_failure_on_the_device_is_not_tried_again_on_the_processor(
    big: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(encoder: CLIPTextModel, device: torch.device) -> CLIPTextModel:
        raise RuntimeError(f"no kernel image is available on {device}")

    monkeypatch.setattr(CLIPTextModel, "to", failing)
    with pytest.raises(DiffusionError, match="cannot be used: no kernel image is available on cuda"):
        embed(big, ["An image of a dog"], "cuda")
