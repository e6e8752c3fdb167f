"""The sender of the benchmark, a program of its own: EEG whose first two channels tell what was sent when.

Channel 0 counts the samples; channel 1 holds the seconds from the outlet's beginning until its chunk was pushed. A marker
of the number 1 falls on every `stride`-th sample. It sends until it is killed.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict, dataclass

import numpy as np
import pylsl

EVENT = "picture"
_NOISE_ROWS = 4096


@dataclass(frozen=True, slots=True)
class SenderPlan:
    """What is sent. `rate`: Hz. `chunk`: samples a push. `stride`: samples between two markers. `streams`: alike, of EEG.

    `begin`: when sample 0 is taken, s of the LSL clock, which all processes of a machine share.
    """

    name: str
    channels: int
    rate: float
    chunk: int
    stride: int
    streams: int
    begin: float

    def eeg_name(self, stream: int = 0) -> str:
        """The name of an EEG stream; its source id is the same."""
        return f"{self.name}-{stream}"

    @property
    def marker_name(self) -> str:
        """The name of the marker stream; its source id is the same."""
        return f"{self.name}-markers"

    def arguments(self) -> list[str]:
        """The command line that `main` understands."""
        return [sys.executable, "-m", __name__, *(str(value) for value in asdict(self).values())]


def main() -> None:
    """The command line: the values of a `SenderPlan`. Ends with the process that started it."""
    name, channels, rate, chunk, stride, streams, begin = sys.argv[1:]
    plan = SenderPlan(name, int(channels), float(rate), int(chunk), int(stride), int(streams), float(begin))
    parent = os.getppid()
    outlets = [pylsl.StreamOutlet(_eeg_info(plan, stream), plan.chunk) for stream in range(plan.streams)]
    markers = pylsl.StreamOutlet(_marker_info(plan))
    noise = np.random.default_rng(0).normal(0, 20, (_NOISE_ROWS, plan.channels)).astype(np.float32)
    first = 0
    while os.name != "posix" or os.getppid() == parent:
        counts = np.arange(first, first + plan.chunk)
        samples = noise[counts % _NOISE_ROWS]
        samples[:, 0] = counts
        last = plan.begin + counts[-1] / plan.rate
        time.sleep(max(0.0, last - pylsl.local_clock()))
        samples[:, 1] = pylsl.local_clock() - plan.begin
        for outlet in outlets:
            outlet.push_chunk(samples, last)
        for count in counts[counts % plan.stride == 0].tolist():
            markers.push_sample([1], plan.begin + count / plan.rate)
        first += plan.chunk


def _eeg_info(plan: SenderPlan, stream: int) -> pylsl.StreamInfo:
    name = plan.eeg_name(stream)
    info = pylsl.StreamInfo(name, "EEG", plan.channels, plan.rate, pylsl.cf_float32, name)
    channels = info.desc().append_child("channels")
    for number in range(plan.channels):
        channel = channels.append_child("channel")
        channel.append_child_value("label", f"E{number}")
        channel.append_child_value("unit", "microvolts")
        channel.append_child_value("type", "eeg")
    return info


def _marker_info(plan: SenderPlan) -> pylsl.StreamInfo:
    info = pylsl.StreamInfo(plan.marker_name, "Markers", 1, 0.0, pylsl.cf_int32, plan.marker_name)
    channel = info.desc().append_child("channels").append_child("channel")
    channel.append_child_value("label", EVENT)
    channel.append_child_value("unit", "none")
    channel.append_child_value("type", "stim")
    return info


if __name__ == "__main__":
    main()
