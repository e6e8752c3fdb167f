"""A layer per subject: people whose electrodes sit differently are read by one encoder, each through a matrix of their own."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bci_live.cli import main
from bci_live.config import bundled
from bci_live.decoding.decoder import load_decoder, load_network
from bci_live.diffusion.text import caption_bank
from bci_live.errors import DecoderError, RecordingError
from bci_live.evaluation.cross_validation import cross_validate
from bci_live.evaluation.drawing import Drawing
from bci_live.evaluation.folds import Training
from bci_live.evaluation.reading import cut_for, decode_all, decode_as_their_own
from bci_live.sessions.naming import in_turns
from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.training.adversarial import SaliencyTraining
from bci_live.training.decoder import train_decoder
from bci_live.training.encoder import EncoderTraining
from bci_live.training.fine_tuning import known_for, load_origin
from bci_live.types import Marker, StreamFacts
from tests.training.test_decoder import CHANNELS, EPOCH, FILTER, PIPELINE, RATE

LABELS = ("face", "house", "banana", "pizza")
TRIALS, EVERY_S = 100, 0.8
# How many places each subject's electrodes are moved on: what is a face in one is a house in the other.
MOVED = {"01": 0, "02": 1, "03": 0}
ENCODER = EncoderTraining(passes=20, batch=16, subject_layer=True)
SALIENCY = SaliencyTraining(steps=2, batch=4)


def session_of(subject: str, folder: Path, seed: int) -> Path:
    """100 trials; each label has a bump at a channel of its own, 8 µV 170 ms after its onset, in noise of 5 µV."""
    rng = np.random.default_rng(seed)
    times = 100 + np.arange(round((TRIALS * EVERY_S + 3) * RATE)) / RATE
    samples = rng.normal(0, 5, (len(times), len(CHANNELS)))
    onsets, shown = 102 + EVERY_S * np.arange(TRIALS), rng.permutation(np.arange(TRIALS) % len(LABELS))
    for onset, label in zip(onsets, shown, strict=True):
        samples[:, label] += 8 * np.exp(-0.5 * ((times - onset - 0.17) / 0.03) ** 2)
    samples = np.roll(samples, MOVED[subject], axis=1).astype(np.float32)
    markers = tuple(
        Marker(LABELS[label], onset, "stimuli") for label, onset in zip(shown, onsets.tolist(), strict=True)
    )
    facts = StreamFacts("cap", "EEG", f"cap-{seed}", "", "", RATE, CHANNELS, ("microvolts",) * len(CHANNELS))
    path = folder / f"sub-{subject}_run-{seed:02d}.xdf"
    write_recording(path, Recording(facts, samples, times, markers, path))
    return path


def train(sessions: list[Path], out: Path, encoder: EncoderTraining = ENCODER, fine_tune: Path | None = None) -> None:
    train_decoder(
        sessions, out, pipeline=PIPELINE, filter_config=FILTER, epoch_config=EPOCH, progress=False,
        encoder_training=encoder, saliency_training=SALIENCY, fine_tune=fine_tune,
    )  # fmt: skip


def share_right(folder: Path, path: Path, subject: str | None = None) -> float:
    """Of the trials of a session, as they would be read live."""
    decoder = load_decoder(folder, subject=subject)
    cut = cut_for(decoder, [read_recording(path)])
    named = [max(decoding.scores, key=lambda label: decoding.scores[label]) for decoding in decode_all(decoder, cut)]
    return float(np.mean([name == label for name, label in zip(named, cut.labels, strict=True)]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("subjects")


@pytest.fixture(scope="module")
def sessions(folder: Path) -> list[Path]:
    """Two of the first subject, and two of the second."""
    return [session_of(subject, folder, seed) for subject, seed in (("01", 1), ("01", 2), ("02", 3), ("02", 4))]


@pytest.fixture(scope="module")
def trained(folder: Path, sessions: list[Path]) -> Path:
    train(sessions, folder / "decoder")
    return folder / "decoder"


def test_two_who_differ_are_read_through_their_own_layers(trained: Path, sessions: list[Path], folder: Path) -> None:
    train(sessions, folder / "without", replace(ENCODER, subject_layer=False))
    for seed, subject, other in ((11, "01", "02"), (12, "02", "01")):
        new = session_of(subject, folder, seed)
        own, mean = share_right(trained, new, subject), share_right(trained, new)
        assert own > 0.8  # measured 0.94 and 0.93, of 100 trials; chance is 0.25
        assert own > share_right(folder / "without", new) + 0.2  # 0.51 and 0.52
        assert own > mean + 0.2  # 0.44 and 0.53: nobody in particular
        assert share_right(trained, new, other) < 0.25  # 0.04 and 0.05: moved by one, it names the neighbour's label


def test_the_matrices_are_learned_apart_and_the_mean_of_them_reads_whom_nobody_knows(trained: Path) -> None:
    card, network = load_network(trained)
    assert card.subjects == ("01", "02")
    layer, data = network.encoder.subjects, torch.randn(5, 4, 30)
    assert layer is not None
    first, second = (torch.eye(4) + difference for difference in layer.differences.detach())
    for one, other in ((first, torch.eye(4)), (second, torch.eye(4)), (first, second)):
        assert (one - other).norm() > 0.5
    torch.testing.assert_close(layer(data), (first + second) / 2 @ data)
    torch.testing.assert_close(layer(data, torch.tensor([0, 1, 1, 0, 1]))[2], second @ data[2])
    layer.chosen = 0
    torch.testing.assert_close(layer(data), first @ data)


def test_an_unknown_subject_is_refused_with_those_that_are_known(trained: Path) -> None:
    with pytest.raises(DecoderError, match=r"does not know the subject '07'\. It knows 01, 02"):
        load_decoder(trained, subject="07")
    with pytest.raises(DecoderError, match="It has no layer per subject"):
        load_decoder(bundled("models/decoder-demo"), subject="01")


def test_it_takes_two_whose_names_tell_who_they_are(sessions: list[Path], folder: Path) -> None:
    with pytest.raises(RecordingError, match="at least two, but those to train on are all of '01'"):
        train(sessions[:2], folder / "alone")
    nameless = folder / "morning.xdf"
    nameless.write_bytes(sessions[2].read_bytes())
    with pytest.raises(RecordingError, match=r"morning.xdf' does not tell the subject"):
        train([sessions[0], nameless], folder / "alone")
    assert not (folder / "alone").exists()


def test_a_third_person_begins_from_the_mean_layer_and_one_who_is_known_from_their_own(
    trained: Path, sessions: list[Path], folder: Path
) -> None:
    third, new = [session_of("03", folder, seed) for seed in (21, 22)], session_of("03", folder, 23)
    train(third, folder / "tuned", fine_tune=trained)
    assert load_network(folder / "tuned")[0].subjects == ("03",)
    before, after = share_right(trained, new), share_right(folder / "tuned", new)
    assert after > before + 0.2
    assert share_right(folder / "tuned", new, "03") == after  # the mean of one is their own
    origin = load_origin(trained, PIPELINE, caption_bank(PIPELINE))
    layers, known = origin.network.encoder.subjects, known_for(origin, ("02", "03")).encoder.subjects
    assert layers is not None
    assert known is not None
    torch.testing.assert_close(known.differences[0], layers.differences[1])
    torch.testing.assert_close(known.differences[1], layers.differences.mean(dim=0))
    nameless = folder / "evening.xdf"
    nameless.write_bytes(third[0].read_bytes())
    with pytest.raises(RecordingError, match=r"evening.xdf' does not tell the subject.*begin from a decoder without"):
        train([nameless], folder / "nobody", fine_tune=trained)


def test_a_cross_validation_reads_the_subject_left_out_by_the_mean_layer(sessions: list[Path], folder: Path) -> None:
    training = Training(FILTER, EPOCH, {}, encoder=replace(ENCODER, passes=2), saliency=SALIENCY)
    drawing = Drawing(PIPELINE, 0, "cpu", 0, None)
    with pytest.raises(RecordingError, match="those to train on are all of '02'"):
        cross_validate(sessions, "subject", training, drawing=drawing)
    three = [sessions[0], sessions[2], session_of("03", folder, 5)]
    found = cross_validate(three, "subject", training, drawing=drawing)
    assert [fold.name for fold in found.folds] == ["01", "02", "03"]
    assert len(found.trials.labels) == 3 * TRIALS


def test_a_fold_reads_each_trial_by_the_layer_of_its_subject(trained: Path, sessions: list[Path]) -> None:
    decoder, recordings = load_decoder(trained), [read_recording(path) for path in (sessions[3], sessions[1])]
    cut = cut_for(decoder, recordings)
    read = [decoding.scores for decoding in decode_as_their_own(decoder, recordings, cut)]
    decoder.read_as("02")
    assert read[:TRIALS] == [decoding.scores for decoding in decode_all(decoder, cut)[:TRIALS]]
    decoder.read_as("01")
    assert read[TRIALS:] == [decoding.scores for decoding in decode_all(decoder, cut)[TRIALS:]]


def test_every_group_that_is_held_out_leaves_something_of_each_subject() -> None:
    sorted_by_name = [Path(f"sub-0{subject}_run-0{run}.xdf") for subject in (1, 2, 3) for run in (1, 2)]
    assert [path.stem for path in in_turns(sorted_by_name)] == [
        f"sub-0{subject}_run-0{run}" for run in (1, 2) for subject in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "{0}", "{1}", "--out", "{folder}/new", "--subject-layer"), "are all of '01'"),
        (("train", "{0}", "--out", "{folder}/new", "--subject-layer", "--fine-tune", "{trained}"), "--subject-layer has no meaning"),
        (("evaluate", "{trained}", "{3}", "--subject", "07", "--device", "cpu"), "It knows 01, 02"),
        (("evaluate", "{trained}", "{3}", "--subject-layer"), "--subject-layer would change nothing"),
        (("evaluate", "{0}", "{2}", "--cross-validate", "run", "--subject", "01"), "--subject has a meaning with a decoder only"),
        (("evaluate", "{0}", "{2}", "--cross-validate", "subject", "--subject-layer", "--device", "cpu"), "are all of '02'"),
        (("live", "--headless", "--replay", "{3}", "--decoder", "{trained}", "--subject", "07", "--device", "cpu"), "It knows 01, 02"),
    ],
)  # fmt: skip
def test_what_a_user_can_mend_is_one_sentence_and_exit_code_2(
    arguments: tuple[str, ...],
    sentence: str,
    trained: Path,
    sessions: list[Path],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [it.format(*sessions, folder=folder, trained=trained) for it in arguments]
    monkeypatch.setattr(sys, "argv", ["bci-live", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
