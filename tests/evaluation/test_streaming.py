"""The benchmark of streams counts rightly, and both of its listeners get what was sent."""

from __future__ import annotations

import numpy as np
import pytest

from bci_live.errors import BciError
from bci_live.evaluation.streaming.bench import bench_streaming
from bci_live.evaluation.streaming.score import Listened, expected_onsets, score, window_samples
from bci_live.evaluation.streaming.sender import SenderPlan

PLAN = SenderPlan("bench", channels=2, rate=100.0, chunk=10, stride=70, streams=1, begin=1000.0)


def epoch(onset: int, overhead_ms: float = 2.0, shift: int = 0) -> Listened:
    before, after = window_samples(PLAN.rate)
    counts = np.arange(onset - before, onset + after) + shift
    pushed = (onset + after) / PLAN.rate
    available = PLAN.begin + pushed + overhead_ms / 1e3
    return Listened(np.stack([counts, np.full(len(counts), pushed)]).astype(np.float32), available)


def test_epochs_are_counted_once_and_late_ones_told_by_their_last_sample() -> None:
    got = [epoch(70, 1.0), epoch(140, 2.0), epoch(140, 9.0), epoch(210, 3.0), epoch(700)]
    figures = score(PLAN, [70, 140, 210, 280], got)
    assert (figures["epochs_expected"], figures["epochs_got"], figures["wrong_samples"]) == (4, 3, 0)
    assert figures["overhead_ms_median"] == pytest.approx(2.0, abs=0.2)
    assert figures["overhead_ms_max"] == pytest.approx(3.0, abs=0.2)


def test_a_wrong_sample_is_counted_and_so_is_a_whole_epoch_on_the_wrong_onset() -> None:
    spoiled = epoch(70)
    spoiled.counters[0, 5:7] = 0
    assert score(PLAN, [70], [spoiled])["wrong_samples"] == 2
    assert score(PLAN, [70], [epoch(70, shift=1)])["wrong_samples"] == 0
    assert score(PLAN, [70], [epoch(70, shift=3)])["wrong_samples"] == 60


def test_only_markers_whose_window_lies_within_the_listening_are_expected() -> None:
    # From 1000.5 to 1004 s, with 0.3 s spared at both ends: windows between 0.8 and 3.7 s, onsets between 0.9 and 3.2 s.
    assert expected_onsets(PLAN, 1000.5, 1004.0) == [140, 210, 280]


@pytest.mark.system
@pytest.mark.timeout(120)
def test_our_listener_gets_every_sample_and_every_epoch_of_two_streams() -> None:
    figures = bench_streaming(channels=8, rate=500.0, chunk=10, seconds=4.0, streams=2)["ours"]
    assert figures["epochs_got"] == figures["epochs_expected"] >= 3
    assert figures["wrong_samples"] == figures["samples_lost"] == 0
    assert figures["stamp_error_ms_max"] < 2


@pytest.mark.system
@pytest.mark.timeout(120)
def test_nothing_is_lost_while_another_thread_keeps_python_for_itself() -> None:
    figures = bench_streaming(channels=8, rate=500.0, chunk=10, seconds=10.0, hog_s=2.0)["ours"]
    assert figures["epochs_got"] == figures["epochs_expected"] >= 5
    assert figures["wrong_samples"] == figures["samples_lost"] == 0
    assert figures["stamp_error_ms_max"] < 2
    assert figures["overhead_ms_max"] > 300  # the lock was held: the epochs of that time had to wait


def test_an_unknown_peer_is_refused_with_those_there_are() -> None:
    with pytest.raises(BciError, match=r"'labrecorder' is no peer .* mne-lsl"):
        bench_streaming(channels=8, rate=500.0, chunk=10, seconds=4.0, peer="labrecorder")
    with pytest.raises(BciError, match="1 channel is too few"):
        bench_streaming(channels=1, rate=500.0, chunk=10, seconds=4.0)
