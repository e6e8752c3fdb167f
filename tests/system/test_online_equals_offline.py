"""The epochs that the live pipeline cuts, over real LSL, are to the bit those cut from the file: the first half of a real run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bci_live.config import Config, DiffusionConfig, EpochConfig, FilterConfig
from bci_live.live.replay_process import ReplayProcess
from bci_live.live.session import LiveSession
from bci_live.live.snapshot import Shown
from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.signal.epoching import EpochPlan
from bci_live.signal.repair import ChannelRepair
from bci_live.streams.clock import local_clock
from bci_live.streams.discovery import find_eeg, find_markers
from bci_live.training.epochs import cut_recording
from bci_live.types import Decoding, Epoch, Guess, Marker, Missed, MissedReason, Reconstruction, StreamFacts
from tests.waiting import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


class KeepsEpochs:
    """Stands where the decoder does: epochs are what is compared, so nothing is read from them."""

    def __init__(self, channels: tuple[str, ...], rate: float, repair: ChannelRepair | None = None) -> None:
        self.repair = repair
        self.card = SimpleNamespace(
            channels=channels, rate=rate, filter=FilterConfig(), epoch=EpochConfig(), labels=("face", "house"), marker_labels={},
            prefixes=(0.25, 0.6), pipeline="", simulated=False,
        )  # fmt: skip

    def decode(self, epoch: Epoch) -> Decoding:
        blank = np.zeros((1, 1, 3), np.float32)
        return Decoding(blank, blank[0], None, {"face": 0.5, "house": 0.5}, epoch, local_clock())

    def guess(self, epoch: Epoch, until_s: float) -> Guess:
        return Guess({"face": 0.5, "house": 0.5}, until_s, epoch, local_clock())


class DrawsNothing:
    """Stands where diffusion does."""

    name = note = ""

    def load(self) -> None:
        """Nothing to load."""

    def warm_up(self, tokens: int, beside_drawing: bool = False) -> None:
        """Nothing to warm."""

    def draw_as(self, config: DiffusionConfig) -> None:
        """Black, whatever is asked for."""

    def reconstruct(self, decoding: Decoding, seed: int) -> Iterator[Reconstruction]:
        yield Reconstruction(np.zeros((1, 1, 3), np.uint8), 1, 1, seed, decoding, local_clock())


def test_live_epochs_are_bit_identical_to_those_of_the_file(muse_sessions: list[Path], tmp_path: Path) -> None:
    whole, path = read_recording(muse_sessions[5]), tmp_path / "first-half.xdf"
    half = len(whole.stamps) // 2
    earlier = tuple(marker for marker in whole.markers if marker.time < whole.stamps[half])
    first = replace(whole, samples=whole.samples[:half], stamps=whole.stamps[:half], markers=earlier)
    write_recording(path, first)
    recording = read_recording(path)
    facts = recording.facts
    plan = EpochPlan(facts.rate, facts.rate, FilterConfig(), EpochConfig())
    offline = cut_recording(recording, plan, facts.channels)
    outcomes: list[Any] = []
    with ReplayProcess(path, loop=False, start_s=0, wait_for_consumers_s=30) as replay:
        eeg = find_eeg(None, 20, source_id=replay.eeg_source_id)
        markers = find_markers(None, 20, source_id=replay.marker_source_id)
        with LiveSession(eeg, markers, KeepsEpochs(facts.channels, facts.rate), DrawsNothing(), Config()) as session:
            wait_until(lambda: replay.ended, 200, "the run's end")
            wait_until(lambda: session.idle, 20, "the last epoch")
            session.finish(10)
            outcomes = session.drain()
    assert len(outcomes) == len(recording.markers) > 80
    shown = sorted((o for o in outcomes if isinstance(o, Shown)), key=lambda o: o.reconstruction.decoding.epoch.onset)
    live = [outcome.reconstruction.decoding.epoch for outcome in shown]
    missed = [o for o in outcomes if isinstance(o, Missed)]
    assert [epoch.marker.label for epoch in live] == list(offline.labels)
    np.testing.assert_array_equal(np.stack([epoch.data for epoch in live]), offline.data)
    # What is guessed from is cut while the rest is still to come, and is the beginning of what is cut then.
    guesses = [(guess, epoch) for outcome, epoch in zip(shown, live, strict=True) for guess in outcome.guesses]
    assert len(guesses) >= 0.95 * 2 * len(shown)  # on a busy machine a chunk may bring the whole window at once
    for guess, epoch in guesses:
        assert guess.epoch.arrived < epoch.arrived
        n_times = plan.until(guess.until_s).n_times
        np.testing.assert_array_equal(guess.epoch.data, epoch.data[:, :n_times])
    assert sorted(m.reason for m in missed) == sorted(m.reason for m in offline.missed)


def test_filled_in_channels_are_the_same_live_as_offline_and_counted(tmp_path: Path) -> None:
    """Twelve channels of four sources; one dies in mid-session, at the end four more do, which is too many."""
    rng, rate, channels = np.random.default_rng(0), 100.0, tuple(f"E{number}" for number in range(12))
    times = 100 + np.arange(3600) / rate
    samples = rng.normal(size=(3600, 4)) @ rng.normal(0, 5, (4, 12)) + rng.normal(size=(3600, 12))
    facts = StreamFacts("cap", "EEG", "cap-1", "", "", rate, channels, ("microvolts",) * 12)
    markers = tuple(Marker("face", 103.0 + i, "stimuli") for i in range(30))
    path = tmp_path / "session.xdf"
    whole = Recording(facts, samples.astype(np.float32), times, markers, path)
    epochs = cut_recording(whole, EpochPlan(rate, rate, FilterConfig(), EpochConfig()), channels)
    repair = ChannelRepair.fitted(epochs.data)
    broken = whole.samples.copy()
    broken[1500:, 5], broken[2700:, :4] = 7.0, np.nan
    write_recording(path, replace(whole, samples=broken))
    plan = EpochPlan(rate, rate, FilterConfig(), EpochConfig(), repair)
    offline = cut_recording(read_recording(path), plan, channels)
    with ReplayProcess(path, loop=False, start_s=0, wait_for_consumers_s=30) as replay:
        eeg = find_eeg(None, 20, source_id=replay.eeg_source_id)
        stream = find_markers(None, 20, source_id=replay.marker_source_id)
        with LiveSession(eeg, stream, KeepsEpochs(channels, rate, repair), DrawsNothing(), Config()) as session:
            wait_until(lambda: replay.ended, 100, "the session's end")
            wait_until(lambda: session.idle, 20, "the last epoch")
            session.finish(10)
            outcomes, counts = session.drain(), session.snapshot().counts
    shown = sorted((o for o in outcomes if isinstance(o, Shown)), key=lambda o: o.reconstruction.decoding.epoch.onset)
    live = [outcome.reconstruction.decoding.epoch for outcome in shown]
    np.testing.assert_array_equal(np.stack([epoch.data for epoch in live]), offline.data)
    assert sum(epoch.filled == ("E5",) for epoch in live) == offline.filled == counts.filled_epochs
    assert counts.filled == {"E5": offline.filled}
    assert offline.filled >= 10  # of the twelve from 115 to 127 s
    missed = [(o.reason, o.detail) for o in outcomes if isinstance(o, Missed)]
    assert sorted(missed) == sorted((m.reason, m.detail) for m in offline.missed)
    assert (MissedReason.ARTEFACT, "E0 is not a number, E1 is not a number, E2 is not a number and 2 others") in missed
