"""A decoding becomes pictures, step by step, the same ones for the same seed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from bci_live.config import DiffusionConfig
from bci_live.diffusion.pipeline import load_pipeline
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.errors import DiffusionError
from bci_live.types import Decoding

CPU = torch.device("cpu")


def _load(folder: Path, **settings: object) -> DiffusionReconstructor:
    return DiffusionReconstructor.load(folder, CPU, DiffusionConfig.model_validate(settings), clock=lambda: 12.0)


def test_every_step_gives_a_picture_and_the_last_is_finished(exported: Path, decoding: Decoding) -> None:
    reconstructor = _load(exported)
    reconstructor.warm_up()
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


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_draws_what_the_pipeline_itself_draws(exported: Path, decoding: Decoding, strength: float) -> None:
    pipeline = load_pipeline(exported, CPU)
    *_, ours = _load(exported, strength=strength).reconstruct(decoding, seed=3)
    picture = torch.from_numpy(decoding.saliency).permute(2, 0, 1)[None]
    resized = torch.nn.functional.interpolate(picture, (128, 128), mode="bilinear", antialias=True)
    theirs = pipeline(
        prompt_embeds=torch.from_numpy(decoding.embedding)[None],
        image=resized,
        strength=strength,
        num_inference_steps=4,
        guidance_scale=0.0,
        generator=torch.Generator().manual_seed(3),
        output_type="np",
    ).images[0]
    assert ours.steps == int(4 * strength)
    np.testing.assert_allclose(ours.image, theirs * 255, atol=1.01)


def test_at_full_strength_the_initial_picture_has_no_say(exported: Path, decoding: Decoding) -> None:
    other = dataclasses.replace(decoding, saliency=1 - decoding.saliency)
    full, part = _load(exported, strength=1.0), _load(exported, strength=0.75)
    np.testing.assert_array_equal(*(list(full.reconstruct(it, 1))[-1].image for it in (decoding, other)))
    assert not np.array_equal(*(list(part.reconstruct(it, 1))[-1].image for it in (decoding, other)))


def test_latent_is_drawn_from_when_asked_for(exported: Path, decoding: Decoding) -> None:
    reconstructor = _load(exported, initial="latent", strength=0.5)
    with_latent = dataclasses.replace(decoding, latent=np.ones(reconstructor.latent_shape, np.float32))
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


def test_embedding_of_another_text_space_is_refused(exported: Path, decoding: Decoding) -> None:
    foreign = dataclasses.replace(decoding, embedding=np.zeros((8, 77), np.float32))
    with pytest.raises(DiffusionError, match=r"\(8, 77\) does not fit the pipeline 'tiny'"):
        list(_load(exported).reconstruct(foreign, 0))


def test_a_pipeline_whose_parts_do_not_work_together_is_told_when_it_warms_up(exported: Path) -> None:
    reconstructor = _load(exported)
    reconstructor._pipeline.scheduler.register_to_config(prediction_type="astrology")
    with pytest.raises(DiffusionError, match="'tiny' cannot draw"):
        reconstructor.warm_up()
