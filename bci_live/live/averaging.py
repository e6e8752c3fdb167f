"""The mean over trials of one stimulus: noise shrinks with the root of their number."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import replace

import numpy as np

from bci_live.types import Epoch

MOST = 16
_STIMULI = 500


class TrialMeans:
    """Keeps the last trials of each stimulus, by label and detail: two layouts of one picture are two stimuli."""

    def __init__(self) -> None:
        self._trials: OrderedDict[tuple[str, str], deque[Epoch]] = OrderedDict()

    def mean(self, epoch: Epoch, most: int) -> Epoch:
        """`epoch` with the mean of itself and the trials before it of the same stimulus, `most` together at most."""
        key = (epoch.marker.label, epoch.marker.detail)
        trials = self._trials.setdefault(key, deque(maxlen=MOST))
        self._trials.move_to_end(key)
        while len(self._trials) > _STIMULI:
            self._trials.popitem(last=False)
        trials.append(epoch)
        used = [it.data for it in list(trials)[-most:] if it.data.shape == epoch.data.shape]
        if len(used) < 2:
            return epoch
        return replace(epoch, data=np.mean(used, axis=0, dtype=np.float32), trials=len(used))
