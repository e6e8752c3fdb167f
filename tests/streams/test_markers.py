"""Markers come from the network: whatever they hold, they become a label."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bci_live.streams.markers import LONGEST_LABEL, marker_text, parse_marker


def test_json_with_a_label_keeps_the_rest_as_detail() -> None:
    marker = parse_marker('{"label": "dog", "layout": {"x": 0.4}}', 1.0, "stimuli")
    assert (marker.label, marker.detail) == ("dog", '{"layout": {"x": 0.4}}')
    assert parse_marker(marker_text(marker), 1.0, "stimuli") == marker


def test_plain_text_is_the_label() -> None:
    assert parse_marker("face", 1.0).label == "face"


@pytest.mark.parametrize(("number", "label"), [(2, "2"), (2.0, "2"), (1_234_567.0, "1234567"), (0.5, "0.5")])
def test_a_number_is_labelled_by_its_digits(number: float, label: str) -> None:
    assert parse_marker(number, 1.0).label == label


def test_half_a_character_becomes_one_that_can_be_sent() -> None:
    marker = parse_marker('{"label": "\\ud800dog", "hue": "\\ud800"}', 1.0)
    assert marker.label == "?dog"
    assert parse_marker(marker_text(marker), 1.0) == marker
    assert parse_marker("\ud800dog", 1.0).label == "?dog"
    assert parse_marker('{"label": "\\ud83d\\udc15"}', 1.0).label == "🐕"


@given(st.text(max_size=3000) | st.text(max_size=50).map(lambda inside: "{" + inside))
def test_no_text_raises_and_no_label_is_long(text: str) -> None:
    marker = parse_marker(text, 0.0)
    assert len(marker.label) <= LONGEST_LABEL
    marker_text(marker).encode()
