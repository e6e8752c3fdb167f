"""Channels without EEG are filled in from the others: as well as those know them, and no more of them than they bear."""

from __future__ import annotations

import numpy as np
import pytest

from bci_live.config import EpochConfig, FilterConfig, bundled
from bci_live.decoding.decoder import load_decoder
from bci_live.sessions.recording import Recording, read_recording
from bci_live.signal.epoching import EpochPlan, Prepared, make_epoch
from bci_live.signal.montage import Montage
from bci_live.signal.repair import ChannelRepair, can_fill
from bci_live.training.epochs import EpochSet, cut_recording
from bci_live.types import Epoch, StreamFacts

RATE, CHANNELS = 100.0, tuple(f"E{number}" for number in range(12))
CAP = StreamFacts("cap", "EEG", "", "", "", RATE, CHANNELS, ("microvolts",) * 12)
FILTER, EPOCH = FilterConfig(pre_roll_s=0.5), EpochConfig(stop_s=0.6)


def mixed_sources(n: int, seed: int) -> np.ndarray:
    """(n, 12), µV: four sources that reach every electrode, and 1 µV of each electrode's own."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).normal(0, 5, (4, 12))
    return (rng.normal(size=(n, 4)) @ mixing + rng.normal(size=(n, 12))).astype(np.float32)


def repair_of(epoch: EpochConfig) -> ChannelRepair:
    plan, montage = EpochPlan(RATE, RATE, FILTER, epoch), Montage(CHANNELS, CAP, epoch, "cap")
    made = [make_epoch(mixed_sources(plan.before + plan.after, seed), plan, montage) for seed in range(20)]
    repair = ChannelRepair.fitted(np.stack([it.data for it in made if isinstance(it, Prepared)]))
    assert repair is not None
    return repair


def made_of(samples: np.ndarray, epoch: EpochConfig = EPOCH) -> Prepared | str:
    plan = EpochPlan(RATE, RATE, FILTER, epoch, repair_of(epoch))
    return make_epoch(samples, plan, Montage(CHANNELS, CAP, epoch, "cap"))


def window() -> np.ndarray:
    plan = EpochPlan(RATE, RATE, FILTER, EPOCH)
    return mixed_sources(plan.before + plan.after, 99)


@pytest.mark.parametrize("fault", ["flat", "NaN", "railed", "loud"])
def test_a_channel_without_eeg_is_filled_in_and_told_and_the_others_stay_to_the_bit(fault: str) -> None:
    samples, whole = window(), made_of(window())
    if fault == "flat":
        samples[:, [2, 7]] = 40.0
    elif fault == "NaN":
        samples[:, [2, 7]] = np.nan
    elif fault == "railed":
        samples[:, [2, 7]] = np.where(samples[:, [2, 7]] > 0, 300, -300)
    else:
        samples[:, [2, 7]] *= 200
    made = made_of(samples)
    assert isinstance(made, Prepared)
    assert isinstance(whole, Prepared)
    assert (whole.filled, made.filled) == ((), ("E2", "E7"))
    others = [row for row in range(12) if row not in (2, 7)]
    np.testing.assert_array_equal(made.data[others], whole.data[others])
    # What an electrode has of its own, 1 of about 10 µV, is gone; the sources are found in the others.
    error = np.std(made.data[[2, 7]] - whole.data[[2, 7]])
    assert error < 0.25 * np.std(whole.data[[2, 7]])


def test_more_than_a_quarter_is_not_filled_in_but_costs_the_epoch_with_its_reason() -> None:
    samples = window()
    samples[:, :4] = 0.0
    assert made_of(samples) == "E0 is flat, E1 is flat, E2 is flat and 1 other"
    samples = window()
    samples[:, :4] *= 200
    assert "more than 150 µV" in str(made_of(samples))


def test_what_all_channels_contain_cannot_be_filled_in() -> None:
    samples = window()
    samples[:, 3] = np.nan
    assert made_of(samples, EPOCH.model_copy(update={"reference": ("average",)})) == "E3 is not a number"


def test_a_movement_of_the_whole_head_is_an_artefact_not_an_electrode() -> None:
    assert "spans" in str(made_of(window() * 200))


@pytest.mark.parametrize(
    ("bad", "channels", "may"), [(1, 9, True), (1, 8, False), (3, 12, True), (4, 12, False), (8, 32, True)]
)
def test_at_most_a_quarter_and_never_with_fewer_than_eight_others(bad: int, channels: int, may: bool) -> None:
    assert can_fill(bad, channels) == may
    assert (ChannelRepair.fitted(np.ones((1, channels, 5), np.float32)) is not None) == can_fill(1, channels)


def test_two_of_32_channels_that_die_in_mid_session_do_not_destroy_decoding() -> None:
    """The demo: its first half tells the covariance; in its second half two electrodes at the back of the head are off."""
    decoder, recording = load_decoder(bundled("models/decoder-demo")), read_recording(bundled("recordings/demo.xdf"))
    card = decoder.card

    def cut(samples: np.ndarray, repair: ChannelRepair | None, epoch: EpochConfig = card.epoch) -> EpochSet:
        session = Recording(recording.facts, samples, recording.stamps, recording.markers, recording.path)
        return cut_recording(session, EpochPlan(card.rate, card.rate, card.filter, epoch, repair), card.channels)

    def right(epochs: EpochSet) -> int:
        read = [
            decoder.decode(Epoch(data, 0.0, marker, 0.0, 0.0)).top == marker.label
            for data, marker in zip(epochs.data, epochs.markers, strict=True)
        ]
        return sum(read[50:])

    whole = cut(recording.samples, None)
    repair = ChannelRepair.fitted(whole.data[:50])
    broken = recording.samples.copy()
    broken[len(broken) // 2 :, [recording.facts.channels.index(name) for name in ("Oz", "P8")]] = 12.5
    mended, left = cut(broken, repair), cut(broken, None, EpochConfig(reject_uv=None))
    assert (len(mended.markers), len(whole.markers), len(left.markers)) == (100, 100, 100)
    assert mended.filled == pytest.approx(50, abs=3)
    assert len(cut(broken, None).markers) <= 55  # without the repair each costs its epoch
    # A count of 50 trials has a standard error of 3.5 at most, a difference of two of them 5.
    assert right(mended) >= right(whole) - 5
    assert right(mended) >= right(left) + 10
