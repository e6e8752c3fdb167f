"""The band that a decoder filters to is the one in which most can be read of runs that were left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from bci_live.config import FilterConfig
from bci_live.signal.filters import design
from bci_live.training.bands import BANDS, held_out_losses, prepare_in_the_best_band
from bci_live.training.preparation import TrainingSet


def examples(amplitude: float) -> TrainingSet:
    """Two runs of 60 trials in noise of 1; the second label has a bump of `amplitude` on the first channel."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 120)
    data = rng.normal(0, 1, (120, 3, 60)).astype(np.float32)
    data[labels == 1, 0, 20:30] += amplitude
    return TrainingSet(
        data, labels, ("face", "house"), {}, np.repeat([0, 1], 60), ("",), np.zeros(120, np.int64),
        np.tile(np.arange(60.0), 2), np.zeros((2, 64, 64, 3), np.uint8), labels,
        ("A", "B", "C"), 100.0, None, False, (),
    )  # fmt: skip


def test_the_band_in_which_the_response_is_largest_is_taken() -> None:
    seen = []

    def prepare(band: FilterConfig) -> TrainingSet:
        seen.append(band)
        return examples(1.0 if band.low_hz == 2.0 else 0.1)

    band, prepared = prepare_in_the_best_band(prepare, BANDS)
    assert seen == list(BANDS)
    assert band.low_hz == 2.0
    assert prepared.data[prepared.labels == 1, 0, 20:30].mean() > 0.8


def test_the_usual_band_stays_where_no_other_is_surely_better() -> None:
    # Each band has noise of its own, so that some other one is a little better by accident.
    noise = np.random.default_rng(7)

    def prepare(band: FilterConfig) -> TrainingSet:
        same = examples(0.8)
        return replace(same, data=(same.data + noise.normal(0, 0.02, same.data.shape)).astype(np.float32))

    assert prepare_in_the_best_band(prepare, BANDS)[0] == FilterConfig()


def test_nothing_to_read_is_as_uncertain_as_a_coin() -> None:
    entropies = [np.mean(list(held_out_losses(examples(amplitude)).values())) for amplitude in (0.0, 1.0)]
    assert entropies[0] == pytest.approx(np.log(2), abs=0.02)
    assert entropies[1] < 0.4


def test_a_band_may_have_a_notch_that_takes_the_mains_out() -> None:
    band = FilterConfig.model_validate("1-90,notch=50")
    assert (band.low_hz, band.high_hz, band.notch_hz) == (1.0, 90.0, 50.0)
    rate, times = 250.0, np.arange(1000) / 250.0
    hum = (20 * np.sin(2 * np.pi * 50 * times)).astype(np.float32)[:, None]
    without = FilterConfig.model_validate("1-90")
    kept, left = (np.abs(design(rate, config).run(hum)[500:]).max() for config in (without, band))
    assert kept > 15
    assert left < 0.05 * kept


@pytest.mark.parametrize("text", ["30", "a-b", "1-30-40", "-1-30", "30-1", "1-30,50", "1-45,notch="])
def test_what_is_no_band_is_told(text: str) -> None:
    with pytest.raises(ValidationError, match=r"band"):
        FilterConfig.model_validate(text)
    assert FilterConfig.model_validate("0.5 - 40") == FilterConfig(low_hz=0.5, high_hz=40)
