"""What the options of several commands share: their words, and which of them have no meaning together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from bci_live.config import KNOWN_PIPELINES
from bci_live.errors import BciError

PIPELINES = f"a folder, {', '.join(KNOWN_PIPELINES)}, or a name on the hub"
DEVICE = typer.Option(help="auto, cpu, cuda or mps; auto takes the best at hand.")
Device = Annotated[str, DEVICE]


def refuse_together(option: str, given: bool, others: Mapping[str, object]) -> None:
    """What would be ignored beside `option` is told instead."""
    if given and (set_ := [name for name, value in others.items() if value]):
        raise BciError(f"{', '.join(set_)} has no meaning with {option}: leave out the one or the other.")


def refuse_without(option: str, given: bool, others: Mapping[str, object]) -> None:
    """What has a meaning with `option` alone is told without it."""
    if not given and (set_ := [name for name, value in others.items() if value]):
        raise BciError(f"{', '.join(set_)} has a meaning with {option} only: add {option}, or leave it out.")
