"""A decoder learns another pipeline's language without EEG; what it reads of the EEG stays the same to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bci_live.config import DiffusionConfig, EpochConfig, FilterConfig, bundled
from bci_live.decoding.card import DecoderCard, NetworkSizes
from bci_live.decoding.decoder import DecoderNetwork, load_decoder
from bci_live.decoding.heads import CaptionHead, StructureHead
from bci_live.decoding.storage import read_card, save_decoder
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.diffusion.spaces import STABLE_DIFFUSION, latent_space
from bci_live.diffusion.text import caption_bank
from bci_live.errors import DecoderError, LabelError
from bci_live.live.fitting import check_fit
from bci_live.training.folds import folds_by_run
from bci_live.training.heads import fit_captions
from bci_live.training.retarget import move_captions, repaint, retarget
from bci_live.types import Epoch, Marker
from tests.diffusion.stable_diffusion import SIDE, SPACE, WIDTH, save_stable_diffusion

LABELS = ("cat", "chair", "dog", "guitar")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("big") / "small-sd", half=True)


def _card(**changes: object) -> DecoderCard:
    told = {
        "channels": ("Cz", "Oz"), "rate": 100.0, "n_times": 90, "filter": FilterConfig(), "epoch": EpochConfig(),
        "labels": LABELS, "bank_labels": LABELS, "pipeline": "tiny", "tokens": 8, "width": 32,
        "text_space": "all-MiniLM-L6-v2 centred/8x32", "latent_shape": (8, 16, 16), "latent_space": "autoencoder abc",
        "sizes": NetworkSizes(bin=1, caption_axes=3), "label_head": "encoder", "caption_source": "labels",
        "scores": {"top1": 0.9, "caption_top1_ridge": 0.5},
    }  # fmt: skip
    return DecoderCard.model_validate(told | changes)


def _save(out: Path, card: DecoderCard) -> Path:
    torch.manual_seed(0)
    network = DecoderNetwork(card)
    for tensor in network.caption.state_dict().values():
        tensor.normal_()
    save_decoder(out, card, network.state_dict())
    return out


def _epoch() -> Epoch:
    data = np.random.default_rng(0).standard_normal((2, 90)).astype(np.float32)
    return Epoch(data, 1.0, Marker("dog", 1.0), 2.0, 2.0)


def test_a_mismatch_names_the_command_and_the_command_mends_it(big: Path, tmp_path: Path) -> None:
    decoder, out = _save(tmp_path / "decoder", _card()), tmp_path / "retargeted"
    grey = DiffusionConfig(pipeline=str(big), initial="grey", steps=1)
    with pytest.raises(
        DecoderError, match=rf"speaks 'all-MiniLM-L6-v2 centred/8x32', but .* reads '{SPACE}'"
    ) as refused:
        check_fit(read_card(decoder), grey, decoder)
    assert f"bci-live retarget {decoder} --diffusion {big} --out FOLDER" in str(refused.value)
    card = retarget(decoder, [], out, pipeline=big)
    assert (card.text_space, card.tokens, card.width, card.pipeline) == (SPACE, 77, WIDTH, "small-sd")
    assert card.scores == {"top1": 0.9}
    check_fit(read_card(out), grey, out)
    before, after = (load_decoder(folder).decode(_epoch()) for folder in (decoder, out))
    assert before.scores == after.scores
    np.testing.assert_array_equal(before.saliency, after.saliency)
    bank = caption_bank(big)
    mixed = np.stack([bank.embedding(label) for label in LABELS])
    # A softmax's mixture lies in the hull of the captions.
    assert after.embedding.shape == (77, WIDTH)
    assert (after.embedding <= mixed.max(axis=0) + 1e-5).all()
    assert (after.embedding >= mixed.min(axis=0) - 1e-5).all()
    pictures = list(DiffusionReconstructor.load(big, CPU, grey, clock=lambda: 0.0).reconstruct(after, seed=0))
    assert pictures[-1].image.shape == (8 * SIDE, 8 * SIDE, 3)


def test_the_latent_of_another_autoencoder_is_refused_and_the_saliency_map_is_not(big: Path, tmp_path: Path) -> None:
    decoder, out = _save(tmp_path / "decoder", _card()), tmp_path / "retargeted"
    retarget(decoder, [], out, pipeline=big)
    check_fit(read_card(out), DiffusionConfig(pipeline=str(big)), out)
    with pytest.raises(DecoderError, match=r"predicts latents of 'autoencoder abc'.*bci-live retarget .* SESSION…"):
        check_fit(read_card(out), DiffusionConfig(pipeline=str(big), initial="latent"), out)


def test_between_pipelines_that_share_latents_these_fit(big: Path, tmp_path: Path) -> None:
    card = _card(latent_space=STABLE_DIFFUSION, latent_shape=(4, SIDE, SIDE))
    retarget(_save(tmp_path / "decoder", card), [], tmp_path / "out", pipeline=big)
    assert latent_space(big) == STABLE_DIFFUSION
    check_fit(read_card(tmp_path / "out"), DiffusionConfig(pipeline=str(big), initial="latent"), tmp_path / "out")


def test_a_label_without_caption_is_refused(big: Path, tmp_path: Path) -> None:
    decoder = _save(tmp_path / "decoder", _card(labels=("cat", "chair", "dog", "unicorn")))
    with pytest.raises(LabelError, match="no caption for the decoder's labels unicorn"):
        retarget(decoder, [], tmp_path / "out", pipeline=big)


def test_what_is_there_is_not_overwritten(big: Path, tmp_path: Path) -> None:
    decoder = _save(tmp_path / "decoder", _card())
    with pytest.raises(DecoderError, match="holds a decoder already"):
        retarget(decoder, [], decoder, pipeline=big)


def test_the_ridge_is_carried_over_as_if_it_were_fitted_anew() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    features = torch.from_numpy(rng.standard_normal((200, 64)) + 2 * rng.standard_normal((4, 64))[labels]).float()
    folds = folds_by_run(np.repeat(np.arange(4), 50))
    here, there = (torch.from_numpy(rng.standard_normal((4, *shape))).float() for shape in ((8, 32), (77, WIDTH)))
    with torch.no_grad():
        before, carried, anew = (CaptionHead(_card(caption_source="ridge", tokens=tokens)) for tokens in (8, 77, 77))
        fit_captions(before, here, features, labels, folds)
        move_captions(before, carried, there)
        fit_captions(anew, there, features, labels, folds)
    logits = torch.zeros(200, 4)
    # The two may have chosen neighbouring penalties.
    torch.testing.assert_close(carried(logits, features), anew(logits, features), atol=0.05, rtol=0)
    assert (carried.nearness(features).argmax(1).numpy() == labels).mean() > 0.95


def test_the_latent_is_repainted_from_the_coordinates_that_were_read() -> None:
    rng = np.random.default_rng(0)
    card = _card(latent_shape=(4, SIDE, SIDE), sizes=NetworkSizes(bin=1, caption_axes=3, structure_axes=6))
    codes, shown = rng.standard_normal((60, 6)), rng.integers(0, 60, 240)
    latents = 1 + codes @ rng.standard_normal((6, 4 * SIDE * SIDE))
    read = torch.from_numpy(codes[shown] + 0.1 * rng.standard_normal((240, 6))).float()
    with torch.no_grad():
        head = StructureHead(card)
        painted = torch.from_numpy(latents).float().unflatten(1, (4, SIDE, SIDE))
        repaint(head, read, painted, shown, folds_by_run(np.repeat(np.arange(4), 60)))
        error = (head.latent(read) - painted[torch.from_numpy(shown)]).square().mean()
    assert head.latent(read).shape == (240, 4, SIDE, SIDE)
    assert error < 0.02 * painted.var()  # the coordinates' noise is a hundredth of their variance


@pytest.mark.skipif(not bundled("models/decoder-demo").is_dir(), reason="models/decoder-demo is not there")
def test_the_demo_decoder_with_its_session_predicts_latents_of_the_other_pipeline(big: Path, tmp_path: Path) -> None:
    session = bundled("recordings/demo.xdf")
    out = tmp_path / "out"
    card = retarget(bundled("models/decoder-demo"), [session], out, pipeline=big)
    assert (card.latent_shape, card.latent_space) == ((4, SIDE, SIDE), STABLE_DIFFUSION)
    check_fit(read_card(out), DiffusionConfig(pipeline=str(big), initial="latent"), out)
