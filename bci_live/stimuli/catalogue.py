"""The stimulus catalogue: label → picture and caption.

Labels come in over the network: they are looked up here and never become part of a path.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from PIL import Image

from bci_live.errors import LabelError
from bci_live.types import Picture

PICTURE_PIXELS = 256
_PICTURES = files("bci_live.stimuli") / "pictures"


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One picture of the catalogue: its label, the file that holds it, and the noun of its caption."""

    label: str
    file: str
    noun: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The pictures that can be shown, by label."""

    stimuli: MappingProxyType[str, Stimulus]

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, in the order of `classes.csv`."""
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

    def picture(self, label: str) -> Picture:
        """(256, 256, 4) RGBA, straight alpha, read-only; decoded once."""
        return _decode(self[label].file)


@cache
def load_catalogue() -> Catalogue:
    """The 40 pictures that ship with the package."""
    table = (_PICTURES / "classes.csv").read_text(encoding="utf-8").splitlines()
    rows = [Stimulus(row["label"], row["file"], row["caption"]) for row in csv.DictReader(table)]
    return Catalogue(MappingProxyType({row.label: row for row in rows}))


@lru_cache(maxsize=256)
def _decode(file: str) -> Picture:
    with (_PICTURES / file).open("rb") as stream:
        picture = np.array(Image.open(stream).convert("RGBA"))
    picture.setflags(write=False)
    return picture
