"""What the markers of a recording mean, where the sender sent codes of its own: `1=house,2=face`."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from bci_live.errors import LabelError, some_of
from bci_live.sessions.recording import Recording

_log = logging.getLogger(__name__)


def parse_labels(text: str | None) -> dict[str, str]:
    """`"1=house,2=face"` as a dict; nothing gives an empty one.

    Raises
    ------
    LabelError
        If a part is not of the form MARKER=NAME, or a marker is named twice.
    """
    labels: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in (text or "").split(","))):
        code, equals, name = (piece.strip() for piece in part.partition("="))
        code = _as_told(code)
        if not (equals and code and name):
            raise LabelError(f"'{part}' does not map a marker to a label: write for instance --labels 1=house,2=face")
        if code in labels:
            raise LabelError(f"Marker {code} is mapped twice, to '{labels[code]}' and '{name}': name each marker once.")
        labels[code] = name
    return labels


def _as_told(code: str) -> str:
    """Number markers are told as 1, however their sender writes them: 1.0."""
    return f"{float(code):g}" if re.fullmatch(r"\d+\.0*", code) else code


def named(recording: Recording, labels: Mapping[str, str]) -> Recording:
    """The recording with its markers named by `labels`; those that it does not name (responses, breaks) are left out.

    Raises
    ------
    LabelError
        If none is named; the sentence lists what there is.
    """
    if not labels:
        return recording
    kept = tuple(replace(it, label=labels[it.label]) for it in recording.markers if it.label in labels)
    others = Counter(marker.label for marker in recording.markers if marker.label not in labels)
    told = some_of([f"{label!r} ({count} times)" for label, count in others.most_common()])
    if recording.markers and not kept:
        raise LabelError(f"'{recording.path}' has none of the markers that --labels names. It has: {told}.")
    if others:
        _log.warning("'%s': markers that --labels does not name are left out: %s.", recording.path, told)
    return replace(recording, markers=kept)
