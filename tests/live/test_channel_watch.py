"""What is said of channels without EEG, and what is only counted."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from bci_live.live.channel_watch import ChannelWatch
from bci_live.streams.ring import RingBuffer
from bci_live.types import Chunk, StreamFacts

RATE = 100.0
FACTS = StreamFacts(
    "cap", "EEG", "s", "u", "h", RATE, ("Fz", "Oz", "aux", "trigger"), ("microvolts",) * 4,
    types=("EEG", "EEG", "EEG", "TRIGGER"),
)  # fmt: skip


class Watched:
    """Seconds of noise, in which the channels `off` stand still."""

    def __init__(self, needed: tuple[str, ...] = ("Fz", "Oz")) -> None:
        self.ring, self.seconds = RingBuffer(4, RATE, 60), 0
        self.watch = ChannelWatch(SimpleNamespace(ring=self.ring, facts=FACTS), needed)  # type: ignore[arg-type]

    def second(self, *off: str, times: int = 1) -> None:
        for _ in range(times):
            samples = np.random.default_rng(self.seconds).normal(0, 10, (100, 4)).astype(np.float32)
            samples[:, [FACTS.channels.index(name) for name in ("trigger", *off)]] = 0.0
            begin = float(self.seconds)
            self.ring.write(Chunk(samples, begin + np.arange(100) / RATE, begin + 1))
            self.seconds += 1
            self.watch.step()


def test_a_needed_channel_that_is_off_is_said_after_three_seconds_until_it_is_well() -> None:
    it = Watched()
    it.second("Oz", times=2)
    assert it.watch.now == {"Oz": "flat"}
    assert it.watch.troubles() == ()  # somebody may be touching it
    it.second("Oz")
    (said,) = it.watch.troubles()
    assert said.startswith("Oz is flat: no epoch can be read so. Check the electrode")
    it.second("Oz")
    assert it.watch.troubles() == (said,)
    it.second()
    assert (it.watch.troubles(), it.watch.now) == ((), {})
    assert it.watch.summary() == ("Without EEG of 5 s: Oz for 4 s (flat).",)


@pytest.mark.parametrize("needed", [("Fz", "Oz"), ()], ids=["not needed", "faults cost no epoch"])
def test_what_no_epoch_needs_is_counted_and_not_complained_of(needed: tuple[str, ...]) -> None:
    it = Watched(needed)
    it.second("aux", times=5)
    assert it.watch.times["aux"].seconds == {"flat": 5.0}
    assert it.watch.troubles() == it.watch.summary() == ()
    assert "trigger" not in it.watch.times


def test_what_is_filled_in_is_said_to_be_so() -> None:
    it = Watched()
    it.watch = ChannelWatch(
        SimpleNamespace(ring=it.ring, facts=FACTS),  # type: ignore[arg-type]
        ("Fz", "Oz"),
        lambda names: set(names) == {"Oz"},
    )
    it.second("Oz", times=3)
    assert it.watch.troubles() == ("Oz is flat: filled in from the other channels. Check the electrode.",)


def test_when_all_are_off_it_is_the_headset_or_the_unit() -> None:
    it = Watched()
    it.second("Fz", "Oz", times=3)
    (said,) = it.watch.troubles()
    assert said.startswith("No channel carries EEG (Fz is flat, Oz is flat): is the headset on the head")


def test_a_second_that_is_not_complete_is_waited_for() -> None:
    it = Watched()
    it.watch.step()
    it.ring.write(Chunk(np.zeros((60, 4), np.float32), np.arange(60) / RATE, 0.6))
    it.watch.step()
    assert it.watch.times == {}
