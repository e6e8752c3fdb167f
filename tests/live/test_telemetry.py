"""A marker ends once, whoever tells of it and how often."""

from __future__ import annotations

from bci_live.live.telemetry import Telemetry
from bci_live.types import Marker, Missed, MissedReason

DOG = Marker("dog", 1.0)


def test_a_second_outcome_of_a_marker_is_not_counted() -> None:
    telemetry = Telemetry(history=5)
    telemetry.marker(DOG)
    assert telemetry.open == 1
    telemetry.ended(Missed(DOG, MissedReason.GAP))
    telemetry.ended(Missed(DOG, MissedReason.LATE))
    assert telemetry.open == 0
    assert dict(telemetry.counts().missed) == {MissedReason.GAP: 1}


def test_a_marker_sent_twice_ends_twice() -> None:
    telemetry = Telemetry(history=5)
    for _ in range(2):
        telemetry.marker(Marker("dog", 1.0))
    telemetry.ended(Missed(DOG, MissedReason.GAP))
    assert telemetry.open == 1
    telemetry.give_up("over")
    assert [(o.reason, o.detail) for o in telemetry.drain() if isinstance(o, Missed)] == [
        (MissedReason.GAP, ""), (MissedReason.LATE, "over"),
    ]  # fmt: skip


def test_outcomes_that_nobody_drains_are_not_kept() -> None:
    telemetry = Telemetry(history=5, keep_unread=False)
    telemetry.marker(DOG)
    telemetry.ended(Missed(DOG, MissedReason.GAP))
    assert telemetry.drain() == []
    assert telemetry.counts().markers == 1
    assert telemetry.missed() == (Missed(DOG, MissedReason.GAP),)
