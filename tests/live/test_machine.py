"""What the program takes of the machine."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pynvml
import pytest

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


@pytest.mark.parametrize("tells", [True, False])
def test_a_gpu_is_told_with_its_memory_and_how_busy_it_is_if_the_driver_tells_that(tells: bool) -> None:
    """No test machine has one: it is made up, with the error that a driver without its library gives."""

    def utilization() -> int:
        if not tells:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)
        return 34

    cuda = SimpleNamespace(
        is_initialized=lambda: True, mem_get_info=lambda: (78e9, 80e9), utilization=utilization
    )  # fmt: skip
    now = [0.0]
    machine = Machine(lambda: now[0])
    assert machine.load().gpu_used is None
    now[0] = 2.0
    with patch.dict(sys.modules, torch=SimpleNamespace(cuda=cuda)):
        load = machine.load()
    assert (load.gpu_percent, load.gpu_used, load.gpu_total) == (34 if tells else None, 2_000_000_000, 80_000_000_000)
