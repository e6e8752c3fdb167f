"""The stimulus catalogue: label → picture and caption.

Labels come in over the network: they are looked up here and never become part of a path.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
from PIL import Image

from bci_live.errors import LabelError
from bci_live.types import Picture

PICTURE_PIXELS = 256
SetName = Literal["objects", "gratings", "others"]
_SHIPPED: tuple[SetName, ...] = ("objects", "gratings")
_PICTURES = Path(__file__).parent / "pictures"


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One picture of the catalogue: its label, the file that holds it, the noun of its caption, the set it belongs to."""

    label: str
    file: str
    noun: str
    set: SetName


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The pictures that can be shown, by label; they lie in `folder`."""

    stimuli: MappingProxyType[str, Stimulus]
    folder: Path = _PICTURES

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, the objects in the order of `objects.csv` first."""
        return tuple(self.stimuli)

    def __contains__(self, label: object) -> bool:
        return label in self.stimuli

    def __getitem__(self, label: str) -> Stimulus:
        """The stimulus of that label.

        Raises
        ------
        LabelError
            If the catalogue has no such label.
        """
        stimulus = self.stimuli.get(label)
        if stimulus is None:
            raise LabelError(
                f"The stimulus catalogue does not know the label {label!r}. It has: {', '.join(self.labels)}."
            )
        return stimulus

    def caption(self, label: str) -> str:
        """The caption of a label's picture: 'An image of a dog'."""
        noun = self[label].noun
        return f"An image of {'an' if noun[0] in 'aeiou' else 'a'} {noun}"

    def around(self, labels: Iterable[str]) -> Catalogue:
        """The sets to which these labels belong, whole: what one of them could be taken for."""
        sets = {self[label].set for label in labels}
        return replace(
            self, stimuli=MappingProxyType({name: it for name, it in self.stimuli.items() if it.set in sets})
        )

    @property
    def looks(self) -> tuple[int, ...]:
        """For each label the index of the first one that looks the same: a screen is a screen after whatever."""
        files = [stimulus.file for stimulus in self.stimuli.values()]
        return tuple(map(files.index, files))

    def picture(self, label: str) -> Picture:
        """(256, 256, 4) RGBA, straight alpha, read-only; decoded once."""
        return _decode(self.folder / self[label].file)


@cache
def load_catalogue(only: SetName | None = None) -> Catalogue:
    """What ships with the package: 40 objects, and the gratings of the positive control (coarse, fine, and the screen
    after each); or one of the two sets.
    """
    rows = [row for name in _SHIPPED if only in (None, name) for row in _read_set(name)]
    return Catalogue(MappingProxyType({row.label: row for row in rows}))


def _read_set(name: SetName) -> list[Stimulus]:
    table = (_PICTURES / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    return [Stimulus(row["label"], row["file"], row["caption"], name) for row in csv.DictReader(table)]


def read_others(folder: Path) -> Catalogue:
    """The pictures named in a folder's `names.csv` (columns `file`, `name`) that lie in its `images`, without those that ship.

    Raises
    ------
    LabelError
        If the table cannot be read.
    """
    images = folder / "images"
    known = {it.file for it in load_catalogue().stimuli.values()}
    try:
        rows = list(csv.DictReader((folder / "names.csv").read_text(encoding="utf-8").splitlines()))
        # A name only: what a table says must not lead out of its folder.
        others = [Stimulus(row["name"], Path(row["file"]).name, row["name"], "others") for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabelError(f"'{folder}' has no readable names.csv with the columns file and name ({error}).") from error
    return Catalogue(
        MappingProxyType({it.label: it for it in others if it.file not in known and (images / it.file).is_file()}),
        images,
    )


@lru_cache(maxsize=256)
def _decode(file: Path) -> Picture:
    with file.open("rb") as stream:
        picture = np.array(Image.open(stream).convert("RGBA"))
    picture.setflags(write=False)
    return picture
