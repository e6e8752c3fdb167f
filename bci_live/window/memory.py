"""What comes back the next time the window is opened: its place, the panels, the look, the display's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, field_validator

from bci_live.live.kept_files import read_kept, write_kept


class WindowMemory(BaseModel):
    """`geometry`, `layout`: Qt's own, in base 64; empty: as at first. `bad`, `hidden`: channels by name, of all montages.

    `rows`: channels at a time, 0: all. `automatic`: scales follow the signal; else `heights`: by type of channel, units a row.
    `mains_hz`: what the electrodes are judged by. `stepwise`: whether a picture is seen forming.
    `response_electrode`, `spectrum_electrode`: by name; empty where none was picked.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    look: Literal["dark", "light"] = "dark"
    geometry: str = ""
    layout: str = ""
    band: tuple[float, float] | None = None
    notch_hz: float | None = None
    average: bool = False
    seconds: float = 10.0
    bad: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    rows: int = 0
    automatic: bool = True
    heights: dict[str, float] = {}
    sweeping: bool = False
    mains_hz: Literal[50, 60] = 50
    stepwise: bool = True
    response_electrode: str = ""
    spectrum_electrode: str = ""
    folder: str = "recordings"
    subject: str = "01"
    session: str = "01"
    task: str = "pictures"

    @field_validator("heights", mode="before")
    @classmethod
    def _possible(cls, heights: object) -> object:
        """Those that can be drawn to; one that cannot is found anew, and costs no other setting."""
        if not isinstance(heights, dict):
            return {}
        return {type_: it for type_, it in heights.items() if isinstance(it, (int, float)) and 1e-9 < it < 1e9}


def _file() -> Path:
    return platformdirs.user_config_path("bci_live") / "window.json"


def keep(memory: WindowMemory) -> None:
    """For the next start."""
    write_kept(_file(), memory, "The window's layout")


def kept() -> WindowMemory:
    """As it was the last time; as at first where nothing can be read."""
    return read_kept(_file(), WindowMemory) or WindowMemory()
