"""The text of a marker: a plain label, or JSON with a label and what else the sender tells. It comes from the network."""

from __future__ import annotations

import json

from bci_live.types import Marker

LONGEST_LABEL = 200
LONGEST_TEXT = 10_000


def parse_marker(text: str, time: float, stream: str = "") -> Marker:
    """`{"label": "dog", "layout": …}` becomes the label with the rest as detail; anything else is a label, cut to length."""
    if text.startswith("{") and len(text) <= LONGEST_TEXT:
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict) and isinstance(told.get("label"), str):
            label = told.pop("label")
            return Marker(label[:LONGEST_LABEL], time, stream, json.dumps(told) if told else "")
    return Marker(text.strip()[:LONGEST_LABEL], time, stream)


def marker_text(marker: Marker) -> str:
    """The inverse of `parse_marker`."""
    if not marker.detail:
        return marker.label
    return json.dumps({"label": marker.label, **json.loads(marker.detail)})
