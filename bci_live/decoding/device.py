"""Which processor does the tensor work."""

from __future__ import annotations

import torch

from bci_live.errors import BciError


def devices_at_hand() -> tuple[str, ...]:
    """What this machine has, the best first."""
    at_hand = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return tuple(kind for kind, there in at_hand.items() if there)


def pick_device(name: str) -> torch.device:
    """The device called `name`, or with "auto" the best at hand: CUDA, then MPS, then the CPU.

    Raises
    ------
    BciError
        If the device is unknown or this machine does not have it.
    """
    at_hand = devices_at_hand()
    if name == "auto":
        return torch.device(at_hand[0])
    if name not in at_hand:
        raise BciError(
            f"The device '{name}' is not at hand. This machine has: {', '.join(at_hand)}. Choose one, or auto."
        )
    return torch.device(name)
