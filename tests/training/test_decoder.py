"""Training a decoder on a little EEG that can be told apart, and on EEG that cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bci_live.config import EpochConfig, FilterConfig, bundled
from bci_live.decoding.decoder import load_decoder
from bci_live.decoding.storage import read_card, read_weights, save_decoder
from bci_live.errors import DecoderError, LabelError, MontageError, RecordingError
from bci_live.evaluation.reading import cut_for, decode_all, probabilities_of
from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.signal.epoching import EpochPlan
from bci_live.training.adversarial import SaliencyTraining
from bci_live.training.decoder import train_decoder
from bci_live.training.encoder import EncoderTraining
from bci_live.training.epochs import cut_recording
from bci_live.training.preparation import prepare_sessions
from bci_live.types import Epoch, Marker, StreamFacts

RATE, TRIALS, EVERY_S = 100.0, 40, 1.0
CHANNELS = ("Fz", "Cz", "Pz", "Oz")
FILTER, EPOCH = FilterConfig(pre_roll_s=0.5), EpochConfig(stop_s=0.6)
PIPELINE = bundled("models/diffusion-demo")


def session(path: Path, seed: int, amplitude_uv: float = 8.0, labels: Sequence[str] = ("face", "house")) -> Path:
    """40 trials of a second; each "face" has a bump at Oz 170 ms after its onset, in noise of 5 µV."""
    rng = np.random.default_rng(seed)
    times = 100 + np.arange(round((TRIALS * EVERY_S + 3) * RATE)) / RATE
    samples = rng.normal(0, 5, (len(times), len(CHANNELS)))
    shown = rng.permutation([labels[k % len(labels)] for k in range(TRIALS)])
    onsets = 102 + EVERY_S * np.arange(TRIALS)
    for onset in onsets[shown == "face"]:
        samples[:, 3] += amplitude_uv * np.exp(-0.5 * ((times - onset - 0.17) / 0.03) ** 2)
    markers = tuple(Marker(str(label), float(onset), "stimuli") for label, onset in zip(shown, onsets, strict=True))
    facts = StreamFacts("cap", "EEG", f"cap-{seed}", "", "", RATE, CHANNELS, ("microvolts",) * len(CHANNELS))
    write_recording(path, Recording(facts, samples.astype(np.float32), times, markers, path))
    return path


def train(sessions: Sequence[Path], out: Path, **options: object) -> None:
    train_decoder(
        sessions, out, pipeline=PIPELINE, filter_config=FILTER, epoch_config=EPOCH, progress=False,
        encoder_training=EncoderTraining(passes=6, batch=16), saliency_training=SaliencyTraining(steps=3, batch=4),
        **options,  # type: ignore[arg-type]
    )  # fmt: skip


def auc_on(folder: Path, path: Path) -> float:
    """Of `scores["face"]` on the epochs of a session."""
    decoder = load_decoder(folder)
    epochs = cut_recording(read_recording(path), EpochPlan(RATE, RATE, FILTER, EPOCH), CHANNELS)
    decodings = [
        decoder.decode(Epoch(data, 0.0, marker, 0.0, 0.0))
        for data, marker in zip(epochs.data, epochs.markers, strict=True)
    ]
    faces = [marker.label == "face" for marker in epochs.markers]
    return float(roc_auc_score(faces, [decoding.scores["face"] for decoding in decodings]))


def of_twelve_channels(path: Path, seed: int, flat_from: int | None = None) -> Path:
    """`session` with twelve channels, to each of which the four bring their share; E0 is flat from a sample on."""
    four = read_recording(session(path.with_suffix(".four.xdf"), seed))
    mixing = np.random.default_rng(0).normal(0, 1, (4, 12))
    samples = (four.samples @ mixing + np.random.default_rng(seed).normal(0, 1, (len(four.samples), 12))).astype(
        np.float32
    )
    if flat_from is not None:
        samples[flat_from:, 0] = 3.0
    names = tuple(f"E{number}" for number in range(12))
    facts = replace(four.facts, channels=names, units=("microvolts",) * 12)
    write_recording(path, Recording(facts, samples, four.stamps, four.markers, path))
    return path


def test_a_channel_that_dies_late_costs_no_epoch_in_training_and_is_told(tmp_path: Path) -> None:
    paths = [
        of_twelve_channels(tmp_path / "a.xdf", 1),
        of_twelve_channels(tmp_path / "b.xdf", 2, flat_from=2300),
        of_twelve_channels(tmp_path / "c.xdf", 3),
    ]
    train(paths, tmp_path / "decoder")
    decoder = load_decoder(tmp_path / "decoder")
    assert decoder.card.channels[0] == "E0"  # it was alive for most of the session
    assert [file.epochs for file in decoder.card.files] == [TRIALS] * 3
    filled = [file.filled for file in decoder.card.files]
    assert filled == [0, pytest.approx(TRIALS / 2, abs=2), 0]
    assert f"120 epochs (in {filled[1]} channels without EEG were filled in)" in decoder.card.describe()
    # An evaluation cuts as the decoder does live.
    dead = of_twelve_channels(tmp_path / "d.xdf", 4, flat_from=0)
    cut = cut_for(decoder, [read_recording(dead)])
    assert len(cut.markers) == TRIALS
    read = probabilities_of(decode_all(decoder, cut), ("face",))[:, 0]
    assert roc_auc_score([label == "face" for label in cut.labels], read) > 0.85


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("decoders")


@pytest.fixture(scope="module")
def sessions(folder: Path) -> list[Path]:
    return [session(folder / f"run-{seed}.xdf", seed) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def trained(folder: Path, sessions: list[Path]) -> Path:
    train(sessions, folder / "decoder")
    return folder / "decoder"


def test_it_reads_a_session_that_it_has_never_seen_and_says_so_of_itself(trained: Path, folder: Path) -> None:
    # A bump of 8 µV, 60 ms wide, in 5 µV of noise that the filter makes smaller still: nearly always to be seen.
    assert auc_on(trained, session(folder / "new.xdf", 9)) > 0.9
    card = load_decoder(trained).card
    assert card.scores["auc"] > 0.9
    assert 0.2 < card.controls["auc_shuffled"] < 0.8  # 14 trials of each label: chance is 0.5 ± 0.11
    assert card.labels == ("face", "house")
    assert [file.epochs for file in card.files] == [TRIALS] * 3
    assert not card.simulated


def test_the_beginning_of_a_window_is_read_too_as_surely_as_it_says(trained: Path, folder: Path) -> None:
    decoder = load_decoder(trained)
    card = decoder.card
    assert card.prefixes == (0.25, 0.4)  # 0.6 s is the whole window
    # The bump lies in the first of them, its wake behind the causal high-pass does not.
    assert card.scores["auc_at_250ms"] > 0.8
    assert 0.2 < card.controls["auc_at_250ms_shuffled"] < 0.8
    plan, recording = EpochPlan(RATE, RATE, FILTER, EPOCH), read_recording(session(folder / "early.xdf", 10))
    for until_s in card.prefixes:
        epochs = cut_recording(recording, plan.until(until_s), CHANNELS)
        guesses = [
            decoder.guess(Epoch(data, 0.0, marker, 0.0, 0.0), until_s)
            for data, marker in zip(epochs.data, epochs.markers, strict=True)
        ]
        assert all(sum(guess.scores.values()) == pytest.approx(1) for guess in guesses)
        right = np.mean([guess.top == label for guess, label in zip(guesses, epochs.labels, strict=True)])
        assert right > 0.7  # 40 trials: 0.8 ± 0.06
        assert np.mean([guess.confidence for guess in guesses]) == pytest.approx(right, abs=0.2)
    with pytest.raises(MontageError, match="35 samples"):
        decoder.guess(Epoch(epochs.data[0], 0.0, epochs.markers[0], 0.0, 0.0), 0.25)


def test_a_decoder_without_prefixes_is_one_that_guesses_nothing(trained: Path, folder: Path) -> None:
    card = read_card(trained)
    weights = {name: it for name, it in read_weights(trained, card).items() if not name.startswith("prefixes")}
    save_decoder(folder / "plain", card.model_copy(update={"prefixes": ()}), weights)
    assert auc_on(folder / "plain", session(folder / "plain.xdf", 9)) > 0.9


def test_without_anything_to_read_it_says_that_it_reads_nothing(folder: Path) -> None:
    nothing = [session(folder / f"nothing-{seed}.xdf", seed, amplitude_uv=0) for seed in (11, 12, 13)]
    train(nothing, folder / "chance")
    # 60 trials of each label: chance is 0.5 ± 0.05.
    scores = load_decoder(folder / "chance").card.scores
    assert 0.3 < scores["auc"] < 0.7
    assert 0.3 < scores["auc_at_250ms"] < 0.7


def test_an_electrode_that_was_off_is_left_out_and_named(
    folder: Path, sessions: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    recording = read_recording(sessions[0])
    recording.samples[500:, 1] = 0.0
    write_recording(folder / "off.xdf", recording)
    examples = prepare_sessions([sessions[1], folder / "off.xdf"], ("face", "house"), FILTER, EPOCH, {})
    assert examples.channels == ("Fz", "Pz", "Oz")
    assert len(examples.labels) == 2 * TRIALS
    assert f"'{folder / 'off.xdf'}': Cz is flat for most of the time" in caplog.text


def test_the_same_seed_gives_the_same_decoder(trained: Path, sessions: list[Path], folder: Path) -> None:
    train(sessions, folder / "again")
    train(sessions, folder / "other", seed=1)
    weights = [(path / "weights.safetensors").read_bytes() for path in (trained, folder / "again", folder / "other")]
    assert weights[0] == weights[1] != weights[2]


def test_markers_that_are_numbers_are_named_and_the_decoder_remembers_it(
    trained: Path, sessions: list[Path], folder: Path
) -> None:
    numbers = {"house": "1", "face": "2"}
    coded = []
    for path in sessions:
        recording = read_recording(path)
        markers = tuple(replace(marker, label=numbers[marker.label]) for marker in recording.markers)
        write_recording(folder / f"coded-{path.name}", replace(recording, markers=markers))
        coded.append(folder / f"coded-{path.name}")
    with pytest.raises(LabelError, match="--labels 1=house,2=face"):
        train(coded, folder / "coded")
    train(coded, folder / "coded", marker_labels={"1": "house", "2": "face"})
    card, plain = load_decoder(folder / "coded").card, load_decoder(trained).card
    assert card.marker_labels == {"1": "house", "2": "face"}
    assert card.weights_sha256 == plain.weights_sha256  # but for the names, the recordings are the same


def test_what_is_in_the_folder_is_not_overwritten_unasked(trained: Path, sessions: list[Path]) -> None:
    before = (trained / "weights.safetensors").read_bytes()
    with pytest.raises(DecoderError, match="overwrite"):
        train(sessions, trained)
    assert (trained / "weights.safetensors").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told_before_the_training(sessions: list[Path], folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(DecoderError, match="cannot be made"):
        train(sessions, folder / "file" / "decoder")


def test_sessions_that_cannot_be_trained_on_are_refused_by_name(sessions: list[Path], folder: Path) -> None:
    def refused(path: Path, kind: type[Exception], message: str) -> None:
        with pytest.raises(kind, match=message):
            train([*sessions, path], folder / "none")
        assert not (folder / "none").exists()

    refused(session(folder / "dragon.xdf", 4, labels=("face", "dragon")), LabelError, "'dragon' \\(20 times\\)")
    refused(session(folder / "panda.xdf", 5, labels=("face", "house", "panda")), RecordingError, "'panda' has 13")
    bare = replace(read_recording(sessions[0]), markers=())
    write_recording(folder / "bare.xdf", bare)
    refused(folder / "bare.xdf", RecordingError, "no markers")
    fewer = replace(bare.facts, channels=CHANNELS[:3], units=("microvolts",) * 3)
    cut = replace(read_recording(sessions[0]), facts=fewer, samples=bare.samples[:, :3])
    write_recording(folder / "fewer.xdf", cut)
    refused(folder / "fewer.xdf", MontageError, "fewer")


def test_one_session_alone_is_held_out_by_stretches_of_time(sessions: list[Path], folder: Path) -> None:
    train(sessions[:1], folder / "one")
    assert "stretches of time of one session" in load_decoder(folder / "one").card.split


def test_labels_that_come_in_one_block_each_are_refused_for_what_they_are(folder: Path) -> None:
    recording = read_recording(session(folder / "mixed.xdf", 9))
    samples, again = np.concatenate([recording.samples] * 2), len(recording.samples) / RATE
    twice = [*recording.markers, *(replace(it, time=it.time + again) for it in recording.markers)]
    markers = tuple(replace(it, label="face" if i < 60 else "house") for i, it in enumerate(twice))
    stamps = 100 + np.arange(len(samples)) / RATE
    write_recording(folder / "blocks.xdf", replace(recording, samples=samples, stamps=stamps, markers=markers))
    with pytest.raises(LabelError, match=r"'house' are in one stretch of the session.*random order"):
        train([folder / "blocks.xdf"], folder / "none")


def test_only_eeg_channels_are_decoded_and_not_the_reference(folder: Path) -> None:
    sessions = []
    for seed in (1, 2):
        path = session(folder / f"eog-{seed}.xdf", seed)
        recording = read_recording(path)
        facts = replace(recording.facts, types=("EOG", "EEG", "EEG", "EEG"))
        path.unlink()
        write_recording(path, replace(recording, facts=facts))
        sessions.append(path)
    train_decoder(
        sessions, folder / "out", pipeline=PIPELINE, filter_config=FILTER, progress=False,
        epoch_config=EpochConfig(stop_s=0.6, reference=("cz",), reject_uv={"eog": 300}),
        encoder_training=EncoderTraining(passes=2, batch=16), saliency_training=SaliencyTraining(steps=2, batch=4),
    )  # fmt: skip
    card = load_decoder(folder / "out").card
    assert card.channels == ("Pz", "Oz")
    assert card.epoch.reference == ("cz",)
    with pytest.raises(MontageError, match="no EEG channel besides the reference"):
        train_decoder(
            sessions, folder / "none", pipeline=PIPELINE, filter_config=FILTER, progress=False,
            epoch_config=EpochConfig(stop_s=0.6, reference=("Cz", "Pz", "Oz")),
        )  # fmt: skip
