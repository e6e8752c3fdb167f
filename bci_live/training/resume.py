"""A training that was killed goes on: what its phases gave lies beside the decoder to be, until that is whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

import bci_live
from bci_live.training.processes import Processes

Tensors = dict[str, Tensor]


class Resume:
    """The phases of one training: a safetensors file each, with the key of the training that wrote it.

    A file of another key, of other data or settings that is, or one that cannot be read, counts as absent.
    """

    def __init__(self, folder: Path, key: str, processes: Processes) -> None:
        self._folder, self._key, self._processes = folder, key, processes
        found = {path.stem: self._read(path) for path in sorted(folder.glob("*.safetensors"))}
        whole = {phase: tensors for phase, tensors in found.items() if tensors is not None}
        # All processes have to skip the same phases, also where they see different disks.
        self._found = processes.from_main(whole)
        if not self._found:
            self.forget()

    @property
    def goes_on(self) -> bool:
        """Whether an earlier run of this training was interrupted."""
        return bool(self._found)

    def recall(self, phase: str) -> Tensors | None:
        """What an earlier run kept of the phase."""
        return self._found.get(phase)

    def keep(self, phase: str, tensors: Tensors) -> None:
        """Write a phase's state; killed in the middle, the one before is still in force."""
        if not self._processes.is_main:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f".{phase}.new"
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(whole, fresh, metadata={"key": self._key})
        os.replace(fresh, self._folder / f"{phase}.safetensors")

    def once(self, phase: str, make: Callable[[], Tensors]) -> Tensors:
        """What the phase gave, now or in an earlier run."""
        tensors = self.recall(phase)
        if tensors is None:
            tensors = make()
            self.keep(phase, tensors)
        return tensors

    def forget(self) -> None:
        """The decoder is whole."""
        if self._processes.is_main:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self, path: Path) -> Tensors | None:
        try:
            with safe_open(path, "pt") as file:
                if (file.metadata() or {}).get("key") != self._key:
                    return None
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        except (OSError, SafetensorError):
            return None


def key_of(*parts: str | Tensor) -> str:
    """SHA-256 of all that the result depends on, the versions of torch and of this program included."""
    digest = hashlib.sha256(f"{bci_live.__version__}, torch {torch.__version__}".encode())
    for part in parts:
        data = part.encode() if isinstance(part, str) else part.cpu().contiguous().numpy().tobytes()
        digest.update(f"\n{len(data)}:".encode() + data)
    return digest.hexdigest()


def prefixed(prefix: str, tensors: Tensors) -> Tensors:
    """The names with `prefix.` before them."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def unprefixed(prefix: str, tensors: Tensors) -> Tensors:
    """Those of the names that `prefixed` gave it, without it."""
    start = f"{prefix}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Tensors:
    """The moments and step counts of an optimiser all of whose state is tensors, as Adam's is."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{name}": tensor for index, of_one in state.items() for name, tensor in of_one.items()}


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Put back what `optimizer_tensors` gave; the learning rates stay as they are."""
    state: dict[int, Tensors] = {}
    for name, tensor in tensors.items():
        index, field = name.split(".", 1)
        state.setdefault(int(index), {})[field] = tensor
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
