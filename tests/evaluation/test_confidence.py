"""Whether a decoder is right as often as it says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bci_live.evaluation.confidence import confidence_of


def trials(said: float, right: float, sure: float = 1.0, count: int = 10_000) -> Any:
    """Of two labels; the confidence is `said` with some spread, `right` of the trials are read right, the last ones abstain."""
    rng = np.random.default_rng(0)
    top = np.clip(rng.normal(said, 0.03, count), 0.5, 1.0)
    read = np.stack([top, 1 - top], axis=1)
    labels = (rng.uniform(size=count) > right).astype(np.int64)
    decodings = [SimpleNamespace(abstained=k >= sure * count) for k in range(count)]
    return SimpleNamespace(probabilities=read, labels=labels, decodings=decodings)


def test_a_decoder_that_is_right_as_often_as_it_says_has_a_small_error() -> None:
    told = confidence_of(trials(0.7, 0.7))
    assert told.said == pytest.approx(0.7, abs=0.01)
    assert told.right == pytest.approx(0.7, abs=0.02)
    assert told.calibration_error < 0.03
    assert (told.sure, told.right_when_sure) == (1.0, told.right)


def test_one_that_promises_too_much_is_found_out() -> None:
    good, bad = confidence_of(trials(0.7, 0.7)), confidence_of(trials(0.9, 0.7))
    assert bad.calibration_error == pytest.approx(0.2, abs=0.05)
    assert bad.log_loss > good.log_loss + 0.05


def test_of_what_it_is_sure_it_is_judged_apart() -> None:
    told = confidence_of(trials(0.7, 0.7, sure=0.25))
    assert told.sure == 0.25
    assert confidence_of(trials(0.7, 0.7, sure=0.0)).right_when_sure is None
