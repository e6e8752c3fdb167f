"""The mean over trials of one stimulus, and drawing otherwise while a session runs."""

from __future__ import annotations

import numpy as np

from bci_live.config import DiffusionConfig
from bci_live.live.averaging import TrialMeans
from bci_live.live.drawing import Drawer
from bci_live.live.mailbox import Mailbox
from bci_live.live.stages import ErrorLog
from bci_live.live.telemetry import Telemetry
from bci_live.types import Epoch, Marker
from tests.live.fakes import FakeDecoder, FakeReconstructor


def epoch(value: float, label: str = "a", detail: str = "", time: float = 0.0) -> Epoch:
    return Epoch(np.full((2, 3), value, np.float32), time, Marker(label, time, "", detail), time, time)


def test_trials_of_one_stimulus_are_averaged_the_newest_ones() -> None:
    means = TrialMeans()
    read = [means.mean(epoch(value), 2) for value in (1, 3, 7)]
    assert [(it.data[0, 0], it.trials) for it in read] == [(1, 1), (2, 2), (5, 2)]


def test_other_stimuli_and_one_trial_alone_are_left_as_they_are() -> None:
    means = TrialMeans()
    means.mean(epoch(1), 4)
    assert means.mean(epoch(5, detail='{"layout": 1}'), 4).data[0, 0] == 5
    assert means.mean(epoch(5, label="b"), 4).trials == 1
    assert means.mean(epoch(5), 1).trials == 1


def test_how_pictures_are_drawn_can_change_between_two_of_them() -> None:
    mailbox: Mailbox[Epoch] = Mailbox(4)
    telemetry = Telemetry(10)
    drawer = Drawer(mailbox, FakeDecoder(), FakeReconstructor(), telemetry, ErrorLog(), seed=7)  # type: ignore[arg-type]
    for time in range(4):
        telemetry.marker(epoch(0, time=time).marker)
        mailbox.put(epoch(time, time=time))
        if time == 2:
            drawer.draw_with(DiffusionConfig(), None, 3)
        drawer.step()
    seeds = [it.seed for it in telemetry.history()[0]]
    trials = [it.decoding.epoch.trials for it in telemetry.history()[0]]
    assert seeds[:2] == [7, 7]
    assert 7 not in seeds[2:]
    assert seeds[2] != seeds[3]
    assert trials == [1, 1, 3, 3]
