"""A stream that comes back is taken back; another one under its name is not."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from bci_live.streams.discovery import find_eeg
from bci_live.streams.inlet import EegInlet
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(90)

PROGRAM = """
import sys, time, numpy as np, pylsl
name, source_id, channels, rate, unit = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
info = pylsl.StreamInfo(name, "EEG", channels, rate, pylsl.cf_float32, source_id)
info.set_channel_labels(["Fp1", "Fp2", "Oz"][:channels] if unit != "swapped" else ["Oz", "Fp2", "Fp1"])
info.set_channel_units("volts" if unit == "volts" else "microvolts")
outlet = pylsl.StreamOutlet(info)
begin, sent = pylsl.local_clock(), 0
while True:
    now = int((pylsl.local_clock() - begin) * rate)
    if now > sent:
        outlet.push_chunk(np.full((now - sent, channels), rate, np.float32), begin + now / rate)
        sent = now
    time.sleep(0.01)
"""


@contextmanager
def sender(
    name: str, source_id: str, channels: int = 3, rate: float = 200.0, described: str = "microvolts"
) -> Iterator[None]:
    command = [sys.executable, "-c", PROGRAM, name, source_id, str(channels), str(rate), described]
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("source_id", "channels", "rate", "described", "sentence"),
    [
        ("same", 3, 400.0, "microvolts", "has come back as 3 channels at 400 Hz instead of 3 channels at 200 Hz"),
        ("same", 2, 200.0, "microvolts", "has come back as 2 channels at 200 Hz instead of 3 channels at 200 Hz"),
        ("same", 3, 200.0, "swapped", "has come back with the channels Oz, Fp2, Fp1 instead of Fp1, Fp2, Oz"),
        ("same", 3, 200.0, "volts", "with the units volts, volts, volts instead of microvolts, microvolts, microvolts"),
        ("other", 3, 200.0, "microvolts", r"has come back from another source \('other.*', not 'same.*'\)"),
    ],
    ids=["another rate", "fewer channels", "other channels", "other units", "another source"],
)
def test_what_comes_back_differently_is_refused_until_the_stream_is_as_it_was(
    source_id: str, channels: int, rate: float, described: str, sentence: str
) -> None:
    name = f"back-{uuid.uuid4()}"
    with ExitStack() as stack:
        with sender(name, f"same-{name}"):
            eeg = stack.enter_context(EegInlet(find_eeg(name, 20)))
            wait_until(lambda: eeg.ring.count > 200, 15, "a second of the stream")
        with sender(name, f"{source_id}-{name}", channels, rate, described):
            wait_until(lambda: bool(eeg.status().error), 20, "the refusal")
            assert re.search(sentence, eeg.status().error)
            assert eeg.status().stale
        with sender(name, f"same-{name}"):
            count = eeg.ring.count
            wait_until(lambda: eeg.ring.count > count + 200, 30, "the stream as it was")
            assert eeg.status().error == ""
            assert eeg.status().breaks == 1
        # Not a sample of the other one is in it.
        assert (eeg.ring.latest(60).samples == 200.0).all()
        assert eeg.status().refused > 0 or source_id == "other" or channels == 2  # those liblsl itself leaves out
