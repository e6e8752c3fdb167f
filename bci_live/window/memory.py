"""What comes back the next time the window is opened: its place, the panels, the look, the display's settings."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError

_log = logging.getLogger(__name__)


class WindowMemory(BaseModel):
    """`geometry`, `layout`: Qt's own, in base 64; empty: as at first. `bad`: channels by name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    look: Literal["dark", "light"] = "dark"
    geometry: str = ""
    layout: str = ""
    band: tuple[float, float] | None = None
    notch_hz: float | None = None
    average: bool = False
    seconds: float = 10.0
    bad: tuple[str, ...] = ()
    folder: str = "recordings"
    subject: str = "01"
    session: str = "01"
    task: str = "pictures"


def _file() -> Path:
    return platformdirs.user_config_path("bci_live") / "window.json"


def keep(memory: WindowMemory) -> None:
    """For the next start; where that cannot be, the log says so."""
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(memory.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except (OSError, UnicodeEncodeError) as error:
        _log.warning("The window's layout is not remembered: '%s' cannot be written (%s).", file, error)


def kept() -> WindowMemory:
    """As it was the last time; as at first where nothing can be read."""
    try:
        return WindowMemory.model_validate_json(_file().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return WindowMemory()
