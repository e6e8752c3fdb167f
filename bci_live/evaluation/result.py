"""What an evaluation found, for the report and for JSON."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import torch

from bci_live.evaluation.confidence import Confidence
from bci_live.evaluation.controls import Control
from bci_live.evaluation.drawing import Drawn
from bci_live.evaluation.reading import Trials
from bci_live.evaluation.scores import Scored, confusion

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class EvaluatedFile:
    """A recording that was scored."""

    name: str
    sha256: str
    trials: int


@dataclass(frozen=True, slots=True)
class FoldScore:
    """A part that was held out: its name, its score, how many trials it has and how many were fitted on."""

    name: str
    score: float
    trials: int
    fitted: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of trials that the decoder had not seen, with everything that is needed to doubt them.

    `split`: what was kept apart, in words. `sweep`: the label score by high-pass, Hz. `not_run`: controls that could not
    be made, and why. `block_design`: the labels can be told from the time of the trial alone. `oracle`: what the decoder
    that knows the simulated head scores on the same trials; empty where there is none. `alone`: the label score of each label
    head, and of each first guess, by itself. `ridges`: of latent and contrast map the
    share of variance explained. `confidence`: None where the labels were new to the decoder.
    """

    decoder: str
    trials: Trials
    scores: Mapping[str, Scored]
    controls: Mapping[str, Control]
    sweep: Mapping[str, Control]
    not_run: Mapping[str, str]
    split: str
    folds: tuple[FoldScore, ...]
    files: tuple[EvaluatedFile, ...]
    simulated: bool
    oracle: Mapping[str, float]
    block_design: bool
    alone: Mapping[str, float]
    ridges: Mapping[str, Scored]
    confidence: Confidence | None
    drawn: Drawn | None
    seed: int
    seconds: float
    made: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def primary(self) -> str:
        """The score that the controls are compared by."""
        return "auc" if "auc" in self.scores else "top1"

    def summary(self) -> dict[str, Any]:
        """For JSON: plain numbers; what is no number is null."""
        main = self.scores[self.primary]
        told: dict[str, Any] = {name: it.score for name, it in self.scores.items()}
        told |= {
            "score": self.primary,
            "n_way": self.trials.n_way,
            "chance": main.chance,
            "interval": main.interval,
            "chance_interval": main.chance_interval,
            "scores": {name: _scored(it) for name, it in self.scores.items()},
            "controls": {name: _control(it) for name, it in self.controls.items()},
            "high_pass": {name: _control(it) for name, it in self.sweep.items()},
            "not_run": dict(self.not_run),
            "split": self.split,
            "folds": [
                {"name": it.name, self.primary: it.score, "trials": it.trials, "fitted": it.fitted} for it in self.folds
            ],
            "trials": len(self.trials.labels),
            "missed": dict(self.trials.cut.missed),
            "oracle": shares({name: it.score for name, it in self.scores.items()}, self.oracle),
            "block_design": self.block_design,
            "alone": dict(self.alone),
            "ridges": {name: _scored(it) for name, it in self.ridges.items()},
            "confidence": None if self.confidence is None else asdict(self.confidence),
            "simulated": self.simulated,
            "files": [{"name": it.name, "sha256": it.sha256, "trials": it.trials} for it in self.files],
            "pictures": None if self.drawn is None else _pictures(self.drawn),
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "date": self.made.isoformat(timespec="seconds"),
            "machine": machine(),
        }
        plain: dict[str, Any] = _plain(told)
        return plain

    def confusion(self) -> Any:
        """(labels, labels): row, what was shown; column, the most probable."""
        read = self.trials.probabilities.argmax(axis=1)
        return confusion(self.trials.labels, read, len(self.trials.names))


def machine() -> str:
    """What the figures were made on, without the machine's name."""
    return (
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads"
    )


def _scored(it: Scored) -> dict[str, Any]:
    return {
        "score": it.score,
        "interval": it.interval,
        "chance": it.chance,
        "chance_interval": it.chance_interval,
    }


def _control(it: Control) -> dict[str, Any]:
    return {
        "score": it.score,
        "chance": it.chance,
        "interval": it.interval,
        "within_chance": it.within_chance,
        "arithmetic": it.arithmetic,
        "note": it.note,
    }


def shares(scores: Mapping[str, float], oracle: Mapping[str, float]) -> dict[str, Any]:
    """By name what the oracle scores and which share of that was reached; of errors, how much smaller the oracle's is."""
    return {
        name: {"oracle": best, "share": share_of(name, scores[name], best)}
        for name, best in oracle.items()
        if name in scores
    }


# Of these, less is better.
ERRORS = ("position", "size", "turn")


def share_of(name: str, score: float, best: float) -> float:
    """1 is as good as the oracle; NaN where the oracle has nothing to compare with."""
    over, under = (best, score) if name in ERRORS else (score, best)
    return over / under if under > 0 else float("nan")


def _pictures(drawn: Drawn) -> dict[str, Any]:
    scores = {name: it.score for name, it in drawn.scores.items()}
    return {
        "count": len(drawn.pictures),
        "seed": drawn.settings.seed,
        "known": drawn.known,
        "scores": {name: _scored(it) for name, it in drawn.scores.items()},
        "oracle": shares(scores, drawn.oracle),
        "baselines": {
            baseline: {
                name: {"score": value, "gain": scores[name] - value} for name, value in values.items() if name in scores
            }
            for baseline, values in drawn.baselines.items()
        },
        "judge": None if drawn.judged is None else asdict(drawn.judged),
        "structure": {
            row.what: row.median
            | {"count": row.count, "intervals": row.interval, "oracle": shares(row.median, row.oracle)}
            for row in drawn.structure
        },
        "ablation": [
            {"caption": it.caption, "saliency": it.saliency, "latent": it.latent, **it.scores} for it in drawn.ablation
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(it) for key, it in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(it) for it in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return round(float(value), _DIGITS) if math.isfinite(value) else None
