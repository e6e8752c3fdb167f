"""Which live streams are taken, and which are refused with a sentence."""

from __future__ import annotations

import re
import uuid

import pylsl
import pytest

from bci_live.errors import StreamError
from bci_live.streams.discovery import find_eeg


@pytest.mark.parametrize("rate", [1e9, 1e-300])
def test_a_stream_with_a_rate_that_no_amplifier_has_is_refused_with_its_value(rate: float) -> None:
    name = f"test-{uuid.uuid4()}"
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", 2, rate, pylsl.cf_float32, name))
    with pytest.raises(StreamError, match=re.escape(f"'{name}' is no EEG stream: its rate is {rate:g} Hz")):
        find_eeg(name, 15)
    del outlet
