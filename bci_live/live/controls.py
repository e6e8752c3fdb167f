"""What can be chosen while a session runs: how pictures are drawn, and by which models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bci_live.config import KNOWN_PIPELINES, DiffusionConfig, bundled


@dataclass(frozen=True, slots=True)
class DrawingChoice:
    """How the next pictures are drawn; the session goes on.

    `free_seed`: another seed for each picture. `averaged`: the decoder reads the mean of so many trials of one stimulus at most.
    `every_s`: windows are cut at such intervals without markers, too; None for markers alone. `anytime`: guess while a
    window still fills.
    """

    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    free_seed: bool = False
    averaged: int = 1
    every_s: float | None = None
    anytime: bool = True


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which models, on which device; the session begins anew with them."""

    decoder: Path
    pipeline: str
    device: str = "auto"


def known_decoders(current: Path) -> list[Path]:
    """Folders of decoders: the one in use, those that ship, and those beside here."""
    return _folders("decoder.json", (current,))


def known_pipelines(current: str) -> list[str]:
    """The one in use, folders that ship or lie beside here, and the big ones by their short names."""
    folders = [path.as_posix() for path in _folders("model_index.json", (Path(current),))]
    return list(dict.fromkeys((*folders, *KNOWN_PIPELINES)))


def _folders(mark: str, first: Iterable[Path]) -> list[Path]:
    found = [path.parent for root in (bundled("models"), Path()) for path in sorted(root.glob(f"*/{mark}"))]
    return list({path.resolve(): path for path in (*reversed(found), *first)}.values())[::-1]
