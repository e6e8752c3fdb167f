"""Which processor does the tensor work."""

from __future__ import annotations

import torch

from bci_live.errors import BciError


def pick_device(name: str) -> torch.device:
    """The device called `name`, or with "auto" the best at hand: CUDA, then MPS, then the CPU.

    Raises
    ------
    BciError
        If the device is unknown or this machine does not have it.
    """
    at_hand = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in at_hand.items() if there))
    if not at_hand.get(name, False):
        usable = ", ".join(kind for kind, there in at_hand.items() if there)
        raise BciError(f"The device '{name}' is not at hand. This machine has: {usable}. Choose one, or auto.")
    return torch.device(name)
