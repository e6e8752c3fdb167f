"""Which streams were chosen last, so that an experimenter chooses once."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict

from bci_live.live.kept_files import read_kept, write_kept


class StreamChoice(BaseModel):
    """An EEG stream and a marker stream, each by name and source id; nothing where it is left to the program."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stream: str | None = None
    stream_id: str | None = None
    markers: str | None = None
    markers_id: str | None = None


def _file() -> Path:
    return platformdirs.user_config_path("bci_live") / "streams.json"


def remember(choice: StreamChoice) -> None:
    """Keep the choice for the next start."""
    write_kept(_file(), choice, "The choice of streams")


def remembered() -> StreamChoice | None:
    """The last choice; None where there is none that can be read."""
    return read_kept(_file(), StreamChoice)
