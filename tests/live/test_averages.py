"""Averages by class, the interval of an accuracy, and the peaks of a response."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bci_live.live.averages import Averages, interval, peaks
from bci_live.live.averaging import TrialMeans
from bci_live.types import Decoding, Epoch, Marker, Missed, MissedReason, Reconstruction


def drawn(label: str, time: float, top: str, value: float) -> Reconstruction:
    epoch = Epoch(np.full((2, 5), value, np.float32), time, Marker(label, time), time, time)
    blank = np.zeros((2, 2, 3), np.float32)
    decoding = Decoding(blank, blank[0], None, {top: 0.9, "x": 0.1}, epoch, time)
    return Reconstruction(np.zeros((2, 2, 3), np.uint8), 1, 1, 0, decoding, time)


HISTORY = (drawn("a", 1, "a", 1), drawn("b", 2, "a", 4), drawn("a", 3, "a", 3), drawn("?", 4, "a", 8))


def test_each_picture_is_added_once_however_often_the_history_comes() -> None:
    averages = Averages()
    for end in (1, 3, 3, 4):
        averages.add(HISTORY[:end], ("a", "b"))
    assert not averages.add(HISTORY, ("a", "b"))
    assert averages.add((*HISTORY[2:], drawn("a", 5, "b", 2)), ("a", "b"))  # the oldest are forgotten, none is lost
    assert averages.counts == {"a": 3, "b": 1, "?": 1}
    assert averages.average("a") == pytest.approx(np.full((2, 5), 2.0))
    assert averages.average() == pytest.approx(np.full((2, 5), 18 / 5))
    assert averages.average("never") is None
    assert averages.right == [True, False, True, False]  # of "?" the truth is not known


def test_where_the_decoder_reads_means_of_trials_each_trial_counts_once_all_the_same() -> None:
    means, averages = TrialMeans(), Averages()
    for value in (1, 2, 6):
        single = drawn("a", value, "a", value)
        mean = means.mean(single.decoding.epoch, 8)
        averages.add((replace(single, decoding=replace(single.decoding, epoch=mean)),), ("a",))
    assert mean.trials == 3
    assert averages.average("a") == pytest.approx(np.full((2, 5), 3.0))


def test_all_averages_are_told_the_commonest_class_first_and_nothing_after_a_restart() -> None:
    averages = Averages()
    assert averages.all() == ()
    averages.add(HISTORY, ("a", "b"))
    assert [(it.label, it.trials) for it in averages.all()] == [("all", 4), ("a", 2), ("b", 1), ("?", 1)]
    assert averages.all()[1].response == pytest.approx(np.full((2, 5), 2.0))
    averages.restart()
    assert (averages.all(), averages.right) == ((), [])
    assert not averages.add(HISTORY, ("a", "b"))  # what was counted before stays so


def test_what_was_shown_before_a_restart_and_is_finished_after_it_is_not_counted() -> None:
    averages = Averages()
    averages.add(HISTORY[:2], ("a", "b"))
    averages.restart(before=[it.decoding.epoch.marker for it in HISTORY[:3]])
    averages.add(HISTORY, ("a", "b"))
    assert averages.counts == {"?": 1}


MISSED = tuple(
    Missed(Marker(label, time), reason)
    for label, time, reason in (
        ("a", 1, MissedReason.UNSURE), ("b", 2, MissedReason.UNSURE), ("a", 3, MissedReason.INTERRUPTED),
        ("b", 4, MissedReason.ARTEFACT), ("?", 5, MissedReason.UNSURE),
    )
)  # fmt: skip


def test_what_abstained_or_was_interrupted_is_counted_once_however_often_it_is_told() -> None:
    averages = Averages()
    for end in (0, 1, 3, 5):
        averages.add_missed(MISSED[:end], ("a", "b"))
        averages.add_missed(MISSED[:end], ("a", "b"))
    # An artefact was not decoded; of "?" the truth is not known.
    assert averages.unjudged == {MissedReason.UNSURE: 2, MissedReason.INTERRUPTED: 1}
    version = averages.version
    averages.add_missed(MISSED[2:], ("a", "b"))  # the oldest are forgotten
    assert (averages.unjudged.total(), averages.version) == (3, version)


def test_what_abstains_counts_in_the_stretch_that_its_marker_belongs_to() -> None:
    averages = Averages()
    averages.add_missed(MISSED[:1], ("a", "b"))
    averages.restart(before=[it.marker for it in MISSED[:2]])
    assert not averages.unjudged
    averages.add_missed(MISSED[:3], ("a", "b"))  # the second was told before the restart and ended after it
    assert averages.unjudged == {MissedReason.INTERRUPTED: 1}


def test_the_interval_is_wilson_s() -> None:
    # 8 of 10: 0.4902 to 0.9433 (Newcombe 1998, method 3).
    assert interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert interval(0, 0) == (0.0, 1.0)
    assert interval(0, 20)[0] == 0.0


def test_peaks_are_where_electrodes_differ_after_the_onset() -> None:
    times = np.arange(-50, 250) / 250
    shape = -np.exp(-(((times - 0.1) / 0.02) ** 2)) + 2 * np.exp(-(((times - 0.3) / 0.05) ** 2))
    average = np.outer([1, -1, 0.5], shape)
    found = peaks(average, times)
    assert [times[place] for place in found] == pytest.approx([0.1, 0.3], abs=0.01)
