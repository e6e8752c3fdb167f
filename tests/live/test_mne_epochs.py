"""MNE as the oracle: its live epochs, filtered and baseline-corrected by MNE, are those that our epocher sends on."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import mne
import numpy as np
import pytest

from bci_live.config import EpochConfig, FilterConfig
from bci_live.live.epocher import Epocher
from bci_live.live.mailbox import Mailbox
from bci_live.live.telemetry import Telemetry
from bci_live.signal.epoching import EpochPlan
from bci_live.streams.clock import local_clock
from bci_live.streams.discovery import find_eeg, find_markers
from bci_live.streams.inlet import EegInlet, MarkerInlet
from bci_live.streams.mne_bridge import RingClient, RtEpochs
from bci_live.types import Epoch, FloatArray, Marker
from tests.live.fakes import FakeMarkers
from tests.live.test_background import headset
from tests.waiting import wait_until

RATE, EPOCHS = 250.0, 3
FILTER, EPOCH = FilterConfig(), EpochConfig()
PLAN = EpochPlan(RATE, RATE, FILTER, EPOCH)


def as_ours(raw: np.ndarray, info: mne.Info) -> np.ndarray:
    """(channels, times) in V with a pre-roll → the window in µV, by MNE's own filter, crop and baseline."""
    filtered = mne.filter.filter_data(
        raw, RATE, FILTER.low_hz, FILTER.high_hz, method="iir", phase="forward", verbose="error",
        iir_params={"order": FILTER.order, "ftype": "butter", "output": "sos"},
    )  # fmt: skip
    epochs = mne.EpochsArray(filtered[None], info, tmin=-PLAN.before / RATE, verbose="error")
    epochs.crop(EPOCH.start_s, EPOCH.stop_s - 1 / RATE)
    return epochs.apply_baseline((None, -1 / RATE), verbose="error").get_data()[0] * 1e6


@pytest.mark.timeout(90)
def test_its_epochs_equal_ours() -> None:
    name = f"head-{uuid.uuid4()}"
    with (
        headset(name, f"{name}-m"),
        EegInlet(find_eeg(name, 15)) as eeg,
        MarkerInlet(find_markers(f"{name}-m", 15)) as markers,
    ):
        ours, mailbox = FakeMarkers(), Mailbox[Epoch](100)

        def pop() -> list[Marker]:
            ours.waiting.extend(new := markers.pop())
            return new

        tmin, tmax = -PLAN.before / RATE, (PLAN.after - 1) / RATE
        client = RingClient(eeg, pop, {"dog": 1}, tmin=tmin, tmax=tmax)
        theirs = RtEpochs(client, {"dog": 1}, tmin, tmax, baseline=None, isi_max=20.0, verbose="error")
        theirs.start()
        evokeds = [evoked for evoked, _ in zip(theirs.iter_evoked(), range(EPOCHS), strict=False)]
        theirs.stop()
        card = SimpleNamespace(channels=eeg.facts.channels, labels=("dog",), marker_labels={})
        epocher = Epocher(eeg, ours, PLAN, card, mailbox, Telemetry(1), local_clock, timeout_s=5.0)
        wait_until(lambda: epocher.step() or len(mailbox) >= EPOCHS, 20, "our epochs")
    got: list[FloatArray] = []
    while (epoch := mailbox.take(0.0)) is not None:
        got.append(epoch.data)
    info = mne.create_info([*eeg.facts.channels], RATE, "eeg")
    for evoked in evokeds:
        their = as_ours(evoked.data[: len(eeg.facts.channels)], info)
        # MNE starts its filter otherwise; after two seconds of pre-roll 1e-4 of that is left of 10 µV of noise.
        (same,) = [data for data in got if np.abs(data - their).max() < 0.05]
        np.testing.assert_allclose(same, their, atol=0.01)
        assert np.ptp(their) > 10
