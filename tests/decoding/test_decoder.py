"""The decoder that ships: deterministic, in the shapes that it announces, and refused when anything about it is off."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from bci_live.decoding.decoder import TrainedDecoder, load_decoder
from bci_live.decoding.storage import read_card, read_weights, save_decoder
from bci_live.errors import DecoderError, MontageError
from bci_live.types import Epoch, Marker

FOLDER = Path(__file__).resolve().parents[2] / "models" / "decoder-demo"


@pytest.fixture(scope="module")
def decoder() -> TrainedDecoder:
    return load_decoder(FOLDER)


def epoch_of(decoder: TrainedDecoder, seed: int = 0, channels: int | None = None) -> Epoch:
    shape = (channels or len(decoder.card.channels), decoder.card.n_times)
    data = np.random.default_rng(seed).normal(0, 5, shape).astype(np.float32)
    return Epoch(data, 0.0, Marker("dog", 0.0), 0.0, 0.0)


def test_a_decoding_has_the_shapes_and_ranges_that_its_type_promises(decoder: TrainedDecoder) -> None:
    decoding = decoder.decode(epoch_of(decoder))
    card = decoder.card
    assert decoding.saliency.shape == (64, 64, 3)
    assert decoding.saliency.min() >= 0
    assert decoding.saliency.max() <= 1
    assert decoding.embedding.shape == (card.tokens, card.width)
    assert decoding.latent is not None
    assert decoding.latent.shape == card.latent_shape
    assert set(decoding.scores) == set(card.labels)
    assert sum(decoding.scores.values()) == pytest.approx(1, abs=1e-5)
    assert decoding.scores[decoding.top] == decoding.confidence


def test_the_same_epoch_decodes_to_the_same_bits_and_another_to_others(decoder: TrainedDecoder) -> None:
    first, again, other = (decoder.decode(epoch_of(decoder, seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.saliency, again.saliency)
    np.testing.assert_array_equal(first.embedding, again.embedding)
    assert first.scores == again.scores != other.scores


def test_a_decoder_that_is_moved_reads_the_same() -> None:
    moved = load_decoder(FOLDER)
    before = moved.decode(epoch_of(moved))
    moved.to("cpu")
    np.testing.assert_array_equal(moved.decode(epoch_of(moved)).saliency, before.saliency)
    moved.to("meta")  # stands where a GPU does: what is on it cannot be read from there
    with pytest.raises(NotImplementedError, match="meta"):
        moved.decode(epoch_of(moved))


def test_an_epoch_of_another_montage_is_refused(decoder: TrainedDecoder) -> None:
    with pytest.raises(MontageError, match="4"):
        decoder.decode(epoch_of(decoder, channels=4))


def test_a_decoder_from_before_channels_were_filled_in_fills_in_none(tmp_path: Path) -> None:
    card = read_card(FOLDER)
    weights = {name: value for name, value in read_weights(FOLDER, card).items() if name != "covariance"}
    save_decoder(tmp_path / "before", card.model_copy(update={"repairs": False}), weights)
    told = json.loads((tmp_path / "before" / "decoder.json").read_text())
    del told["repairs"]  # which it did not know of
    (tmp_path / "before" / "decoder.json").write_text(json.dumps(told))
    assert load_decoder(tmp_path / "before").repair is None
    assert load_decoder(FOLDER).repair is not None


def with_covariance(folder: Path, covariance: torch.Tensor) -> Path:
    """The decoder that ships, with a covariance of its channels."""
    card, weights = read_card(FOLDER), read_weights(FOLDER, read_card(FOLDER))
    save_decoder(folder, card.model_copy(update={"repairs": True}), weights | {"covariance": covariance})
    return folder


def test_a_covariance_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    covariance = torch.eye(32, dtype=torch.float64) + 0.3
    repair = load_decoder(with_covariance(tmp_path / "decoder", covariance)).repair
    assert repair is not None
    np.testing.assert_array_equal(repair.covariance, covariance.numpy())


def test_a_covariance_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DecoderError, match="covariance"):
        load_decoder(with_covariance(tmp_path / "decoder", -torch.eye(32, dtype=torch.float64)))


def test_its_own_scores_come_with_their_control(decoder: TrainedDecoder) -> None:
    assert decoder.card.simulated
    assert decoder.card.scores["top1"] >= 0.5
    assert decoder.card.controls["top1_shuffled"] < 0.08  # chance is 0.025


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "decoder.json").unlink(),
        lambda folder: (folder / "weights.safetensors").unlink(),
        lambda folder: (folder / "decoder.json").write_text("{"),
        lambda folder: (folder / "decoder.json").write_text("[" * 100_000),
        lambda folder: (folder / "weights.safetensors").write_bytes(b"\x00" * 64),
        lambda folder: change(folder, format=1),
        lambda folder: change(folder, labels=["dog"]),
        lambda folder: change(folder, labels=["dog", "dog"]),
        lambda folder: change(folder, channels=["Cz"]),
        lambda folder: change(folder, rate=float("inf")),
        lambda folder: change(folder, rate=50.0),
        lambda folder: change(folder, filter={"low_hz": 30.0, "high_hz": 1.0}),
        lambda folder: change(folder, epoch={"start_s": float("-inf")}),
        lambda folder: change(folder, tokens=10**18),
        lambda folder: change(folder, prefixes=[0.4, 0.25]),
        lambda folder: change(folder, prefixes=[1e-6]),
        lambda folder: change(folder, prefixes=[0.25, 0.8]),
        lambda folder: change(folder, prefixes=[0.2, 0.4, 0.6]),
    ],
    ids=[
        "no card",
        "no weights",
        "half a card",
        "a deep card",
        "zeros",
        "other version",
        "one label",
        "a label twice",
        "other channels",
        "an endless rate",
        "a band above half the rate",
        "a band upside down",
        "an endless window",
        "a huge embedding",
        "prefixes upside down",
        "a prefix before the first sample",
        "a prefix as long as the window",
        "other prefixes",
    ],
)
def test_a_damaged_folder_is_refused_with_its_name(damage: object, tmp_path: Path) -> None:
    folder = tmp_path / "decoder"
    shutil.copytree(FOLDER, folder)
    damage(folder)  # type: ignore[operator]
    with pytest.raises(DecoderError, match="decoder"):
        load_decoder(folder)


def change(folder: Path, **values: object) -> None:
    card = json.loads((folder / "decoder.json").read_text())
    (folder / "decoder.json").write_text(json.dumps(card | values))
