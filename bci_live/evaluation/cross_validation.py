"""Judges a training: a decoder for each part of the sessions, trained on the others, scored through the live path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bci_live.diffusion.pipeline import pipeline_folder
from bci_live.diffusion.text import caption_bank
from bci_live.evaluation.conclusion import (
    FEWEST_TRIALS,
    HIGH_PASS_HZ,
    Findings,
    Tell,
    add_common_controls,
    check_enough,
    conclude,
    filter_from,
    scale_of,
    silent,
)
from bci_live.evaluation.controls import Control, PlainCrossValidation
from bci_live.evaluation.drawing import Drawing
from bci_live.evaluation.folds import Folds, Training
from bci_live.evaluation.reading import Cut, Preparation, Trials, cut_all, joined, read_sessions
from bci_live.evaluation.result import Evaluation
from bci_live.evaluation.splits import By, Split, by_concept, by_stimulus, check_kind, groups_of, leave_one_group_out
from bci_live.sessions.naming import in_turns
from bci_live.sessions.recording import Recording
from bci_live.training.captions import with_captions
from bci_live.training.preparation import TrainingSet, prepare_sessions


def cross_validate(
    sessions: Sequence[Path], by: str, training: Training, *, drawing: Drawing, tell: Tell = silent
) -> Evaluation:
    """Train a decoder per fold and score it on what it has not seen.

    Parameters
    ----------
    sessions : recordings with markers
    by : run, session, subject, stimulus or concept
    drawing : the pipeline; with `count` 0 no pictures are drawn, and no saliency generator is trained

    Raises
    ------
    BciError
        If the split is by random trial, or unknown.
    RecordingError, LabelError, MontageError
        If the sessions cannot be split so, or not be trained on.
    """
    findings, kind = Findings(), check_kind(by)
    groups = groups_of([Path(path) for path in sessions], kind)
    if training.encoder is not None and training.encoder.subject_layer:
        for group in dict.fromkeys(groups):  # refused before any fold is trained
            in_turns([Path(path) for path, its in zip(sessions, groups, strict=True) if its != group])
    recordings = read_sessions(sessions, training.marker_labels)
    folder = pipeline_folder(drawing.pipeline)
    bank = with_captions(caption_bank(folder), folder, training.captions, training.device)
    tell("reading", 0.0)
    found = prepare_sessions(sessions, bank.labels, training.filter, training.epoch, training.marker_labels)
    # Filled in as each decoder fills in, so that the same trials are there; the decoders have covariances of their own.
    cut = cut_all(recordings, training.filter, training.epoch, found.channels, found.rate, repair=found.repair)
    check_enough(cut)
    splits = _splits(kind, cut, [groups[run] for run in cut.runs], training.seed)
    trained, folds = Folds(recordings, cut, found.names, bank, training, drawing), []
    for number, split in enumerate(splits):
        tell(f"fold {number + 1} of {len(splits)}", number / len(splits))
        folds.append(trained.read(number, split))
    trials = _together([fold.trials for fold in folds])
    add_common_controls(findings, trials, cut, bank.of(found.names), training.seed)
    zeroed = np.concatenate([fold.zeroed for fold in folds])
    findings.add("zeroed", scale_of(trials).of(zeroed, "the folds' decoders, all samples zero", arithmetic=True))
    tell("control: the whole training on shuffled labels", 0.0)
    findings.add("shuffled_training", _shuffled_training(trained, splits))
    _add_retrained(findings, recordings, PlainCrossValidation(cut, found.names, splits, bank), found, training, tell)
    return conclude(
        findings,
        trials,
        cut,
        recordings,
        Preparation(found.channels, found.rate, training.filter, training.epoch),
        decoder=f"{len(splits)} decoders of {len(found.names) - len(splits[0].among)} labels, each trained without what it is scored on",
        split=_describe(kind, splits),
        folds=tuple(fold.score for fold in folds),
        drawing=drawing,
        seed=training.seed,
        tell=tell,
    )


def _splits(kind: By, cut: Cut, groups: Sequence[str], seed: int) -> list[Split]:
    if kind == "stimulus":
        return by_stimulus(cut.stimuli, cut.labels, groups, seed)
    if kind == "concept":
        return by_concept(cut.labels, groups, seed)
    return leave_one_group_out(groups, kind)


def _together(parts: Sequence[Trials]) -> Trials:
    return Trials(
        names=parts[0].names,
        probabilities=np.concatenate([it.probabilities for it in parts]),
        labels=np.concatenate([it.labels for it in parts]),
        folds=np.concatenate([it.folds for it in parts]),
        cut=joined([it.cut for it in parts]),
        decodings=tuple(decoding for it in parts for decoding in it.decodings),
        candidates=np.concatenate([it.candidates for it in parts]),
        contrasts=np.concatenate([it.contrasts for it in parts]),
        alone={name: np.concatenate([it.alone[name] for it in parts]) for name in parts[0].alone},
    )


def _shuffled_training(trained: Folds, splits: Sequence[Split]) -> Control | str:
    """Of the last part that shows anything to tell apart, and without which there is enough to train on."""
    found = trained.shuffled(splits[-1])
    for split in reversed(splits[:-1]):
        if isinstance(found, Control):
            break
        found = trained.shuffled(split)
    return found


def _add_retrained(
    findings: Findings,
    recordings: Sequence[Recording],
    plain: PlainCrossValidation,
    found: TrainingSet,
    training: Training,
    tell: Tell,
) -> None:
    """The controls that a head is trained for anew, on the same splits; and the high-pass sweep."""
    shuffled = plain.shuffled(training.seed, lambda share: tell("control: shuffled labels", share))
    findings.add("shuffled_labels", shuffled)
    tell("control: before the onset", 0.0)
    before = cut_all(recordings, training.filter, training.epoch, found.channels, found.rate, before_onset=True)
    if len(before.markers) < FEWEST_TRIALS:
        findings.add("pre_stimulus", f"there are {len(before.markers)} clean epochs of that kind")
    else:
        note = "plain head retrained on windows that end before the onset"
        findings.add("pre_stimulus", plain.control(before, note))
    unlimited = training.epoch.model_copy(update={"reject_uv": {}})
    for number, low_hz in enumerate(HIGH_PASS_HZ):
        tell("high-pass sweep", number / len(HIGH_PASS_HZ))
        if low_hz < training.filter.high_hz:
            config = filter_from(training.filter, low_hz)
            filtered = cut_all(recordings, config, unlimited, found.channels, found.rate)
            note = f"plain head retrained on epochs from {low_hz:g} Hz up"
            findings.sweep[f"{low_hz:g}"] = plain.control(filtered, note)


def _describe(kind: str, splits: Sequence[Split]) -> str:
    fitted = f"{len(splits)} decoders, each trained without the {kind} that it is scored on"
    if kind == "concept":
        return (
            f"new labels of new runs, identified among the {len(splits[0].among)} left out by the caption nearest to the "
            f"decoded embedding: {len(splits)} decoders, none trained on any of them"
        )
    return f"leave one {kind} out: {fitted}" if kind != "stimulus" else f"new stimuli of a new run: {fitted}"
