"""The display's filter and common average: arithmetic on a copy, chunk by chunk."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

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


def padded(samples: np.ndarray, channel: int, every: int = 2) -> np.ndarray:
    """As an amplifier sends a slower sensor within a fast stream: no number between its samples."""
    samples = samples.copy()
    samples[np.arange(len(samples)) % every != 1, channel] = np.nan
    return samples


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize("every", [2, 10, 100])
def test_a_slower_sensor_padded_with_what_is_no_number_is_filtered_as_steps(wanted: DisplayFilter, every: int) -> None:
    samples = noise() + 1000
    gappy = padded(samples, 1, every)
    steps = np.repeat(samples[1::every, 1], every)[: len(samples) - 1]
    as_steps = Conditioner(wanted, RATE)(steps[:, None], (), [0])[::every]
    for filtered in (Conditioner(wanted, RATE)(gappy, (), [0, 1, 2]), piecewise(wanted, gappy)):
        np.testing.assert_allclose(filtered[1::every, [1]], as_steps, atol=1e-2)
        np.testing.assert_array_equal(np.isnan(filtered), np.isnan(gappy))
        alone = Conditioner(wanted, RATE)(samples[:, [0, 2]], (), [0, 1])
        np.testing.assert_allclose(filtered[:, [0, 2]], alone, atol=1e-2)


def test_a_padded_sensor_costs_no_more_than_a_few_filterings(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, sosfilt = [], scipy.signal.sosfilt

    def counted(*given: object, **named: object) -> object:
        calls.append(given)
        return sosfilt(*given, **named)

    monkeypatch.setattr(scipy.signal, "sosfilt", counted)
    Conditioner(FILTERS[0], RATE)(padded(noise(), 1), (), [0, 1, 2])
    assert len(calls) <= 3


@settings(deadline=None)  # the first filtering loads SciPy's
@given(st.data())
def test_however_holes_and_chunks_fall_filtering_bit_by_bit_is_filtering_at_once(data: st.DataObject) -> None:
    samples = noise(1000, 2) + 1000
    for channel in range(2):
        for _ in range(data.draw(st.integers(0, 4))):
            start, length = data.draw(st.integers(0, 999)), data.draw(st.integers(1, 400))
            samples[start : start + length, channel] = data.draw(st.sampled_from([np.nan, np.inf]))
    breaks = data.draw(st.sets(st.integers(0, 999), max_size=2))
    cuts = sorted({0, *data.draw(st.sets(st.integers(1, 999), max_size=6)), 1000})
    at_once, bit = Conditioner(FILTERS[0], RATE)(samples, tuple(sorted(breaks)), [0, 1]), Conditioner(FILTERS[0], RATE)
    pieces = [
        bit(samples[a:b], tuple(sorted(it - a for it in breaks if a <= it < b)), [0, 1])
        for a, b in itertools.pairwise(cuts)
    ]
    np.testing.assert_allclose(np.concatenate(pieces), at_once, atol=1e-2)
    np.testing.assert_array_equal(np.isfinite(at_once), np.isfinite(samples))
