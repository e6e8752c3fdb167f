"""A marker stream that comes after the session has begun is taken as soon as it is there."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from bci_live.streams.awaited import AwaitedMarkers, MarkerSearch
from bci_live.types import Marker
from tests.waiting import wait_until

SENDER = """
import sys, time, pylsl
outlet = pylsl.StreamOutlet(pylsl.StreamInfo(sys.argv[1], "Markers", 1, 0, pylsl.cf_string, sys.argv[2]))
for count in range(10_000):
    outlet.push_sample([f"m{count}"])
    time.sleep(0.05)
"""


@contextmanager
def sender(name: str, source_id: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", SENDER, name, source_id])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_markers_come_from_the_moment_on_at_which_their_stream_is_there() -> None:
    name = f"late-{uuid.uuid4()}"
    got: list[Marker] = []
    with AwaitedMarkers(MarkerSearch(name)) as markers:
        wait_until(lambda: name in markers.trouble(), 15, "the search to say what it misses")
        assert "taken as soon as it comes" in markers.trouble()
        assert markers.pop() == []
        with sender(name, name):
            wait_until(lambda: bool(got.extend(markers.pop()) or got), 20, "markers")
            assert markers.trouble() == ""
            wait_until(lambda: len(got.extend(markers.pop()) or got) >= 20, 20, "more of them")
    numbers = [int(marker.label[1:]) for marker in got]
    assert numbers == [*range(numbers[0], numbers[0] + len(numbers))]


def test_of_several_none_is_taken_by_chance_until_one_is_left() -> None:
    name = f"twin-{uuid.uuid4()}"
    with AwaitedMarkers(MarkerSearch(name)) as markers:
        with sender(name, f"{name}-1"), sender(name, f"{name}-2"):
            wait_until(lambda: "Several streams" in markers.trouble(), 20, "the search to tell of both")
            assert markers.pop() == []
        with sender(name, f"{name}-3"):
            wait_until(lambda: markers.trouble() == "", 30, "the one that is left")


def test_it_ends_while_it_still_searches() -> None:
    with AwaitedMarkers(MarkerSearch(f"never-{uuid.uuid4()}")) as markers:
        assert markers.trouble()
    assert not markers._thread.is_alive()
