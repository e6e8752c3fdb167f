"""Picks a decoder's channels out of a stream, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bci_live.errors import MontageError


def pick_channels(wanted: Sequence[str], there: Sequence[str], source: str) -> NDArray[np.intp] | slice:
    """Indices into `there` of the channels `wanted`, whatever their case; a slice, which copies nothing, of all in order.

    Raises
    ------
    MontageError
        If channels are missing; the sentence names them.
    """
    places = {name.lower(): index for index, name in reversed(list(enumerate(there)))}
    missing = [name for name in wanted if name.lower() not in places]
    if missing:
        raise MontageError(
            f"The decoder needs the channels {', '.join(missing)}, which '{source}' does not have. "
            f"It has {', '.join(there)}. Train a decoder for this headset: bci-live train SESSION… --out DIR"
        )
    picked = [places[name.lower()] for name in wanted]
    return slice(None) if picked == [*range(len(there))] else np.array(picked, dtype=np.intp)
