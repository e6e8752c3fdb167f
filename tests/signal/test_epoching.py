"""Epochs: causal, of the right length, dependent on their own samples alone."""

from __future__ import annotations

import numpy as np
import pytest

from bci_live.config import EpochConfig, FilterConfig
from bci_live.errors import MontageError
from bci_live.signal.epoching import EpochPlan, Prepared, artefact, make_epoch
from bci_live.signal.montage import Montage
from bci_live.types import StreamFacts

PLAN = EpochPlan(250.0, 250.0, FilterConfig(), EpochConfig())


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10, (n, 3)).astype(np.float32)


def test_an_epoch_has_the_window_of_its_configuration() -> None:
    assert (PLAN.before, PLAN.after, PLAN.n_times) == (525, 200, 225)
    assert PLAN.times[25] == 0
    epoch = PLAN.prepare(noise(PLAN.before + PLAN.after))
    assert epoch.shape == (3, 225)
    assert epoch.dtype == np.float32
    np.testing.assert_allclose(epoch[:, PLAN.times < 0].mean(axis=1), 0, atol=1e-5)


def test_the_filter_is_causal() -> None:
    samples = noise(PLAN.before + PLAN.after)
    changed = samples.copy()
    changed[PLAN.before + 100 :] += 50
    same = PLAN.prepare(samples)[:, : 25 + 100]
    np.testing.assert_array_equal(PLAN.prepare(changed)[:, : 25 + 100], same)


@pytest.mark.parametrize("until_s", [0.004, 0.25, 0.4, 0.796])
@pytest.mark.parametrize("baseline", [True, False])
def test_the_beginning_of_a_window_is_to_the_bit_the_beginning_of_its_epoch(until_s: float, baseline: bool) -> None:
    whole = EpochPlan(250.0, 250.0, FilterConfig(notch_hz=50.0), EpochConfig(baseline=baseline))
    beginning = whole.until(until_s)
    samples = noise(whole.before + whole.after)
    early = beginning.prepare(samples[: beginning.before + beginning.after])
    assert early.shape == (3, 25 + round(until_s * 250))
    np.testing.assert_array_equal(early, whole.prepare(samples)[:, : early.shape[1]])


@pytest.mark.parametrize("rate", [256.0, 500.0, 1000.0])
def test_the_beginning_of_a_resampled_window_differs_in_its_last_sample_at_most(rate: float) -> None:
    whole = EpochPlan(rate, 250.0, FilterConfig(), EpochConfig())
    beginning = whole.until(0.25)
    samples = noise(whole.before + whole.after)
    early = beginning.prepare(samples[: beginning.before + beginning.after])
    late = whole.prepare(samples)[:, : early.shape[1]]
    # The end of the interpolation reaches some samples back, each by a quarter of the one after it; the noise is of 10 µV.
    np.testing.assert_allclose(early[:, :-10], late[:, :-10], atol=1e-4)
    np.testing.assert_allclose(early, late, atol=0.5)


def test_the_band_passes_and_the_drift_is_gone() -> None:
    times = np.arange(PLAN.before + PLAN.after) / 250
    signal = np.stack([np.sin(2 * np.pi * 10 * times) * 10, 500 + 20 * times, np.sin(2 * np.pi * 60 * times) * 10], 1)
    epoch = PLAN.prepare(signal.astype(np.float32))
    assert np.ptp(epoch[0]) == pytest.approx(20, rel=0.15)
    assert np.ptp(epoch[1]) < 6
    assert np.ptp(epoch[2]) < 6


def test_a_faster_stream_is_resampled_to_the_same_epoch() -> None:
    fast = EpochPlan(500.0, 250.0, FilterConfig(), EpochConfig())

    def wave(plan: EpochPlan) -> np.ndarray:
        times = (np.arange(plan.before + plan.after) - plan.before) / plan.rate
        return np.stack([np.sin(2 * np.pi * 7 * times + phase) for phase in (0, 1, 2)], 1).astype(np.float32)

    ours, theirs = PLAN.prepare(wave(PLAN)), fast.prepare(wave(fast))
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(theirs, ours, atol=0.03)


@pytest.mark.parametrize("target", [100.0, 128.0, 250.0, 256.0, 1000.0])
@pytest.mark.parametrize("rate", [100.0, 128.0, 250.0, 256.0, 1024.0, 250.013])
def test_resampling_never_reaches_beyond_its_own_samples(rate: float, target: float) -> None:
    plan = EpochPlan(
        rate, target, FilterConfig(pre_roll_s=0.1), EpochConfig(start_s=-0.07, stop_s=0.93, baseline=False)
    )
    first, last = -plan.before + round(0.1 * rate), plan.after - 1
    assert first / rate <= plan.times[0] + 1e-9
    assert last / rate >= plan.times[-1] - 1e-9
    assert len(plan.times) == plan.n_times == round(0.93 * target) - round(-0.07 * target)
    assert plan.prepare(noise(plan.before + plan.after)).shape == (3, plan.n_times)


def test_a_stream_too_slow_for_the_band_is_refused() -> None:
    with pytest.raises(MontageError, match="30 Hz"):
        EpochPlan(50.0, 50.0, FilterConfig(), EpochConfig())


def test_artefacts_are_named_with_their_channel() -> None:
    data, limits = np.zeros((3, 10), dtype=np.float32), np.array([150.0, 150.0, np.inf])
    assert artefact(data, ("A", "B", "C"), limits) is None
    data[2, 3] = 9000
    assert artefact(data, ("A", "B", "C"), limits) is None
    data[1, 3] = 200
    assert "B spans 200 µV, more than 150 µV" in str(artefact(data, ("A", "B", "C"), limits))
    data[0, 0] = np.nan
    assert "not all numbers" in str(artefact(data, ("A", "B", "C"), limits))


CAP = StreamFacts("cap", "EEG", "", "", "", 250.0, ("A", "B", "C"), ("microvolts",) * 3)


@pytest.mark.parametrize(
    ("reference", "told"),
    [((), None), (("C",), "C is flat"), (("average",), None)],
    ids=["not decoded", "of the reference", "beside the average of A and B"],
)
def test_a_dead_channel_costs_the_epoch_if_anything_is_made_of_it(reference: tuple[str, ...], told: str | None) -> None:
    samples = noise(PLAN.before + PLAN.after)
    samples[:, 2] = 4.0
    config = EpochConfig(reference=reference)
    made = make_epoch(samples, PLAN, Montage(("A", "B"), CAP, config, "cap"))
    if told:
        assert made == told
    else:
        assert isinstance(made, Prepared)
        assert made.data.shape == (2, PLAN.n_times)


def test_a_decoded_channel_that_is_dead_in_the_window_costs_the_epoch() -> None:
    samples, montage = noise(PLAN.before + PLAN.after), Montage(("C", "A"), CAP, EpochConfig(), "cap")
    samples[PLAN.pre_roll :, 2] = 4.0
    assert make_epoch(samples, PLAN, montage) == "C is flat"
    # What was before is the filter's alone: an electrode that was pressed on in time costs nothing.
    before = noise(PLAN.before + PLAN.after)
    before[: PLAN.pre_roll - 100, 2] = 0.0
    assert isinstance(make_epoch(before, PLAN, montage), Prepared)


def test_without_a_limit_for_eeg_no_channel_is_judged() -> None:
    samples = noise(PLAN.before + PLAN.after)
    samples[:, 1] = 0.0
    assert isinstance(make_epoch(samples, PLAN, Montage(("B",), CAP, EpochConfig(reject_uv=None), "cap")), Prepared)
