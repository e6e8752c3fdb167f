"""What the program takes of the machine: processor, memory, GPU."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import psutil

_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class MachineLoad:
    """`cpu_percent`: of one core, all threads together. `memory`: resident bytes.

    `gpu_percent`: of the last moments, in which it computed; None where its driver does not tell. `gpu_used`, `gpu_total`:
    bytes of its memory. All three are of all programs, and None where no model is on a GPU.
    """

    cpu_percent: float
    memory: int
    gpu_percent: int | None = None
    gpu_used: int | None = None
    gpu_total: int | None = None


class Machine:
    """Asked as often as one likes; it looks once a second. Processor time is that since the look before."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._looked = clock, clock()
        self._process = psutil.Process()
        self._process_s = time.process_time()
        self._load = MachineLoad(0.0, int(self._process.memory_info().rss))

    def load(self) -> MachineLoad:
        """The newest figures."""
        now = self._clock()
        if now - self._looked >= _EVERY_S:
            spent = time.process_time()
            percent = 100 * (spent - self._process_s) / (now - self._looked)
            self._looked, self._process_s = now, spent
            self._load = MachineLoad(percent, int(self._process.memory_info().rss), *_gpu())
        return self._load


def _gpu() -> tuple[int | None, int | None, int | None]:
    # Asking must not load torch: it is there as soon as a model is.
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    if cuda is None or not cuda.is_initialized():
        return None, None, None
    free, total = cuda.mem_get_info()
    return _busy(cuda), int(total - free), int(total)


def _busy(cuda: ModuleType) -> int | None:
    try:
        from pynvml import NVMLError
    except ImportError:
        return None
    try:
        return int(cuda.utilization())
    except (ImportError, RuntimeError, NVMLError):  # another maker's card, or a container without its library
        return None
