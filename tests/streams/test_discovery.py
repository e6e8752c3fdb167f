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
