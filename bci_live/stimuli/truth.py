"""The picture that was shown with a marker, as far as the marker tells."""

from __future__ import annotations

import json

from bci_live.stimuli.catalogue import Catalogue
from bci_live.stimuli.rendering import Layout, layout_from_dict, render
from bci_live.types import Marker, Picture


def stimulus_of(marker: Marker, catalogue: Catalogue, pixels: int) -> Picture | None:
    """(pixels, pixels, 3), or None for a label that the catalogue does not know.

    The marker's detail may tell the layout, as `{"layout": {…}}`; without one the picture is centred on grey.
    """
    if marker.label not in catalogue:
        return None
    return render(catalogue.picture(marker.label), _layout_of(marker.detail), pixels)


def _layout_of(detail: str) -> Layout:
    # Details come from the network: whatever is no layout is as good as none.
    try:
        told = json.loads(detail) if detail else None
        return layout_from_dict(told["layout"]) if isinstance(told, dict) and "layout" in told else Layout()
    except (ValueError, TypeError, RecursionError):
        return Layout()
