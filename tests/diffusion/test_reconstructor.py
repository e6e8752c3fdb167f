"""A decoding becomes pictures, step by step, the same ones for the same seed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DEISMultistepScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    TCDScheduler,
    UniPCMultistepScheduler,
)

from bci_live.config import DiffusionConfig, bundled
from bci_live.diffusion.engine import as_pixels
from bci_live.diffusion.pipeline import load_pipeline
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.diffusion.start import begin
from bci_live.errors import DiffusionError
from bci_live.stimuli.captions import load_bank
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.training.renderings import draw_renderings
from bci_live.types import Decoding, FloatArray
from tests.diffusion.stable_diffusion import WIDTH, save_stable_diffusion

CPU = torch.device("cpu")
TOKENS = 8
SHIPPED = bundled("models/diffusion-demo")


def _load(folder: Path, **settings: object) -> DiffusionReconstructor:
    return DiffusionReconstructor.load(folder, CPU, DiffusionConfig.model_validate(settings), clock=lambda: 12.0)


def test_every_step_gives_a_picture_and_the_last_is_finished(exported: Path, decoding: Decoding) -> None:
    reconstructor = _load(exported)
    reconstructor.warm_up(TOKENS)
    pictures = list(reconstructor.reconstruct(decoding, seed=5))
    # Four steps of which the first quarter is skipped (strength 0.75): the picture begins as the saliency map.
    assert [picture.step for picture in pictures] == [1, 2, 3]
    assert all(picture.steps == 3 and picture.seed == 5 and picture.made == 12.0 for picture in pictures)
    assert all(picture.decoding is decoding for picture in pictures)
    assert pictures[-1].image.shape == (128, 128, 3)
    assert pictures[-1].image.dtype == np.uint8
    assert reconstructor.name == "tiny"


def test_same_seed_same_picture_other_seed_another(exported: Path, decoding: Decoding) -> None:
    reconstructor = _load(exported)
    first, again, other = (list(reconstructor.reconstruct(decoding, seed))[-1].image for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def _drawn_by_diffusers(
    pipeline: Any, embedding: FloatArray, picture: FloatArray, seed: int, **settings: Any
) -> FloatArray:
    side = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
    values = torch.from_numpy(picture).permute(2, 0, 1)[None]
    theirs: FloatArray = pipeline(
        prompt_embeds=torch.from_numpy(embedding)[None],
        image=torch.nn.functional.interpolate(values, (side, side), mode="bilinear", antialias=True),
        guidance_scale=0.0,
        generator=torch.Generator().manual_seed(seed),
        output_type="np",
        **settings,
    ).images[0]
    return theirs * 255


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(("steps", "strength"), [(1, 1.0), (4, 0.75)])
def test_the_shipped_pipeline_draws_what_diffusers_draws_with_it(
    decoding: Decoding, steps: int, strength: float, warm: bool
) -> None:
    embedding = load_bank(SHIPPED).embedding("pumpkin")
    config = DiffusionConfig(steps=steps, strength=strength)
    reconstructor = DiffusionReconstructor.load(SHIPPED, CPU, config)
    if warm:
        reconstructor.warm_up(TOKENS)
    *pictures, ours = reconstructor.draw(embedding, decoding.saliency, seed=3)
    theirs = _drawn_by_diffusers(
        load_pipeline(SHIPPED, CPU), embedding, decoding.saliency, 3, strength=strength, num_inference_steps=steps
    )
    assert len(pictures) + 1 == reconstructor.steps == int(steps * strength)
    assert theirs.std() > 20
    np.testing.assert_allclose(ours, theirs, atol=1.01)


@pytest.mark.parametrize(
    "scheduler", [LCMScheduler, EulerDiscreteScheduler, EulerAncestralDiscreteScheduler, TCDScheduler]
)
def test_draws_what_a_stable_diffusion_draws_with_any_scheduler_and_a_variational_encoder(
    tmp_path: Path, decoding: Decoding, scheduler: Any
) -> None:
    folder = save_stable_diffusion(tmp_path / "sd")
    ours, theirs = load_pipeline(folder, CPU), load_pipeline(folder, CPU)
    for pipeline in (ours, theirs):
        pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config)
    embedding = np.random.default_rng(2).standard_normal((77, WIDTH)).astype(np.float32)
    reconstructor = DiffusionReconstructor(ours, "sd", DiffusionConfig(steps=4, strength=0.5), clock=lambda: 12.0)
    reconstructor.warm_up(tokens=77)
    # The second time, too: neither a scheduler's count nor a seed's noise is left over from the first.
    for _ in range(2):
        *_, picture = reconstructor.draw(embedding, decoding.saliency, seed=3)
        expected = _drawn_by_diffusers(theirs, embedding, decoding.saliency, 3, strength=0.5, num_inference_steps=4)
        np.testing.assert_allclose(picture, expected, atol=1.01)


def test_a_batch_draws_each_row_as_it_would_be_alone(exported: Path, decoding: Decoding) -> None:
    reconstructor = _load(exported)
    rng = np.random.default_rng(4)
    latent = rng.standard_normal(reconstructor.engine.latent_shape).astype(np.float32)
    initials = [decoding.saliency, None, latent, (decoding.saliency, latent)]
    embeddings = rng.standard_normal((4, TOKENS, decoding.embedding.shape[1])).astype(np.float32)
    *_, together = reconstructor.draw_batch(embeddings, initials, seeds=[1, 2, 3, 3])
    for row, (embedding, initial, seed) in enumerate(zip(embeddings, initials, (1, 2, 3, 3), strict=True)):
        *_, alone = reconstructor.draw(embedding, initial, seed)
        np.testing.assert_allclose(together[row].astype(int), alone, atol=1)


def test_a_blend_begins_half_way_between_saliency_map_and_latent(exported: Path, decoding: Decoding) -> None:
    reconstructor = _load(exported, initial="blend")
    latent = np.random.default_rng(4).standard_normal(reconstructor.engine.latent_shape).astype(np.float32)
    with torch.inference_mode():
        starts, *_ = begin(reconstructor.engine, [decoding.saliency, latent, (decoding.saliency, latent)], [0, 0, 0])
    torch.testing.assert_close(starts[2], (starts[0] + starts[1]) / 2)
    torch.testing.assert_close(starts[1], torch.from_numpy(latent))
    assert len(list(reconstructor.reconstruct(dataclasses.replace(decoding, latent=latent), 0))) == 3
    with pytest.raises(DiffusionError, match="no latent to draw from"):
        list(reconstructor.reconstruct(decoding, 0))


def test_a_batch_of_a_stable_diffusion_keeps_each_row_to_its_own_noise(tmp_path: Path, decoding: Decoding) -> None:
    """A variational encoder and a scheduler that adds noise at each step draw it row by row."""
    pipeline = load_pipeline(save_stable_diffusion(tmp_path / "sd"), CPU)
    pipeline.scheduler = LCMScheduler.from_config(pipeline.scheduler.config)
    reconstructor = DiffusionReconstructor(pipeline, "sd", DiffusionConfig(steps=4, strength=0.5), clock=lambda: 12.0)
    embeddings = np.random.default_rng(2).standard_normal((2, 77, WIDTH)).astype(np.float32)
    latent = np.zeros(reconstructor.engine.latent_shape, np.float32)
    initials = [latent, decoding.saliency]
    *_, together = reconstructor.draw_batch(embeddings, initials, seeds=[5, 6])
    for row in range(2):
        *_, alone = reconstructor.draw(embeddings[row], initials[row], 5 + row)
        np.testing.assert_allclose(together[row].astype(int), alone, atol=1)


def test_before_the_last_step_a_preview_shows_what_the_decoder_would() -> None:
    """The linear map explains most of what differs from pixel to pixel, of renderings it never saw."""
    engine = DiffusionReconstructor.load(SHIPPED, CPU, DiffusionConfig()).engine
    images = draw_renderings(load_catalogue(), 20, engine.pixels, seed=7).images
    pictures = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        latents = engine.encode(pictures)
        decoded = engine.decode(latents).float()
        previewed = as_pixels(engine.preview(latents, engine.pixels)).float()
    assert (previewed - decoded).square().mean() < 0.15 * (decoded - decoded.mean((0, 1, 2))).square().mean()


@pytest.mark.parametrize(
    ("scheduler", "kind"),
    [
        (DDIMScheduler, "epsilon"), (LCMScheduler, "epsilon"), (TCDScheduler, "v_prediction"),
        (DPMSolverMultistepScheduler, "epsilon"), (UniPCMultistepScheduler, "v_prediction"), (DEISMultistepScheduler, "epsilon"),
    ],
)  # fmt: skip
def test_a_preview_is_of_the_clean_picture_whatever_the_scheduler(exported: Path, scheduler: Any, kind: str) -> None:
    """A network that knows the noise: each guess before the last step is the clean latent, not one that is noised anew."""
    pipeline = load_pipeline(exported, CPU)
    pipeline.scheduler = scheduler(beta_schedule="scaled_linear", prediction_type=kind)
    settings = DiffusionConfig.model_validate({"pipeline": str(exported), "steps": 4, "strength": 1.0})
    reconstructor = DiffusionReconstructor(pipeline, "known", settings, lambda: 0.0)
    engine, alphas = reconstructor.engine, pipeline.scheduler.alphas_cumprod
    generator = torch.Generator().manual_seed(1)
    clean = 0.9 - 1.8 * torch.rand(1, *engine.latent_shape, generator=generator)  # none of it is clipped

    def denoise(latents: torch.Tensor, moment: torch.Tensor, prompt: torch.Tensor) -> torch.Tensor:
        alpha, sigma = alphas[int(moment[0])] ** 0.5, (1 - alphas[int(moment[0])]) ** 0.5
        noise = (latents - alpha * clean) / sigma
        return noise if kind == "epsilon" else alpha * noise - sigma * clean

    guesses: list[torch.Tensor] = []
    glance = engine.glance
    embedding = np.zeros((TOKENS, engine.width), np.float32)
    with (
        patch.object(engine, "denoise", denoise),
        patch.object(engine, "glance", lambda latents: guesses.append(latents) or glance(latents)),
    ):
        list(reconstructor.draw(embedding, None, 0))
    assert len(guesses) == 3
    for guess in guesses:
        assert (guess - clean).abs().max() < 0.02


def test_the_first_picture_does_not_wait_until_a_preview_costs_nothing(decoding: Decoding, exported: Path) -> None:
    reconstructor = _load(exported)
    engine = reconstructor.engine

    def drawn() -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The pictures, and what the decoder made."""
        seen, decode = [], engine.decode
        with patch.object(engine, "decode", lambda latents: seen.append(decode(latents)) or seen[-1]):
            images = [it.image for it in reconstructor.reconstruct(decoding, 0)]
        return images, [it[0].numpy() for it in seen]

    cold, decoded = drawn()
    assert "preview" not in vars(engine)
    np.testing.assert_array_equal(cold, decoded)
    reconstructor.warm_up(TOKENS)
    warm, decoded = drawn()
    assert (len(warm), len(decoded)) == (3, 1)
    np.testing.assert_allclose(warm[-1].astype(int), cold[-1], atol=1)


def test_how_it_draws_changes_from_one_picture_to_the_next_not_within_one(exported: Path, decoding: Decoding) -> None:
    reconstructor = _load(exported)
    undisturbed = [it.image for it in reconstructor.reconstruct(decoding, 0)]
    running = reconstructor.reconstruct(decoding, 0)
    first = next(running)
    reconstructor.draw_as(DiffusionConfig(initial="grey", steps=2))
    np.testing.assert_array_equal([first.image, *(it.image for it in running)], undisturbed)
    assert [(it.step, it.steps) for it in reconstructor.reconstruct(decoding, 0)] == [(1, 2), (2, 2)]
    with pytest.raises(DiffusionError, match="less than one step"):
        reconstructor.draw_as(DiffusionConfig.model_construct(steps=1, strength=0.4, initial="grey"))


def test_at_full_strength_the_initial_picture_has_no_say(exported: Path, decoding: Decoding) -> None:
    other = dataclasses.replace(decoding, saliency=1 - decoding.saliency)
    full, part = _load(exported, strength=1.0), _load(exported, strength=0.75)
    np.testing.assert_array_equal(*(list(full.reconstruct(it, 1))[-1].image for it in (decoding, other)))
    assert not np.array_equal(*(list(part.reconstruct(it, 1))[-1].image for it in (decoding, other)))


def test_latent_is_drawn_from_when_asked_for(exported: Path, decoding: Decoding) -> None:
    reconstructor = _load(exported, initial="latent", strength=0.5)
    with_latent = dataclasses.replace(decoding, latent=np.ones(reconstructor.engine.latent_shape, np.float32))
    assert len(list(reconstructor.reconstruct(with_latent, 0))) == 2
    with pytest.raises(DiffusionError, match="no latent to draw from"):
        list(reconstructor.reconstruct(decoding, 0))
    foreign = dataclasses.replace(decoding, latent=np.ones((4, 8, 8), np.float32))
    with pytest.raises(DiffusionError, match=r"latent of the shape \(4, 8, 8\) does not fit"):
        list(reconstructor.reconstruct(foreign, 0))


def test_less_than_one_step_is_refused(exported: Path) -> None:
    too_weak = DiffusionConfig.model_construct(steps=2, strength=0.4, initial="grey")
    with pytest.raises(DiffusionError, match=r"2 steps at strength 0\.4 are less than one step"):
        DiffusionReconstructor.load(exported, CPU, too_weak)


def test_compiling_is_refused_where_it_does_not_pay(exported: Path) -> None:
    with pytest.raises(DiffusionError, match="Compiling pays on CUDA alone, and this runs on cpu"):
        _load(exported, compiled=True)


def test_embedding_of_another_text_space_is_refused(exported: Path, decoding: Decoding) -> None:
    foreign = dataclasses.replace(decoding, embedding=np.zeros((8, 77), np.float32))
    with pytest.raises(DiffusionError, match=r"\(8, 77\) does not fit the pipeline 'tiny'"):
        list(_load(exported).reconstruct(foreign, 0))


def test_a_pipeline_whose_parts_do_not_work_together_is_told_when_it_warms_up(exported: Path) -> None:
    pipeline = load_pipeline(exported, CPU)
    pipeline.scheduler.register_to_config(prediction_type="astrology")
    reconstructor = DiffusionReconstructor(pipeline, "tiny", DiffusionConfig(), clock=lambda: 12.0)
    with pytest.raises(DiffusionError, match="'tiny' cannot draw"):
        reconstructor.warm_up(TOKENS)
