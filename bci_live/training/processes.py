"""The processes that train one decoder together, by way of Hugging Face Accelerate; alone, it is one.

Each has the same networks, learns from batches of its own, and steps by the mean of all gradients. So the networks stay the
same, and whatever is computed from them, too; files are the main process's alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, reduce
from torch import Tensor, nn

from bci_live.decoding.device import pick_device

Value = TypeVar("Value")
# Far from any seed that a user would try next.
_STRIDE = 1_000_003


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among its fellows: `rank` of `count`, and the `device` that is its own."""

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def autocast(self) -> torch.autocast:
        """bfloat16 where tensor cores make it fast (CUDA); elsewhere nothing, so that the CPU keeps its bits."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def diverge(self, seed: int) -> np.random.Generator:
        """From here on, random numbers of its own in each process; in the main one torch's go on as they were."""
        if self.rank:
            torch.manual_seed(seed + _STRIDE * self.rank)
        return np.random.default_rng(seed + _STRIDE * self.rank)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Call between `backward` and the optimiser's step."""
        self._average([it.grad for it in parameters if it.grad is not None])

    def average_buffers(self, network: nn.Module) -> None:
        """What batch normalisation has measured, each process on its own batches."""
        self._average([buffer for buffer in network.buffers() if buffer.is_floating_point()])

    def mean(self, value: float) -> float:
        """Over the processes: for what decides how long they go on, which has to be the same in all of them."""
        if self.count == 1:
            return value
        mean: Tensor = reduce(torch.tensor(value, device=self.device), "mean")
        return mean.item()

    def from_main(self, value: Value) -> Value:
        """The main process's value, in all of them; each waits for the others."""
        if self.count > 1:
            value = broadcast_object_list([value])[0]
        return value

    def _average(self, tensors: list[Tensor]) -> None:
        if self.count == 1 or not tensors:
            return
        flat = reduce(torch.cat([tensor.flatten() for tensor in tensors]), "mean")
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))


def join(device: str) -> Processes:
    """The processes that `accelerate launch` started, each with its device; without it this one, on `device`.

    Raises
    ------
    BciError
        If the device is unknown or this machine does not have it.
    """
    chosen = pick_device(device)
    state = PartialState(cpu=chosen.type == "cpu")
    if state.num_processes == 1:
        return Processes(chosen)
    return Processes(state.device, state.process_index, state.num_processes)


def is_main_process() -> bool:
    """Whether this is the one that writes and prints."""
    return bool(PartialState().is_main_process)
