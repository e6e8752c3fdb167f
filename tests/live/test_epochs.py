"""Whatever arrives in whatever order, an epoch holds exactly the samples around its marker."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bci_live.config import EpochConfig, FilterConfig
from bci_live.live.epocher import Epocher
from bci_live.live.mailbox import Mailbox
from bci_live.live.telemetry import Telemetry
from bci_live.signal.epoching import EpochPlan
from bci_live.types import Chunk, Epoch, FloatArray, Marker
from tests.live.fakes import RATE, FakeEeg, FakeMarkers

BEFORE, AFTER, LOST = 20, 40, 77
CARD = SimpleNamespace(channels=("A", "B"), labels=("a",), marker_labels={})


class CountsKept(EpochPlan):
    """Cuts without filtering, so that each sample can be known by its count."""

    def __init__(self) -> None:
        epoch = EpochConfig(start_s=-BEFORE / RATE, stop_s=AFTER / RATE, baseline=False, reject_uv=None)
        super().__init__(RATE, RATE, FilterConfig(pre_roll_s=0.0), epoch)

    def prepare(self, samples: FloatArray) -> FloatArray:
        return np.ascontiguousarray(samples.T)


def counted(first: int, n: int, lost_at: int) -> Chunk:
    """Samples that count; from `lost_at` on LOST samples are missing."""
    sent = np.arange(first, first + n)
    counts = np.where(sent >= lost_at, sent + LOST, sent)
    breaks = (int(lost_at - first),) if first <= lost_at < first + n and lost_at > 0 else ()
    samples = np.stack([counts, counts], axis=1).astype(np.float32)
    return Chunk(samples, counts / RATE, float(counts[-1]) / RATE, breaks)


@settings(max_examples=150, deadline=None)
@given(
    times=st.lists(st.floats(0, 12, allow_nan=False), max_size=30),
    sizes=st.lists(st.integers(1, 120), min_size=1, max_size=14),
    lost_at=st.integers(0, 900),
    late_by=st.integers(0, 5),
)
def test_epochs_hold_the_samples_around_their_marker_in_the_order_of_their_ends(
    times: list[float], sizes: list[int], lost_at: int, late_by: int
) -> None:
    eeg, markers, mailbox, telemetry = FakeEeg(), FakeMarkers(), Mailbox[Epoch](1000), Telemetry(1)
    now = 0.0
    epocher = Epocher(eeg, markers, CountsKept(), CARD, mailbox, telemetry, lambda: now, timeout_s=5)  # type: ignore[arg-type]
    sent, first, rounds = [Marker("a", time) for time in times], 0, []
    for index, size in enumerate(sizes):
        eeg.ring.write(counted(first, size, lost_at))
        first += size
        now = float(eeg.ring.latest(1).times[-1])
        if index >= late_by:  # then all at once, jumbled
            markers.waiting, sent = sent, []
        epocher.step()
        rounds.append([epoch for _ in range(1000) if (epoch := mailbox.take(0.0)) is not None])
    epocher.give_up()
    for epochs in rounds:
        ends = [epoch.marker.time for epoch in epochs]
        assert ends == sorted(ends)
        for epoch in epochs:
            onset = round(epoch.onset * RATE)
            np.testing.assert_array_equal(epoch.data[0], np.arange(onset - BEFORE, onset + AFTER))
            assert abs(epoch.onset - epoch.marker.time) <= 0.5 / RATE + 1e-9
    counts = telemetry.counts()
    assert sum(map(len, rounds)) + sum(counts.missed.values()) + len(mailbox) == counts.markers
