"""Which live streams are taken, and which are refused with a sentence."""

from __future__ import annotations

import re
import uuid

import pylsl
import pytest

from bci_live.errors import StreamError
from bci_live.streams.discovery import find_eeg, find_markers


@pytest.mark.parametrize("rate", [1e9, 1e-300])
def test_a_stream_with_a_rate_that_no_amplifier_has_is_refused_with_its_value(rate: float) -> None:
    name = f"test-{uuid.uuid4()}"
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", 2, rate, pylsl.cf_float32, name))
    with pytest.raises(StreamError, match=re.escape(f"'{name}' is no EEG stream: its rate is {rate:g} Hz")):
        find_eeg(name, 15)
    del outlet


def test_numbers_without_a_rate_are_markers_when_their_type_says_so() -> None:
    name = f"test-{uuid.uuid4()}"
    outlets = [
        pylsl.StreamOutlet(pylsl.StreamInfo(f"{name}-{kind}", kind, 1, 0, pylsl.cf_int32, f"{name}-{kind}"))
        for kind in ("Stimulus", "Pulse")
    ]
    assert find_markers(f"{name}-Stimulus", 15).type() == "Stimulus"
    with pytest.raises(StreamError, match="numbers of the type 'Pulse'"):
        find_markers(f"{name}-Pulse", 15)
    del outlets


def two_of_one_name(ids: tuple[str, str], name: str) -> list[pylsl.StreamOutlet]:
    return [pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", 2, 250, pylsl.cf_float32, source)) for source in ids]


def test_of_two_streams_of_one_name_the_sentence_names_a_way_that_works() -> None:
    name = f"test-{uuid.uuid4()}"
    outlets = two_of_one_name((f"{name}-a", f"{name}-b"), name)
    with pytest.raises(StreamError, match="Name one with --stream-id SOURCE"):
        find_eeg(name, 15)
    assert find_eeg(name, 15, f"{name}-a").source_id() == f"{name}-a"
    del outlets


def test_two_streams_of_one_source_cannot_be_told_apart_by_it() -> None:
    name = f"test-{uuid.uuid4()}"
    outlets = two_of_one_name((name, name), name)
    with pytest.raises(
        StreamError, match="the same source id, so that none of them can be named: end all but one"
    ) as refused:
        find_eeg(name, 15)
    assert "--stream-id" not in str(refused.value)
    del outlets
