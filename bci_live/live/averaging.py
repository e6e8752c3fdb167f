"""The mean over trials of one stimulus: noise shrinks with the root of their number."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from bci_live.types import Epoch

MOST = 16
# Trials are looked for among so many before; each is an epoch that stays in memory.
_BACK = 100


class TrialMeans:
    """Keeps the last trials. A stimulus is known by label and detail: two layouts of one picture are two stimuli."""

    def __init__(self) -> None:
        self._trials: deque[Epoch] = deque(maxlen=_BACK)

    def mean(self, epoch: Epoch, most: int) -> Epoch:
        """`epoch` with the mean of itself and the trials before it of the same stimulus, `most` together at most."""
        self._trials.append(epoch)
        same = [
            it.data for it in self._trials if _stimulus(it) == _stimulus(epoch) and it.data.shape == epoch.data.shape
        ]
        used = same[-most:]
        if len(used) < 2:
            return epoch
        return replace(epoch, data=np.mean(used, axis=0, dtype=np.float32), trials=len(used), single=epoch.data)


def _stimulus(epoch: Epoch) -> tuple[str, str]:
    return epoch.marker.label, epoch.marker.detail
