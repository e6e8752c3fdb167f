"""Which streams were chosen last, so that an experimenter chooses once."""

from __future__ import annotations

import logging
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError

_log = logging.getLogger(__name__)


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
    """Keep the choice for the next start; where that cannot be, the log says so."""
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(choice.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        _log.warning("The choice of streams is not remembered: '%s' cannot be written (%s).", file, error.strerror)


def remembered() -> StreamChoice | None:
    """The last choice; None where there is none that can be read."""
    try:
        return StreamChoice.model_validate_json(_file().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None
