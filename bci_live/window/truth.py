"""The picture that was shown with a marker, drawn once."""

from __future__ import annotations

from collections import OrderedDict

from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.truth import stimulus_of
from bci_live.types import Marker, Picture

_KEPT = 64


class Truths:
    """Stimulus pictures by marker: the newest few are kept. A marker that the catalogue does not know has None."""

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._known: OrderedDict[Marker, Picture | None] = OrderedDict()

    def of(self, marker: Marker) -> Picture | None:
        """(pixels, pixels, 3), or None where it is not known what was shown."""
        if marker not in self._known:
            self._known[marker] = stimulus_of(marker, load_catalogue(), self._pixels)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return self._known[marker]
