"""The display's filter and common average: arithmetic on a copy, chunk by chunk."""

from __future__ import annotations

import numpy as np
import pytest

from bci_live.window.example import RATE
from bci_live.window.signal.conditioning import Conditioner, DisplayFilter
from tests.window.signal.conftest import noise

FILTERS = [DisplayFilter((1.0, 40.0)), DisplayFilter(notch_hz=50.0)]


def piecewise(wanted: DisplayFilter, samples: np.ndarray, length: int = 100) -> np.ndarray:
    conditioner = Conditioner(wanted, RATE)
    starts = range(0, len(samples), length)
    return np.concatenate([conditioner(samples[k : k + length], (), range(samples.shape[1])) for k in starts])


@pytest.mark.parametrize("wanted", [DisplayFilter((1, 40)), DisplayFilter((1, 200)), DisplayFilter(None, 50.0, True)])
def test_filtering_bit_by_bit_is_filtering_at_once(wanted: DisplayFilter) -> None:
    samples = noise() + 1000
    at_once = Conditioner(wanted, RATE)(samples, (800,), [0, 1, 2])
    bit = Conditioner(wanted, RATE)
    pieces = [bit(samples[k : k + 100], (0,) if k == 800 else (), [0, 1, 2]) for k in range(0, 2500, 100)]
    np.testing.assert_allclose(np.concatenate(pieces), at_once, atol=1e-2)
    assert abs(at_once[0]).max() < 30  # no transient from the offset


def test_the_common_average_is_of_sound_eeg_channels_alone() -> None:
    samples = np.array([[1.0, 3.0, 100.0]], np.float32)
    averaged = Conditioner(DisplayFilter(average=True), RATE)(samples, (), [0, 1])
    assert averaged.tolist() == [[-1.0, 1.0, 100.0]]


@pytest.mark.parametrize("wanted", FILTERS)
def test_a_channel_that_is_never_a_number_changes_nothing_of_the_others(wanted: DisplayFilter) -> None:
    samples = noise() + 1000
    alone = Conditioner(wanted, RATE)(samples[:, [0, 2]], (), [0, 1])
    samples[:, 1] = np.nan
    beside = piecewise(wanted, samples)
    np.testing.assert_allclose(beside[:, [0, 2]], alone, atol=1e-2)
    assert np.isnan(beside[:, 1]).all()


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize("until", [1200, 1230])  # where a chunk ends, and within one
def test_a_channel_that_comes_back_begins_as_if_its_first_number_had_stood_for_ever(
    wanted: DisplayFilter, until: int
) -> None:
    samples = noise() + 1000
    samples[1050:until, 1] = np.inf
    beside = piecewise(wanted, samples)
    anew = Conditioner(wanted, RATE)(samples[until:, [1]], (), [0])
    np.testing.assert_allclose(beside[until:, [1]], anew, atol=1e-2)
    assert np.isfinite(beside[:1050, 1]).all()  # what came before the hole is drawn until it
    assert np.isnan(beside[1050:until, 1]).all()
