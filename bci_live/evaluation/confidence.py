"""Whether a decoder is right as often as it says, on trials that it had not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bci_live.evaluation.reading import Trials

_GROUPS = 10
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Confidence:
    """`said`: mean confidence. `right`: how often the most probable label was right.

    `calibration_error`: mean distance of the two over ten groups of trials alike in confidence (Naeini et al. 2015).
    `log_loss`: mean cross-entropy, nats. `sure`: share of the trials for which a picture is drawn, the decoder being sure
    enough; `right_when_sure`: how often these were right, None where there are none.
    """

    said: float
    right: float
    calibration_error: float
    log_loss: float
    sure: float
    right_when_sure: float | None


def confidence_of(trials: Trials) -> Confidence:
    """Of all trials together."""
    read, labels = trials.probabilities, trials.labels
    said, right = read.max(axis=1), (read.argmax(axis=1) == labels).astype(float)
    groups = np.array_split(np.argsort(said, kind="stable"), min(_GROUPS, len(said)))
    error = sum(len(group) * abs(said[group].mean() - right[group].mean()) for group in groups) / len(said)
    sure = np.array([not decoding.abstained for decoding in trials.decodings])
    return Confidence(
        said=float(said.mean()),
        right=float(right.mean()),
        calibration_error=float(error),
        log_loss=float(-np.log(np.maximum(read[np.arange(len(labels)), labels], _LEAST)).mean()),
        sure=float(sure.mean()),
        right_when_sure=float(right[sure].mean()) if sure.any() else None,
    )
