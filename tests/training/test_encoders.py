"""Every encoder that can be named is trained, saved and read like the others; one that cannot is refused in a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from bci_live.config import EpochConfig, FilterConfig, TrainingConfig
from bci_live.decoding.card import DecoderCard, NetworkSizes
from bci_live.decoding.decoder import load_decoder
from bci_live.decoding.encoder import Encoder, make_encoder
from bci_live.decoding.storage import read_card
from bci_live.errors import DecoderError
from bci_live.training.adversarial import SaliencyTraining
from bci_live.training.decoder import train_decoder
from bci_live.training.encoder import EncoderTraining
from tests.training.test_decoder import EPOCH, FILTER, PIPELINE, session


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoders")


@pytest.fixture(scope="module")
def sessions(folder: Path) -> list[Path]:
    return [session(folder / f"run-{seed}.xdf", seed) for seed in (1, 2, 3)]


def train(sessions: list[Path], out: Path, encoder: str) -> None:
    train_decoder(
        sessions, out, pipeline=PIPELINE, filter_config=FILTER, epoch_config=EPOCH, progress=False,
        encoder_training=EncoderTraining(encoder=encoder, passes=20, batch=16),
        saliency_training=SaliencyTraining(steps=2, batch=4),
    )  # fmt: skip


def card_of(encoder: str, channels: int = 4, n_times: int = 70, rate: float = 100.0) -> DecoderCard:
    return DecoderCard(
        channels=tuple(f"C{k}" for k in range(channels)), rate=rate, n_times=n_times, filter=FilterConfig(),
        epoch=EpochConfig(), labels=("face", "house"), bank_labels=("face", "house"), pipeline="", tokens=1, width=1,
        encoder=encoder, sizes=NetworkSizes(bin=1), label_head="encoder", caption_source="labels",
    )  # fmt: skip


def give_unit_features(encoder: Encoder, channels: int, n_times: int) -> None:
    features = encoder.eval()(torch.randn(3, channels, n_times))
    assert features.shape == (3, NetworkSizes().feature)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(3))


@pytest.mark.parametrize("name", ["nice", "lstm"])
def test_a_feature_has_the_length_one_whatever_reads_it(name: str) -> None:
    give_unit_features(make_encoder(card_of(name)), 4, 70)


@pytest.mark.parametrize("name", ["nice", "lstm"])
def test_it_can_be_trained_in_bfloat16_as_on_cuda(name: str) -> None:
    encoder, data = make_encoder(card_of(name)).eval(), torch.randn(8, 4, 70)  # no dropout, so the two can be compared
    with torch.autocast("cpu", torch.bfloat16):
        feature = encoder(data).float()
    torch.testing.assert_close(feature, encoder(data), atol=0.02, rtol=0)
    feature[:, 0].sum().backward()
    assert all(it.grad is not None and torch.isfinite(it.grad).all() for it in encoder.parameters())


def test_the_papers_lstm_has_the_sizes_of_the_code_that_it_cites() -> None:
    # 128 channels into one layer of 128: 4 gates of 128 × (128 + 128) weights and two biases, 132,096 parameters.
    encoder = make_encoder(card_of("lstm", channels=128, n_times=440, rate=1000.0))
    assert sum(it.numel() for name, it in encoder.named_parameters() if name.startswith("lstm")) == 132_096


def test_the_papers_lstm_reads_runs_that_it_has_never_seen(sessions: list[Path], folder: Path) -> None:
    train(sessions, folder / "lstm", "lstm")
    assert read_card(folder / "lstm").encoder == "lstm"
    assert read_card(folder / "lstm").scores["auc_encoder"] > 0.75  # of 120 trials: chance is 0.5 ± 0.05
    load_decoder(folder / "lstm")


def test_a_classifier_of_braindecode_is_trained_by_its_name(sessions: list[Path], folder: Path) -> None:
    pytest.importorskip("braindecode", reason="the extra braindecode is not installed")
    train(sessions, folder / "eegnet", "braindecode:EEGNet")
    assert read_card(folder / "eegnet").encoder == "braindecode:EEGNet"
    assert read_card(folder / "eegnet").scores["auc_encoder"] > 0.75
    load_decoder(folder / "eegnet")


@pytest.mark.parametrize("name", ["EEGNet", "EEGConformer", "ATCNet", "Deep4Net", "ShallowFBCSPNet"])
def test_models_of_braindecode_are_encoders(name: str) -> None:
    pytest.importorskip("braindecode", reason="the extra braindecode is not installed")
    give_unit_features(make_encoder(card_of(f"braindecode:{name}", channels=8, n_times=200)), 8, 200)


def test_a_model_that_braindecode_lacks_or_that_wants_longer_windows_is_named(
    sessions: list[Path], folder: Path
) -> None:
    pytest.importorskip("braindecode", reason="the extra braindecode is not installed")
    with pytest.raises(DecoderError, match=r"no model 'EEGNot'.*EEGNet"):
        train(sessions, folder / "none", "braindecode:EEGNot")
    with pytest.raises(DecoderError, match=r"DeepSleepNet cannot read epochs of 4 channels × 70 samples at 100 Hz"):
        make_encoder(card_of("braindecode:DeepSleepNet"))


def test_without_braindecode_the_command_that_installs_it_is_told(
    sessions: list[Path], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "braindecode", None)  # as Python remembers a package that is not there
    monkeypatch.delitem(sys.modules, "braindecode.models", raising=False)
    with pytest.raises(DecoderError, match=r"pip install 'bci_live\[braindecode\]'"):
        train(sessions, folder / "none", "braindecode:EEGNet")


@pytest.mark.parametrize("name", ["", "transformer", "braindecode:", "braindecode:os.system", "nice "])
def test_other_names_are_no_encoders_neither_asked_for_nor_in_a_card(
    name: str, sessions: list[Path], folder: Path
) -> None:
    with pytest.raises(ValidationError, match="is no encoder: choose nice, lstm or braindecode:NAME"):
        TrainingConfig.model_validate({"encoder": name})
    if not (folder / "nice").exists():
        train(sessions, folder / "nice", "nice")
    card = folder / "nice" / "decoder.json"
    written = card.read_text()
    try:
        card.write_text(written.replace('"encoder": "nice"', f'"encoder": "{name}"'))
        with pytest.raises(DecoderError, match="is no encoder"):
            load_decoder(folder / "nice")
    finally:
        card.write_text(written)
