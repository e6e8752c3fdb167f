"""What recordings are called: `sub-01/ses-01/eeg/sub-01_ses-01_task-pictures_run-01_eeg.xdf`, as BIDS names things."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bci_live.errors import RecordingError

_LABEL = re.compile(r"[A-Za-z0-9]{1,40}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose recording it is; None for what its name does not tell."""

    subject: str | None
    session: str | None
    run: str


def new_recording(root: Path, subject: str, session: str, task: str) -> Path:
    """The path of the next run, whose folder is made: a number that no file there has.

    Raises
    ------
    RecordingError
        If a name is not of letters and digits alone, or the folder cannot be made.
    """
    for what, label in (("subject", subject), ("session", session), ("task", task)):
        if not _LABEL.fullmatch(label):
            raise RecordingError(f"The {what} '{label}' is no BIDS label: use letters and digits alone, at most 40.")
    folder = root / f"sub-{subject}" / f"ses-{session}" / "eeg"
    stem = f"sub-{subject}_ses-{session}_task-{task}_run-"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"'{folder}' cannot be made ({error.strerror}). Choose another folder.") from error
    runs = [
        int(number) for path in folder.glob(f"{stem}*") if (number := path.name[len(stem) :].split("_")[0]).isdigit()
    ]
    return folder / f"{stem}{max(runs, default=0) + 1:02d}_eeg.xdf"


def origin_of(path: Path) -> Origin:
    """From a BIDS-like name (`sub-01_ses-02_task-x_run-03_eeg.xdf`), else from folders such as `sub-01/ses-02`.

    A recording without a run of its own is one by itself, under its file's name.
    """
    run = _entity("run", (path.name,))
    return Origin(
        _entity("sub", (path.name, *reversed(path.parts[:-1]))),
        _entity("ses", (path.name, *reversed(path.parts[:-1]))),
        path.name if run is None else run,
    )


def _entity(key: str, parts: Sequence[str]) -> str | None:
    for part in parts:
        found = re.search(rf"(?:^|[_-]){key}-([A-Za-z0-9]+)", part)
        if found:
            return found[1]
    return None


def in_turns(paths: Sequence[Path], alone: bool = False) -> list[Path]:
    """The recordings of several subjects, the first of each, then the second of each …, to train a layer per subject on.

    Neighbours are held out together, and who is left out altogether has no layer that could be judged.

    `alone`: whether one subject will do, because its layer goes on from those of others.

    Raises
    ------
    RecordingError
        If a name does not tell the subject, or all recordings are of one who may not be alone.
    """
    otherwise = "begin from a decoder without layers" if alone else "leave out --subject-layer"
    subjects = [origin_of(path).subject for path in paths]
    if None in subjects:
        raise RecordingError(
            f"The name '{paths[subjects.index(None)]}' does not tell the subject, whose layer would learn from it. Name "
            f"recordings as in sub-01_ses-02_run-03_eeg.xdf (sub-…), or {otherwise}."
        )
    if len(set(subjects)) == 1 and not alone:
        raise RecordingError(
            f"A layer per subject needs recordings of at least two, but those to train on are all of '{subjects[0]}': "
            f"{', '.join(path.name for path in paths)}. Name more recordings, or leave out --subject-layer."
        )
    turns = [subjects[:place].count(subject) for place, subject in enumerate(subjects)]
    return [paths[place] for place in sorted(range(len(paths)), key=turns.__getitem__)]
