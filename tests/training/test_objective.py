"""The terms of the objective can be combined, and a wrong combination is refused in a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from bci_live.config import ObjectiveConfig, SaliencyConfig
from bci_live.decoding.encoder import LabelLayer
from bci_live.decoding.storage import read_card
from bci_live.training.adversarial import SaliencyTraining
from bci_live.training.decoder import train_decoder
from bci_live.training.encoder import EncoderTraining
from bci_live.training.objective import Objective
from tests.training.test_decoder import EPOCH, FILTER, PIPELINE, session


def test_what_the_command_line_does_not_name_has_no_weight() -> None:
    assert ObjectiveConfig.model_validate("infonce=0.5, mining=hard") == ObjectiveConfig(
        triplet=0, labels=0, infonce=0.5, mining="hard"
    )
    assert ObjectiveConfig.model_validate("triplet=0.5,labels=1") == ObjectiveConfig()


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("", "is no part of an objective"),
        ("triplet", "'triplet' is no part of an objective"),
        ("clip=1", "'clip=1' is no part of an objective"),
        ("labels=1,labels=2", "each once"),
        ("labels=0", "weight above 0"),
        ("margin=1", "weight above 0"),
        ("labels=-1", "greater than or equal to 0"),
        ("labels=nan", "finite"),
        ("triplet=1,mining=easy", "semi-hard"),
    ],
)
def test_a_wrong_objective_is_refused_in_a_sentence(text: str, about: str) -> None:
    with pytest.raises(ValidationError, match=about):
        ObjectiveConfig.model_validate(text)


def test_the_saliency_map_keeps_the_weights_that_the_command_line_does_not_name() -> None:
    told = SaliencyConfig.model_validate("adversarial=0.3, colour=0")
    assert told == SaliencyConfig(adversarial=0.3, colour=0)
    assert SaliencyTraining(**told.model_dump()) == replace(SaliencyTraining(), adversarial=0.3, colour=0)
    assert SaliencyTraining(**SaliencyConfig().model_dump()) == SaliencyTraining()


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("ssim=1", "'ssim=1' is no part of the saliency map's training"),
        ("adversarial=0,similarity=0,colour=0", "weight above 0"),
        ("steps=0", "greater than or equal to 1"),
    ],
)
def test_wrong_weights_of_the_saliency_map_are_refused_in_a_sentence(text: str, about: str) -> None:
    with pytest.raises(ValidationError, match=about):
        SaliencyConfig.model_validate(text)


def test_each_term_has_its_weight_and_labels_without_weight_shape_no_feature() -> None:
    generator = torch.Generator().manual_seed(0)
    captions, labels = torch.randn(2, 3, 4, generator=generator), torch.tensor([0, 0, 1, 1])
    feature = torch.randn(4, 8, generator=generator).requires_grad_()
    read = LabelLayer(8, 2)
    loss, terms = Objective(ObjectiveConfig(triplet=0.5, labels=2.0, infonce=0.25), 8, captions)(feature, read, labels)
    expected = 2 * terms["labels"] + 0.5 * terms["triplet"] + 0.25 * terms["infonce"]
    torch.testing.assert_close(loss, expected)
    only_triplet = Objective(ObjectiveConfig.model_validate("triplet=1"), 8, captions)
    loss, terms = only_triplet(feature, read, labels)
    gradient, of_triplet = (torch.autograd.grad(it, feature, retain_graph=True)[0] for it in (loss, terms["triplet"]))
    torch.testing.assert_close(gradient, of_triplet)
    assert torch.autograd.grad(loss, read.linear.weight)[0].abs().sum() > 0  # it reads the features all the same


def test_the_temperature_is_learned_or_fixed_as_asked() -> None:
    learned = Objective(ObjectiveConfig(infonce=1), 8, torch.randn(2, 1, 4))
    assert learned.log_scale.exp().item() == pytest.approx(1 / 0.07)
    assert learned.log_scale.requires_grad
    assert not Objective(
        ObjectiveConfig(infonce=1, learn_temperature=False), 8, torch.randn(2, 1, 4)
    ).log_scale.requires_grad


@pytest.mark.parametrize("terms", ["infonce=1", "triplet=1,mining=all", "triplet=0.5,labels=1,infonce=0.5"])
def test_an_encoder_trained_for_it_reads_runs_that_it_has_never_seen(terms: str, tmp_path: Path) -> None:
    train_decoder(
        [session(tmp_path / f"run-{seed}.xdf", seed) for seed in (1, 2)], tmp_path / "decoder",
        pipeline=PIPELINE, filter_config=FILTER, epoch_config=EPOCH, progress=False,
        encoder_training=EncoderTraining(objective=ObjectiveConfig.model_validate(terms), passes=20, batch=16),
        saliency_training=SaliencyTraining(steps=2, batch=4),
    )  # fmt: skip
    assert read_card(tmp_path / "decoder").scores["auc_encoder"] > 0.85  # chance is 0.5 ± 0.06
