"""MNE's live epochs out of our ring: the right samples at the right events."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import numpy as np
import pytest

from bci_live.streams.discovery import find_eeg, find_markers
from bci_live.streams.inlet import EegInlet, MarkerInlet
from bci_live.streams.mne_bridge import RingClient, RtEpochs
from bci_live.streams.ring import RingBuffer, Window
from bci_live.types import Marker, StreamFacts
from tests.streams.test_inlet import outlet


def test_electrodes_of_known_names_have_their_places_and_other_channels_their_types() -> None:
    facts = StreamFacts(
        "cap", "EEG", "s", "u", "h", 250.0, ("Oz", "fp1", "VEOG", "trigger"), ("microvolts",) * 4,
        types=("EEG", "EEG", "EOG", "TRIGGER"),
    )  # fmt: skip
    client = RingClient(SimpleNamespace(ring=RingBuffer(4, 250.0, 5.0), facts=facts), list, {"face": 1})  # type: ignore[arg-type]
    info = client.get_measurement_info()
    assert info.get_channel_types() == ["eeg", "eeg", "eog", "misc", "stim"]
    places = info.get_montage().get_positions()["ch_pos"]
    assert places["Oz"][1] < -0.08  # m: at the back
    assert places["fp1"][1] > 0.08  # in front


@pytest.mark.timeout(90)
def test_live_evokeds_hold_the_samples_around_the_markers() -> None:
    name = f"test-{uuid.uuid4()}"
    codes = {f"m{count}": 1 for count in range(0, 100_000, 100)}
    with outlet(name), EegInlet(find_eeg(name, 15)) as eeg, MarkerInlet(find_markers(f"{name}-m", 15)) as markers:
        seen: list[Marker] = []

        def pop() -> list[Marker]:
            seen.extend(new := markers.pop())
            return new

        client = RingClient(eeg, pop, codes, tmin=-0.1, tmax=0.2)
        epochs = RtEpochs(client, {"shown": 1}, -0.1, 0.2, baseline=None, isi_max=10.0, verbose="error")
        epochs.start()
        evokeds = epochs.iter_evoked()
        responses = [next(evokeds) for _ in range(4)]
        epochs.stop()
        ours = {int(marker.label[1:]): eeg.ring.window(marker.time, 25, 51) for marker in seen}
    counts = np.array([evoked.data[0] * 1e6 for evoked in responses])
    # The first channel counts samples, and every 100th has a marker: so at 0 s it is a multiple of 100.
    onset = int(np.flatnonzero(responses[0].times == 0)[0])
    assert (np.round(counts[:, onset]) % 100 == 0).all()
    assert (np.diff(np.round(counts[:, onset])) == 100).all()
    assert (np.diff(np.round(counts), axis=1) == 1).all()
    for evoked in responses:
        window = ours[round(evoked.data[0, onset] * 1e6)]
        assert isinstance(window, Window)
        # The oracle: what MNE cuts is what our epochs are cut from, sample for sample, in V.
        np.testing.assert_allclose(evoked.data[:2] * 1e6, window.samples.T, rtol=1e-6)
    assert responses[0].ch_names[:2] == ["count", "mV"]
    assert client._recv_thread is None
