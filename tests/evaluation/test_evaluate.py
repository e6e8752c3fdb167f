"""Whole evaluations: a decoder on new sessions, trainings with parts left out, and the fake success of a block design."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from bci_live.config import EpochConfig, bundled
from bci_live.decoding.decoder import load_decoder
from bci_live.diffusion.pipeline import pipeline_folder
from bci_live.diffusion.text import caption_bank
from bci_live.errors import LabelError, RecordingError
from bci_live.evaluation.controls import Control, plain_probabilities
from bci_live.evaluation.cross_validation import cross_validate
from bci_live.evaluation.drawing import Drawing
from bci_live.evaluation.evaluate import evaluate_decoder
from bci_live.evaluation.folds import Folds, Training
from bci_live.evaluation.reading import cut_all, indices_of, read_sessions
from bci_live.evaluation.report import report
from bci_live.evaluation.result import Evaluation
from bci_live.evaluation.scores import auc
from bci_live.evaluation.splits import Split
from bci_live.sessions.recording import read_recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.training.adversarial import SaliencyTraining
from bci_live.training.decoder import train_decoder
from bci_live.training.encoder import EncoderTraining
from tests.evaluation.sessions import CHANNELS, EPOCH, FILTER, RATE, at_random, in_blocks, write_session

DRAWING = Drawing(bundled("models/diffusion-demo"), count=0, judge=None)
TRAINING = Training(FILTER, EPOCH, {}, encoder=EncoderTraining(passes=3, batch=16))
NAMES = ("face", "house")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def sessions(folder: Path) -> list[Path]:
    return [write_session(folder / f"run-{seed}.xdf", seed, at_random(seed)) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def decoder(folder: Path, sessions: list[Path]) -> Path:
    train_decoder(
        sessions, folder / "decoder", pipeline=bundled("models/diffusion-demo"), filter_config=FILTER,
        epoch_config=EPOCH, progress=False, encoder_training=EncoderTraining(passes=6, batch=16),
        saliency_training=SaliencyTraining(steps=2, batch=4),
    )  # fmt: skip
    return folder / "decoder"


@pytest.fixture(scope="module")
def by_run(sessions: list[Path]) -> Evaluation:
    return cross_validate(sessions, "run", TRAINING, drawing=DRAWING)


def test_a_decoder_is_refused_on_a_session_that_it_was_trained_on_by_name(
    decoder: Path, sessions: list[Path], folder: Path
) -> None:
    new = write_session(folder / "new.xdf", 8, at_random(8))
    with pytest.raises(RecordingError, match=r"trained on .*run-2\.xdf"):
        evaluate_decoder(load_decoder(decoder), [new, sessions[1]], drawing=DRAWING)


def test_another_name_does_not_make_a_session_new(decoder: Path, sessions: list[Path], folder: Path) -> None:
    (folder / "renamed.xdf").write_bytes(sessions[0].read_bytes())
    with pytest.raises(RecordingError, match=r"renamed\.xdf' \(as 'run-1\.xdf'\)"):
        evaluate_decoder(load_decoder(decoder), [folder / "renamed.xdf"], drawing=DRAWING)


def test_saving_it_anew_does_not_make_a_session_new(decoder: Path, sessions: list[Path], folder: Path) -> None:
    again = folder / "again.xdf"
    write_recording(again, read_recording(sessions[0]))
    with again.open("ab") as file:  # as a later date in its header would, other bytes: a chunk with the boundary's tag
        file.write(bytes([1, 18, 5, 0, *range(16)]))
    assert again.read_bytes() != sessions[0].read_bytes()
    with pytest.raises(RecordingError, match=r"again\.xdf' \(as 'run-1\.xdf'\)"):
        evaluate_decoder(load_decoder(decoder), [again], drawing=DRAWING)
    with pytest.raises(RecordingError, match="the same recording, named twice"):
        cross_validate([sessions[0], again], "run", TRAINING, drawing=DRAWING)


def test_a_new_session_is_read_and_every_control_stays_within_chance(decoder: Path, folder: Path) -> None:
    path = write_session(folder / "unseen.xdf", 9, at_random(9, 60))
    found = evaluate_decoder(load_decoder(decoder), [path], drawing=DRAWING)
    told = found.summary()
    # A bump of 8 µV in noise of 5 µV, which the filter makes smaller still.
    assert told["auc"] > 0.9
    assert told["interval"][0] > told["chance_interval"][1]
    assert (told["n_way"], told["chance"], told["trials"]) == (2, 0.5, 60)
    assert {"shuffled_labels", "pre_stimulus", "another_trial", "zeroed", "mean_embedding", "time_of_trial"} <= set(
        told["controls"]
    )
    assert all(control["within_chance"] for control in told["controls"].values())
    assert told["controls"]["zeroed"]["score"] == 0.5
    assert told["not_run"] == {
        "label_only": "nothing was drawn",
        "place_in_other_runs": "there is one run only",
    }
    assert not told["block_design"]
    assert told["alone"]["caption ridge"] > 0.9
    for ridge in (told["ridges"]["latent"], told["ridges"]["contrast map"]):
        assert 0.4 < ridge["score"] <= 1
        assert ridge["interval"][0] > ridge["chance_interval"][1]
    json.dumps(told, allow_nan=False)


def test_markers_that_the_decoder_has_no_label_for_are_named(decoder: Path, folder: Path) -> None:
    path = write_session(folder / "dragons.xdf", 10, ["dragon", "face"] * 10)
    with pytest.raises(LabelError, match=r"'dragon' \(10 times\).*--labels"):
        evaluate_decoder(load_decoder(decoder), [path], drawing=DRAWING)


def test_each_run_is_read_by_a_decoder_that_was_trained_without_it(by_run: Evaluation, sessions: list[Path]) -> None:
    told = by_run.summary()
    assert told["auc"] > 0.85
    assert told["auc"] == pytest.approx(np.mean([fold["auc"] for fold in told["folds"]]), abs=1e-3)
    assert [(fold["trials"], fold["fitted"]) for fold in told["folds"]] == [(40, 80)] * 3
    assert told["controls"]["pre_stimulus"]["within_chance"]
    assert told["controls"]["shuffled_labels"]["within_chance"]
    assert told["controls"]["shuffled_training"]["within_chance"]
    assert "40 trials" in told["controls"]["shuffled_training"]["note"]
    assert set(told["high_pass"]) == {"0.1", "1", "5"}
    assert [file["name"] for file in told["files"]] == [path.name for path in sessions]


def test_what_can_be_read_before_the_onset_is_outside_of_chance(decoder: Path, folder: Path) -> None:
    recording = read_recording(write_session(folder / "on-time.xdf", 31, at_random(31, 60)))
    # Each marker comes a window too late: what was shown can be read before it, and after it nothing.
    late = [replace(marker, time=marker.time + EPOCH.stop_s) for marker in recording.markers]
    write_recording(folder / "late.xdf", replace(recording, markers=tuple(late)))
    told = evaluate_decoder(load_decoder(decoder), [folder / "late.xdf"], drawing=DRAWING).summary()
    assert not told["controls"]["pre_stimulus"]["within_chance"]
    assert told["controls"]["pre_stimulus"]["score"] > 0.9
    assert told["auc"] < 0.7


def test_a_trial_on_both_sides_of_a_split_is_found_out_by_the_training_on_shuffled_labels(sessions: list[Path]) -> None:
    recordings, bank = read_sessions(sessions, {}), caption_bank(pipeline_folder(DRAWING.pipeline))
    cut = cut_all(recordings, FILTER, EPOCH, CHANNELS, RATE)
    every = np.arange(len(cut.markers))
    leaky = Split("run", "what it was trained on", every, every)
    long = replace(TRAINING, encoder=EncoderTraining(passes=40, batch=16))
    found = Folds(recordings, cut, NAMES, bank, long, DRAWING).shuffled(leaky)
    assert isinstance(found, Control)
    assert not found.within_chance
    assert found.score > found.interval[1]
    # Of 24 trials one label has twelve at most, which is too few: that is said, and the evaluation goes on.
    said = Folds(recordings, cut, NAMES, bank, TRAINING, DRAWING).shuffled(Split("run", "few", every[:24], every))
    assert isinstance(said, str)
    assert "at least 15 clean epochs" in said
    one = np.flatnonzero(np.array(cut.labels)[:20] == "face")
    said = Folds(recordings, cut, NAMES, bank, TRAINING, DRAWING).shuffled(Split("run", "the face", every, one[:1]))
    assert said == "shuffled, the face shows one label alone"


def test_new_stimuli_are_read_by_a_decoder_that_knows_neither_them_nor_their_run(folder: Path) -> None:
    sessions = []
    for seed in (21, 22):
        shown = at_random(seed, 80)
        details = [json.dumps({"picture": int(i)}) for i in np.random.default_rng(seed).integers(0, 4, 80)]
        sessions.append(write_session(folder / f"stimuli-{seed}.xdf", seed, shown, details=details))
    found = cross_validate(sessions, "stimulus", TRAINING, drawing=DRAWING)
    assert len(found.folds) == 2
    # Half of a run's stimuli are held out, the other half is what is fitted on in the other run.
    assert all(20 < fold.trials < 60 for fold in found.folds)
    assert all(20 < fold.fitted < 60 for fold in found.folds)
    assert found.scores["auc"].score > 0.85


def test_a_block_design_raises_the_alarm_and_its_fake_success_is_gone_when_runs_are_held_out(folder: Path) -> None:
    """Nothing is shown that the EEG answers to; only the noise of the channels drifts, and labels come in blocks."""
    paths = [
        write_session(folder / f"blocks-{seed}.xdf", seed, in_blocks(seed), amplitude_uv=0, drift=1.6)
        for seed in (31, 32, 33)
    ]
    cut = cut_all(read_sessions(paths, {}), FILTER, EPOCH, CHANNELS, RATE)
    labels = indices_of(cut.labels, NAMES)
    # What the project refuses to do: a fourth of a run's trials held out at random, with the rest of their block known.
    parts = np.random.default_rng(0).permutation(len(labels)) % 4
    areas, kinds = [], []
    for run, part in product(range(3), range(4)):
        fit, held = (cut.runs == run) & (parts != part), (cut.runs == run) & (parts == part)
        read = plain_probabilities(cut.data[fit], labels[fit], cut.data[held], 2)
        areas.append(auc(read[:, 1], labels[held] == 1))
        kinds.append(np.bincount(labels[held], minlength=2))
    assert np.mean(areas) > highest_by_chance(kinds)
    found = cross_validate(paths, "run", TRAINING, drawing=DRAWING)
    told = found.summary()
    assert told["block_design"]
    assert not told["controls"]["time_of_trial"]["within_chance"]
    # Were a block read right or wrong as one, there would be three of each label in each run; chance reaches no farther.
    assert told["auc"] <= told["chance_interval"][1] <= highest_by_chance([(3, 3)] * 3)
    assert 'class="alarm">BLOCK DESIGN' in report(found)


def highest_by_chance(kinds: Sequence[Sequence[int]]) -> float:
    """Below which 99.5 % of the means of areas lie that tell nothing, each of so many trials of either kind (Mann & Whitney)."""
    variances = [(n + m + 1) / (12 * n * m) for n, m in kinds]
    return 0.5 + NormalDist().inv_cdf(0.995) * math.sqrt(sum(variances)) / len(variances)


def test_too_few_clean_trials_are_told_with_what_became_of_the_others(decoder: Path, folder: Path) -> None:
    path = write_session(folder / "few.xdf", 12, at_random(12, 8))
    with pytest.raises(RecordingError, match="8 clean trials"):
        evaluate_decoder(load_decoder(decoder), [path], drawing=DRAWING)
    path = write_session(folder / "strict.xdf", 13, at_random(13))
    with pytest.raises(RecordingError, match="40 artefact"):
        evaluate_decoder(load_decoder(decoder), [path], drawing=DRAWING, reject_uv={"eeg": 0.1})


def test_one_recording_alone_cannot_be_cross_validated(sessions: list[Path]) -> None:
    with pytest.raises(RecordingError, match="at least two runs"):
        cross_validate(sessions[:1], "run", TRAINING, drawing=DRAWING)
    with pytest.raises(RecordingError, match="named twice"):
        cross_validate([sessions[0], sessions[0]], "run", TRAINING, drawing=DRAWING)


def test_a_reference_leaves_its_channels_out_in_every_fold(sessions: list[Path]) -> None:
    referenced = Training(
        FILTER, EpochConfig(stop_s=0.6, reference=("Cz",)), {}, encoder=EncoderTraining(passes=1, batch=16)
    )
    found = cross_validate(sessions[:2], "run", referenced, drawing=DRAWING)
    assert found.trials.cut.data.shape[1] == 3


def test_pictures_of_a_cross_validation_are_drawn_from_what_was_held_out(sessions: list[Path], folder: Path) -> None:
    named = [folder / f"sub-0{number}_ses-01_run-01.xdf" for number in (1, 2)]
    for path, new in zip(sessions, named, strict=False):
        new.write_bytes(path.read_bytes())
    short = replace(TRAINING, saliency=SaliencyTraining(steps=2, batch=4))
    found = cross_validate(named, "subject", short, drawing=replace(DRAWING, count=2))
    assert [fold.name for fold in found.folds] == ["01", "02"]
    assert found.drawn is not None
    assert found.drawn.pictures.shape == (2, 64, 64, 3)
    # The markers do not tell what was shown, so nothing is compared with it.
    assert not found.drawn.known
    assert found.summary()["pictures"]["scores"] == {}
    assert "label_only" in found.not_run
    assert "label's picture stands in" in report(found)
