"""Classifiers of `braindecode.models`, by name. Needs the extra `braindecode`."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from bci_live.errors import DecoderError


def check_classifier(name: str) -> None:
    """Whether braindecode is there and knows the name.

    Raises
    ------
    DecoderError
        If not.
    """
    known = _classifiers()
    if name not in known:
        raise DecoderError(
            f"braindecode has no model '{name}'. It has: {', '.join(sorted(known))}. Choose one: --encoder braindecode:NAME"
        )


def classifier(name: str, *, channels: int, times: int, rate: float, outputs: int) -> nn.Module:
    """The model, untrained: (n, channels, times) → (n, outputs). `rate`: Hz.

    Raises
    ------
    DecoderError
        If braindecode is absent or does not know the model, or the model cannot read such epochs.
    """
    check_classifier(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that the models adapt to short windows
            network: nn.Module = _classifiers()[name](n_chans=channels, n_times=times, sfreq=rate, n_outputs=outputs)
            with torch.no_grad():
                read = network.eval()(torch.zeros(2, channels, times))
        why = "" if getattr(read, "shape", None) == (2, outputs) else "it gives something else than one vector an epoch"
    except (ValueError, RuntimeError, TypeError, AssertionError, IndexError, ZeroDivisionError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
    if why:
        raise DecoderError(
            f"The encoder braindecode:{name} cannot read epochs of {channels} channels × {times} samples at {rate:g} Hz: "
            f"{why[:200].rstrip('.')}. Choose another, for instance --encoder braindecode:EEGNet"
        )
    return network.train()


def _classifiers() -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of optional parts that it does without
            from braindecode.models import util
    # Beside a torchaudio made for another torch (CUDA beside CPU), its import ends with OSError.
    except (ImportError, OSError) as error:
        raise DecoderError(
            f"braindecode cannot be used ({error}). Install it with: pip install 'bci_live[braindecode]', and torchaudio "
            "of the same kind (CPU or CUDA) as torch."
        ) from error
    known: dict[str, Any] = util.models_dict
    return known
