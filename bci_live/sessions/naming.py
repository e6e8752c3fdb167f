"""Where a new recording goes: `sub-01/ses-01/eeg/sub-01_ses-01_task-pictures_run-01_eeg.xdf`, as BIDS names things."""

from __future__ import annotations

import re
from pathlib import Path

from bci_live.errors import RecordingError

_LABEL = re.compile(r"[A-Za-z0-9]{1,40}")


def new_recording(root: Path, subject: str, session: str, task: str) -> Path:
    """The path of the next run, whose folder is made: a number that no file there has.

    Raises
    ------
    RecordingError
        If a name is not of letters and digits alone, or the folder cannot be made.
    """
    for option, label in (("--subject", subject), ("--session", session), ("--task", task)):
        if not _LABEL.fullmatch(label):
            raise RecordingError(f"{option} '{label}' is no BIDS label: use letters and digits alone, at most 40.")
    folder = root / f"sub-{subject}" / f"ses-{session}" / "eeg"
    stem = f"sub-{subject}_ses-{session}_task-{task}_run-"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"'{folder}' cannot be made ({error.strerror}). Choose another --out.") from error
    runs = [
        int(number) for path in folder.glob(f"{stem}*") if (number := path.name[len(stem) :].split("_")[0]).isdigit()
    ]
    return folder / f"{stem}{max(runs, default=0) + 1:02d}_eeg.xdf"
