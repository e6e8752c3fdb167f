"""What evaluations of decoders and of trainings have in common: controls that need no reading anew, and the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bci_live.config import FilterConfig
from bci_live.decoding.device import pick_device
from bci_live.diffusion.pipeline import pipeline_folder
from bci_live.errors import LabelError, RecordingError
from bci_live.evaluation.confidence import confidence_of
from bci_live.evaluation.controls import Control, Scale, another_trial, nearness_of_mean, shuffled_labels
from bci_live.evaluation.drawing import Drawing, draw_first, shown_pictures
from bci_live.evaluation.oracle import OracleReading, ask_oracle
from bci_live.evaluation.reading import Cut, Preparation, Trials, indices_of
from bci_live.evaluation.result import EvaluatedFile, Evaluation, FoldScore
from bci_live.evaluation.ridges import score_ridges
from bci_live.evaluation.scores import Array, Scored, hits, label_score, score_identified, score_labels
from bci_live.evaluation.time_of_trial import place_in_other_runs, previous_label, time_of_trial
from bci_live.sessions.recording import Recording, digest
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.types import FloatArray

# What goes on, and how much of it is done, 0…1.
Tell = Callable[[str, float], None]
HIGH_PASS_HZ = (0.1, 1.0, 5.0)
FEWEST_TRIALS = 10


def silent(what: str, share: float) -> None:
    """Tells nobody."""


@dataclass
class Findings:
    """What has been found so far. `not_run`: controls that could not be made, and why. `began`: s, `time.monotonic`."""

    controls: dict[str, Control] = field(default_factory=dict)
    sweep: dict[str, Control] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def add(self, name: str, control: Control | str) -> None:
        """A control, or the reason why there is none."""
        if isinstance(control, str):
            self.not_run[name] = control
        else:
            self.controls[name] = control


def conclude(
    findings: Findings,
    trials: Trials,
    cut: Cut,
    recordings: Sequence[Recording],
    preparation: Preparation,
    *,
    decoder: str,
    split: str,
    folds: tuple[FoldScore, ...],
    drawing: Drawing,
    seed: int,
    tell: Tell,
) -> Evaluation:
    """Draw the pictures, score the labels, and put everything together.

    Parameters
    ----------
    trials : what was read of the trials that were held out
    cut : all trials of the recordings, as `preparation` makes them
    """
    scores = _scores(trials, seed)
    simulated, oracle = any(recording.facts.simulated for recording in recordings), None
    if simulated:
        tell("the oracle", 0.0)
        oracle = _oracle(findings, trials, cut, recordings, preparation)
    tell("the ridges", 0.0)
    ridges = _ridges(findings, trials, drawing, seed)
    drawn = draw_first(trials, drawing, lambda share: tell("drawing", share), oracle) if drawing.count else None
    findings.add("label_only", drawn.label_only if drawn else "nothing was drawn")
    return Evaluation(
        decoder=decoder,
        trials=trials,
        scores=scores,
        controls=findings.controls,
        sweep=findings.sweep,
        not_run=findings.not_run,
        split=split,
        folds=folds,
        files=_files(recordings, cut),
        simulated=simulated,
        oracle=_label_scores(scores, trials.among_candidates(oracle.probabilities), trials) if oracle else {},
        block_design=any(not findings.controls[it].within_chance for it in _ALARMS if it in findings.controls),
        alone={name: label_score(it, trials.labels, trials.folds) for name, it in trials.alone.items()},
        ridges=ridges,
        confidence=confidence_of(trials) if trials.n_way == len(trials.names) else None,
        drawn=drawn,
        seed=seed,
        seconds=time.monotonic() - findings.began,
    )


def _scores(trials: Trials, seed: int) -> dict[str, Scored]:
    if trials.n_way < len(trials.names):
        return score_identified(trials.probabilities, trials.labels, trials.folds, trials.candidates, seed)
    return score_labels(trials.probabilities, trials.labels, trials.folds, trials.cut.runs, seed)


def _oracle(
    findings: Findings, trials: Trials, cut: Cut, recordings: Sequence[Recording], preparation: Preparation
) -> OracleReading | None:
    """What the oracle reads of the trials, in their order; why there is none is noted."""
    same = cut.take(cut.indices_of(trials.cut, np.arange(len(trials.labels))))
    found = ask_oracle(recordings, same, trials.names, preparation)
    if isinstance(found, str):
        findings.not_run["oracle"] = found
        return None
    return found


def _ridges(findings: Findings, trials: Trials, drawing: Drawing, seed: int) -> dict[str, Scored]:
    """Of latent and contrast map, whether pictures are drawn or not; what is not scored, and why, is noted."""
    shown, device = shown_pictures(trials.cut.markers, load_catalogue()), pick_device(drawing.device)
    folder = pipeline_folder(drawing.pipeline)
    return score_ridges(trials, shown, folder, device, seed, findings.not_run.__setitem__)


def _label_scores(scores: Mapping[str, Scored], probabilities: Array, trials: Trials) -> dict[str, float]:
    """The same scores of other readings of the trials."""
    of = {
        "auc": lambda: label_score(probabilities, trials.labels, trials.folds),
        "top1": lambda: float(hits(probabilities, trials.labels, 1).mean()),
        "top5": lambda: float(hits(probabilities, trials.labels, 5).mean()),
    }
    return {name: of[name]() for name in scores}


_ALARMS = ("time_of_trial", "place_in_other_runs", "previous_label")


def add_common_controls(findings: Findings, trials: Trials, cut: Cut, captions: FloatArray, seed: int) -> None:
    """Those that need no reading anew, and the block-design alarm: what the time of the trial alone tells.

    `captions`: (names, tokens, width), what the decoders say of each label.
    """
    scale, runs = scale_of(trials), trials.cut.runs
    findings.add("shuffled_labels", shuffled_labels(trials.probabilities, scale, runs, seed))
    findings.add("another_trial", another_trial(trials.probabilities, scale, runs, seed))
    embeddings = np.stack([decoding.embedding for decoding in trials.decodings])
    near = trials.among_candidates(nearness_of_mean(embeddings, captions))
    note = "the mean of all decoded embeddings in place of each"
    findings.add("mean_embedding", scale.of(near, note, arithmetic=True))
    labels, n_way = indices_of(cut.labels, trials.names), len(trials.names)
    findings.add("time_of_trial", time_of_trial(labels, cut.onsets, cut.runs, n_way, seed))
    findings.add("previous_label", previous_label(labels, cut.onsets, cut.runs, n_way, seed))
    placed = place_in_other_runs(labels, cut.onsets, cut.runs, n_way, seed)
    findings.add("place_in_other_runs", placed or "there is one run only")


def scale_of(trials: Trials) -> Scale:
    """What the trials' label scores are compared on."""
    return Scale(trials.labels, trials.folds, trials.n_way)


def _files(recordings: Sequence[Recording], cut: Cut) -> tuple[EvaluatedFile, ...]:
    """The recordings with their hashes and trials."""
    return tuple(
        EvaluatedFile(recording.path.name, digest(recording.path), int((cut.runs == run).sum()))
        for run, recording in enumerate(recordings)
    )


def check_enough(cut: Cut) -> None:
    """That there is something to score.

    Raises
    ------
    RecordingError
        If there are fewer than ten clean trials.
    LabelError
        If all show the same.
    """
    if len(cut.markers) < FEWEST_TRIALS:
        why = ", ".join(f"{count} {reason}" for reason, count in cut.missed.items()) or "there are no more markers"
        raise RecordingError(
            f"There are {len(cut.markers)} clean trials, but a score needs {FEWEST_TRIALS} ({why}). Name more sessions, "
            "or raise --reject."
        )
    if len(set(cut.labels)) < 2:
        raise LabelError(
            f"All {len(cut.labels)} trials show {cut.labels[0]!r}: there is nothing to tell apart. Name more sessions."
        )


def filter_from(config: FilterConfig, low_hz: float) -> FilterConfig:
    """The filter with another lower end."""
    return FilterConfig.model_validate(config.model_dump() | {"low_hz": low_hz})
