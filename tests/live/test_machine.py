"""What the program takes of the machine."""

from __future__ import annotations

import time

import numpy as np

from bci_live.live.machine import Machine


def test_processor_and_memory_are_this_program_s() -> None:
    machine = Machine()
    begin = machine.load()
    assert begin.memory > 10e6
    kept = np.ones(10_000_000)  # 80 MB
    deadline = time.monotonic() + 1.1
    while time.monotonic() < deadline:
        kept.sum()
    load = machine.load()
    assert load.memory - begin.memory > 60e6
    assert load.cpu_percent > 5
    assert machine.load() is load  # within a second, the same look
