"""Which trials may be fitted on and which are held out: by run, session, subject, stimulus or concept; never at random.

Trials that are neighbours in time resemble each other whatever is seen, so a split by random trial scores the drift of
the signal where labels come in blocks (Li et al. 2021, doi:10.1109/TPAMI.2020.2973153).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bci_live.errors import BciError, LabelError, RecordingError
from bci_live.sessions.naming import origin_of

Indices = NDArray[np.int64]
By = Literal["run", "session", "subject", "stimulus", "concept"]
KINDS: tuple[By, ...] = ("run", "session", "subject", "stimulus", "concept")
_AT_RANDOM = ("trial", "trials", "random", "random-trial", "epoch")
_MOST_GROUPS = 5
# To tell one of two apart would say little.
_FEWEST_CONCEPTS = 3


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of trials: `fit` to learn from, `hold` to score. `kind`: what was kept apart. `name`: what is held out.

    `among`: the labels that no trial of `fit` has, where the trials held out are of those alone; else none.
    """

    kind: str
    name: str
    fit: Indices
    hold: Indices
    among: tuple[str, ...] = ()


def check_kind(kind: str) -> By:
    """The kind of split, if it is one that may be scored.

    Raises
    ------
    BciError
        For a split by random trial, or a kind that there is none of.
    """
    if kind.lower() in _AT_RANDOM:
        raise BciError(
            "A split by random trial is refused: neighbours in time resemble each other whatever was seen, so its score "
            f"would say nothing of what was seen. Split by {', '.join(KINDS)}."
        )
    for known in KINDS:
        if kind.lower() == known:
            return known
    raise BciError(f"There is no split by '{kind}'. Split by {', '.join(KINDS)}.")


def groups_of(paths: Sequence[Path], by: By) -> tuple[str, ...]:
    """The group that each recording belongs to when they are split by run, session or subject.

    Raises
    ------
    RecordingError
        If a name does not tell it, or all are of one group.
    """
    if by in ("run", "stimulus", "concept"):  # every file is a run, whatever its number
        groups = tuple(f"{index + 1}: {path.name}" for index, path in enumerate(paths))
    else:
        groups = tuple(_named_group(path, by) for path in paths)
    if len(set(groups)) < 2:
        raise RecordingError(
            f"A split by {by} needs recordings of at least two {by if by in ('session', 'subject') else 'run'}s, but there is one: "
            f"{groups[0] if groups else 'none'}. Name more recordings."
        )
    return groups


def _named_group(path: Path, by: By) -> str:
    origin = origin_of(path)
    told, key = (origin.subject, "sub") if by == "subject" else (origin.session, "ses")
    if told is None:
        raise RecordingError(
            f"The name '{path}' does not tell the {by}. Name recordings as in sub-01_ses-02_run-03_eeg.xdf ({key}-…), "
            "or split by run."
        )
    # Sessions count within their subject: ses-01 of two people are two.
    return told if by == "subject" else f"{origin.subject or '?'}/{told}"


def leave_one_group_out(groups: Sequence[str], kind: str) -> list[Split]:
    """Each group held out once, whole.

    Parameters
    ----------
    groups : (n,), of each trial
    """
    names = np.asarray(groups)
    splits = [
        Split(kind, str(name), np.flatnonzero(names != name), np.flatnonzero(names == name))
        for name in dict.fromkeys(groups)
    ]
    for split in splits:
        check_disjoint(split, groups)
    return splits


def by_stimulus(stimuli: Sequence[str], labels: Sequence[str], runs: Sequence[str], seed: int) -> list[Split]:
    """Each run held out once, and of it only stimuli that nothing fitted has seen.

    A stimulus that is shown in several runs falls into one of several groups, dealt evenly within its label; of run r
    the trials of one group are scored, and heads fit on the other runs without that group. A stimulus that no other run
    has is new anyway. So neither the stimulus nor its neighbours in time are known.

    Parameters
    ----------
    stimuli, labels, runs : (n,), of each trial

    Raises
    ------
    LabelError
        If a label has one stimulus only: held out, nothing would be left of the label.
    """
    shown, run_names = np.asarray(stimuli), list(dict.fromkeys(runs))
    count = min(_MOST_GROUPS, max(2, len(run_names)))
    group = _dealt(stimuli, labels, count, seed)
    of_run = np.asarray(runs)
    splits = []
    for index, run in enumerate(run_names):
        inside = of_run == run
        elsewhere = np.isin(shown, shown[~inside])
        hold = inside & ((group == index % count) | ~elsewhere)
        fit = ~inside & ~np.isin(shown, shown[hold])
        split = Split("stimulus", f"new stimuli of {run}", np.flatnonzero(fit), np.flatnonzero(hold))
        check_disjoint(split, stimuli)
        check_disjoint(split, runs)
        if hold.any():
            splits.append(split)
    return splits


def _dealt(stimuli: Sequence[str], labels: Sequence[str], count: int, seed: int) -> Indices:
    rng = np.random.default_rng(seed)
    group_of: dict[str, int] = {}
    for label in sorted(set(labels)):
        own = sorted({it for it, its in zip(stimuli, labels, strict=True) if its == label})
        if len(own) < 2:
            raise LabelError(
                f"A split by stimulus needs at least two different stimuli of each label, but all of {label!r} are the "
                "same (or their markers tell no difference). Split by run."
            )
        begin = int(rng.integers(count))
        group_of |= {own[place]: (begin + turn) % count for turn, place in enumerate(rng.permutation(len(own)))}
    return np.array([group_of[it] for it in stimuli])


def by_concept(labels: Sequence[str], runs: Sequence[str], seed: int) -> list[Split]:
    """Labels that nothing fitted has seen, of runs that nothing fitted has seen.

    Labels are dealt into groups of equal size, runs into as many parts; of the runs of a part the trials of one group are
    scored, and heads fit on the other runs without that group. What is read can only be which label of the group it was.
    Labels that fill no group are never scored.

    Parameters
    ----------
    labels, runs : (n,), of each trial

    Raises
    ------
    LabelError
        If there are fewer than six labels, or no run has trials of its group.
    """
    names, run_names = sorted(set(labels)), list(dict.fromkeys(runs))
    count = min(_MOST_GROUPS, len(run_names), len(names) // _FEWEST_CONCEPTS)
    if count < 2:
        raise LabelError(
            f"A split by concept leaves at least {_FEWEST_CONCEPTS} labels out and as many in, but there are {len(names)}: "
            f"{', '.join(names)}. Split by run."
        )
    size, order = len(names) // count, np.random.default_rng(seed).permutation(len(names))
    of_label, of_run = np.asarray(labels), np.asarray(runs)
    splits = []
    for index, part in enumerate(np.array_split(np.array(run_names), count)):
        among = tuple(sorted(names[i] for i in order[index * size : (index + 1) * size]))
        apart, inside = np.isin(of_label, among), np.isin(of_run, part)
        split = Split(
            "concept", ", ".join(among), np.flatnonzero(~apart & ~inside), np.flatnonzero(apart & inside), among
        )
        check_disjoint(split, labels)
        check_disjoint(split, runs)
        if len(split.hold):
            splits.append(split)
    if not splits:
        raise LabelError(
            "No part of the recordings has trials of the labels that would be left out there. Show every label in every "
            "recording, or split by run."
        )
    return splits


def check_disjoint(split: Split, groups: Sequence[str]) -> None:
    """That no group has trials on both sides.

    Raises
    ------
    ValueError
        If one has, or a trial is on both sides: a bug, never a user's fault.
    """
    both = {groups[i] for i in split.fit} & {groups[i] for i in split.hold}
    if both or np.intersect1d(split.fit, split.hold).size:
        raise ValueError(f"the split by {split.kind} ({split.name}) has {sorted(both)[:3]} on both sides")
