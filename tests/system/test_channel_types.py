"""Channels that are judged, live as in training: an EOG that is never decoded, and an electrode that comes off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bci_live.config import EpochConfig, FilterConfig
from bci_live.live.epocher import Epocher
from bci_live.live.mailbox import Mailbox
from bci_live.live.telemetry import Telemetry
from bci_live.sessions.muse_csv import import_muse
from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.signal.epoching import EpochPlan
from bci_live.streams.ring import RingBuffer
from bci_live.training.epochs import cut_recording
from bci_live.types import Chunk, Epoch, Marker, MissedReason, StreamFacts
from tests.live.fakes import FakeMarkers
from tests.system.conftest import MUSE

RATE = 200.0
FACTS = StreamFacts(
    "cap",
    "EEG",
    "cap",
    "",
    "",
    RATE,
    ("Fz", "VEOG", "Oz", "M1"),
    ("microvolts",) * 4,
    types=("EEG", "EOG", "EEG", "EEG"),
)
PLAN = EpochPlan(
    RATE,
    RATE,
    FilterConfig(pre_roll_s=0.5),
    EpochConfig(reference=("M1",), reject_uv={"eeg": 100, "eog": 200}),
)
BLINKS = (3, 7)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Ten markers; at two of them the person blinks, which the EEG shows below its limit. Written to XDF and read back."""
    times = 50 + np.arange(round(14 * RATE)) / RATE
    samples = np.random.default_rng(0).normal(0, 5, (len(times), 4)).astype(np.float32)
    markers = tuple(Marker("a", 52.0 + k) for k in range(10))
    for k in BLINKS:
        blink = np.exp(-0.5 * ((times - markers[k].time - 0.3) / 0.06) ** 2).astype(np.float32)
        samples[:, 1] += 350 * blink
        samples[:, 0] += 40 * blink
    write_recording(tmp_path / "a.xdf", Recording(FACTS, samples, times, markers, tmp_path / "a.xdf"))
    return read_recording(tmp_path / "a.xdf")


def live_epochs(recording: Recording) -> tuple[list[Epoch], Telemetry]:
    ring, markers, mailbox, telemetry = RingBuffer(4, RATE, 30), FakeMarkers(), Mailbox[Epoch](100), Telemetry(1)
    times, breaks = recording.times()
    ring.write(Chunk(recording.samples, times, 0.0, breaks))
    markers.waiting = list(recording.markers)
    card = SimpleNamespace(channels=("Oz", "Fz"), labels=("a",), marker_labels={})
    eeg = SimpleNamespace(ring=ring, facts=recording.facts)
    now = float(times[-1])
    epocher = Epocher(eeg, markers, PLAN, card, mailbox, telemetry, lambda: now, 5.0)  # type: ignore[arg-type]
    epocher.step()
    now += 1  # a marker that comes after its window is held for a moment
    epocher.step()
    return [epoch for _ in range(100) if (epoch := mailbox.take(0.0)) is not None], telemetry


def test_blinks_cost_their_epochs_live_as_in_training(recording: Recording) -> None:
    assert recording.facts.channel_types == ("eeg", "eog", "eeg", "eeg")
    trained = cut_recording(recording, PLAN, ("Oz", "Fz"))
    epochs, telemetry = live_epochs(recording)
    lost = [recording.markers[k].time for k in BLINKS]
    for missed in (trained.missed, telemetry.missed()):
        assert [it.marker.time for it in missed] == lost
        assert all(it.reason is MissedReason.ARTEFACT and "VEOG spans" in it.detail for it in missed)
    np.testing.assert_array_equal(np.stack([epoch.data for epoch in epochs]), trained.data)
    assert trained.data.shape[:2] == (8, 2)


def test_an_electrode_that_comes_off_costs_its_epochs_live_as_in_training(recording: Recording) -> None:
    samples = recording.samples.copy()
    samples[round(3.8 * RATE) : round(5.2 * RATE), 2] = 12.0  # Oz: the windows of the markers at 54 and 55 s
    loose = replace(recording, samples=samples)
    trained = cut_recording(loose, PLAN, ("Oz", "Fz"))
    epochs, telemetry = live_epochs(loose)
    for missed in (trained.missed, telemetry.missed()):
        assert {it.marker.time: it.detail for it in missed}[54.0] == "Oz is flat"
    assert [it.detail for it in trained.missed] == [it.detail for it in telemetry.missed()]
    np.testing.assert_array_equal(np.stack([epoch.data for epoch in epochs]), trained.data)


def test_the_reference_is_subtracted_before_the_filter(recording: Recording) -> None:
    by_hand = replace(recording, samples=recording.samples - recording.samples[:, 3:])
    plain = EpochPlan(RATE, RATE, FilterConfig(pre_roll_s=0.5), EpochConfig())
    np.testing.assert_allclose(
        cut_recording(recording, PLAN, ("Oz",)).data[0], cut_recording(by_hand, plain, ("Oz",)).data[0], atol=1e-4
    )


def test_no_good_epoch_of_a_real_headset_is_thrown_away_and_a_saturated_one_is(
    muse_sessions: list[Path], tmp_path: Path
) -> None:
    channels = ("TP9", "AF7", "AF8", "TP10")
    faulty = EpochConfig(reject_uv={"eeg": 1e9})  # of all reasons, only channels at fault
    for path in muse_sessions:
        real = read_recording(path)
        cut = cut_recording(real, EpochPlan(real.facts.rate, real.facts.rate, FilterConfig(), faulty), channels)
        assert len(cut.labels) > 180
        assert {it.reason for it in cut.missed} <= {MissedReason.GAP, MissedReason.TOO_OLD, MissedReason.LATE}
    (path,) = import_muse([MUSE.parent / "muse-bad/saturated.csv"], tmp_path / "a.xdf", {"1": "house", "2": "face"})
    bad = read_recording(path)
    cut = cut_recording(bad, EpochPlan(bad.facts.rate, bad.facts.rate, FilterConfig(), faulty), channels)
    assert not cut.labels
    assert all(
        "TP9 is at its amplifier's limit" in it.detail for it in cut.missed if it.reason == MissedReason.ARTEFACT
    )
    assert MissedReason.ARTEFACT in {it.reason for it in cut.missed}
