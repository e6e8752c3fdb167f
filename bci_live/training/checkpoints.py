"""Checkpoints of a training that can be killed at any moment and goes on from the last one."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from bci_live.errors import DiffusionError


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training has come: steps made, seconds spent in them over all its runs."""

    step: int = 0
    seconds: float = 0.0


class Checkpoint:
    """One training's state in a folder: `progress.json` names the newest complete pair of files.

    Weights and the averaged weights are safetensors; the optimiser's state is read with `weights_only=True`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = folder / "progress.json"

    def save(self, progress: Progress, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write everything, then switch to it; an interruption leaves the previous checkpoint in force."""
        self._folder.mkdir(parents=True, exist_ok=True)
        weights, state = self._files(progress.step)
        save_file(_prefixed("model", model) | _prefixed("average", average), weights)
        torch.save(optimizer.state_dict(), state)
        fresh = self._index.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(progress)))
        os.replace(fresh, self._index)
        for old in self._folder.glob("step-*"):
            if old not in (weights, state):
                old.unlink()

    def load(self, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
        """Restore the newest checkpoint into the three; without one they stay as they are and progress is zero.

        Raises
        ------
        DiffusionError
            If it is of another network.
        """
        if not self._index.exists():
            return Progress()
        progress = Progress(**json.loads(self._index.read_text()))
        weights, state = self._files(progress.step)
        tensors = load_file(weights)
        for prefix, module in (("model", model), ("average", average)):
            start = f"{prefix}."
            kept = {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
            if {name: it.shape for name, it in kept.items()} != {n: it.shape for n, it in module.state_dict().items()}:
                raise DiffusionError(
                    f"The checkpoint in '{self._folder}' is of another network than the one that is trained. Name another folder "
                    "with --work, or delete it."
                )
            module.load_state_dict(kept)
        optimizer.load_state_dict(torch.load(state, weights_only=True, map_location="cpu"))
        return progress

    def _files(self, step: int) -> tuple[Path, Path]:
        return self._folder / f"step-{step}.safetensors", self._folder / f"step-{step}.optimizer.pt"


def _prefixed(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor.contiguous() for name, tensor in module.state_dict().items()}
