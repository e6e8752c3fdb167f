"""A marker as it is sent: a number, a plain label, or JSON with a label and more. It comes from the network."""

from __future__ import annotations

import json

from bci_live.types import Marker

LONGEST_LABEL = 200
LONGEST_TEXT = 10_000


def parse_marker(value: str | float, time: float, stream: str = "") -> Marker:
    """`{"label": "dog", "layout": …}` becomes the label with the rest as detail; anything else is a label, cut to length.

    A number is labelled by its digits, whole ones without a point: 2.0 is "2", live as in a file.
    """
    text = value if isinstance(value, str) else _digits(float(value))
    if text.startswith("{") and len(text) <= LONGEST_TEXT:
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict) and isinstance(told.get("label"), str):
            label = told.pop("label")
            return Marker(_sendable(label), time, stream, json.dumps(told) if told else "")
    return Marker(_sendable(text.strip()), time, stream)


def _sendable(label: str) -> str:
    """Cut to length, and with "?" for what is no UTF-8: JSON can name half a character, which nothing can send on."""
    return label[:LONGEST_LABEL].encode(errors="replace").decode()


def _digits(number: float) -> str:
    return str(int(number)) if number.is_integer() else str(number)


def marker_text(marker: Marker) -> str:
    """The inverse of `parse_marker`."""
    if not marker.detail:
        return marker.label
    return json.dumps({"label": marker.label, **json.loads(marker.detail)})
