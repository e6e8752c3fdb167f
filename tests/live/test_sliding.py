"""Windows without markers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from bci_live.live.averages import Averages
from bci_live.live.sliding import LABEL, SlidingMarkers, is_sliding
from bci_live.live.snapshot import Shown, Timings
from bci_live.live.telemetry import Telemetry
from bci_live.types import Marker
from tests.live.test_averages import drawn


@dataclass
class Source:
    """A marker stream of which nothing is heard."""

    info: None = None
    waiting: list[Marker] = field(default_factory=list)

    def pop(self) -> list[Marker]:
        popped, self.waiting = self.waiting, []
        return popped

    def pop_dropped(self) -> int:
        return 0

    def trouble(self) -> str:
        return "No marker stream is there yet."


def test_windows_slide_while_they_are_wanted_beside_the_markers() -> None:
    source, now = Source(), [10.0]
    sliding = SlidingMarkers(source, lambda: now[0])
    assert sliding.pop() == []
    assert sliding.trouble()
    sliding.every_s = 2.0
    assert sliding.trouble() == ""
    source.waiting = [Marker("dog", 9.0)]
    came = []
    for _ in range(50):
        came += [(marker.label, marker.time) for marker in sliding.pop()]
        now[0] += 0.1
    assert [label for label, _ in came] == ["dog", LABEL, LABEL, LABEL]
    assert [time for _, time in came] == pytest.approx([9.0, 10.0, 12.0, 14.0], abs=0.11)  # looked for every 0.1 s


def test_what_was_shown_is_not_known_so_no_accuracy_is_made_of_it() -> None:
    telemetry, averages = Telemetry(10), Averages()
    window = Marker(LABEL, 1.0, "sliding window")
    assert is_sliding(window)
    assert not is_sliding(Marker(LABEL, 1.0, "some stream"))
    for marker in (window, Marker("a", 2.0)):
        made = drawn(marker.label, marker.time, "a", 0.0)
        decoding = replace(made.decoding, epoch=replace(made.decoding.epoch, marker=marker))
        picture = replace(made, decoding=decoding)
        telemetry.marker(marker)
        telemetry.ended(Shown(picture, Timings(1, 2, 3, 4)))
    averages.add(telemetry.history()[0], ("a",))
    assert averages.accuracy == (1, 1)
    assert telemetry.counts().shown == 2
