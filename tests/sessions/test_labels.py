"""Markers that are codes of the sender get names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bci_live.errors import LabelError
from bci_live.sessions.labels import named, parse_labels
from bci_live.sessions.recording import Recording
from bci_live.types import Marker

from .conftest import make_facts


def _recording(*labels: str) -> Recording:
    markers = tuple(Marker(label, float(time)) for time, label in enumerate(labels))
    return Recording(make_facts(), np.zeros((4, 2), np.float32), np.arange(4.0), markers, Path("session.edf"))


def test_labels_are_parsed_and_their_mistakes_named() -> None:
    assert parse_labels(" 1=house, Stimulus/S  2 = face,") == {"1": "house", "Stimulus/S  2": "face"}
    assert parse_labels("1.0=house,2.=face") == {"1": "house", "2": "face"}  # as a sender of floats writes them
    assert parse_labels("") == {}
    with pytest.raises(LabelError, match="'face' does not map"):
        parse_labels("1=house,face")
    with pytest.raises(LabelError, match="mapped twice"):
        parse_labels("1=house,1=face")


def test_named_markers_keep_their_time_and_the_others_are_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    recording = named(_recording("1", "Response", "2", "Response"), {"1": "house", "2": "face"})
    assert recording.markers == (Marker("house", 0.0), Marker("face", 2.0))
    assert "'session.edf': markers that --labels does not name are left out: 'Response' (2 times)." in caplog.text


def test_when_none_is_named_what_there_is_is_listed() -> None:
    with pytest.raises(LabelError, match=r"'session.edf' has none of the markers .* It has: '7' \(2 times\)"):
        named(_recording("7", "7"), {"1": "house"})
    assert named(_recording("face"), {}).markers == (Marker("face", 0.0),)
