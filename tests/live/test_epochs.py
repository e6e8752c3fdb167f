"""Whatever arrives in whatever order, an epoch holds exactly the samples around its marker."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bci_live.config import EpochConfig, FilterConfig
from bci_live.live.epocher import Epocher
from bci_live.live.mailbox import Mailbox
from bci_live.live.telemetry import Telemetry
from bci_live.signal.epoching import EpochPlan
from bci_live.types import Chunk, Epoch, FloatArray, Marker, Missed, MissedReason
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


def expected(time: float, total: int, lost_at: int) -> int | MissedReason:
    """What is to become of a marker: the count of its onset's sample, or why it is missed.

    `total` samples arrived; those from number `lost_at` on count LOST more.
    """
    sent = np.arange(total)
    counts = np.where(sent >= lost_at, sent + LOST, sent)
    nearest = int(np.abs(counts / RATE - time).argmin())
    away = time - counts[nearest] / RATE
    if abs(away) > 0.5 / RATE:
        if away < 0 and nearest == 0:
            return MissedReason.TOO_OLD
        return MissedReason.LATE if away > 0 and nearest == total - 1 else MissedReason.GAP
    holed = 0 < lost_at < total
    begin = lost_at if holed and nearest >= lost_at else 0
    end = lost_at if holed and nearest < lost_at else total
    if nearest - BEFORE < begin:
        return MissedReason.GAP if begin else MissedReason.TOO_OLD
    if nearest + AFTER > end:
        return MissedReason.LATE if end == total else MissedReason.GAP
    return int(counts[nearest])


@settings(max_examples=150, deadline=None)
# Before the interruption there is less than the window needs: it is missed for the interruption all the same.
@example(milliseconds=[776], sizes=[2], lost_at=1, late_by=0)
@given(
    # Not half-way between two samples, where either is right.
    milliseconds=st.lists(st.integers(0, 12_000).filter(lambda ms: ms % 10 != 5), max_size=30),
    sizes=st.lists(st.integers(1, 120), min_size=1, max_size=14),
    lost_at=st.integers(0, 900),
    late_by=st.integers(0, 5),
)
def test_each_marker_gets_exactly_the_epoch_or_the_reason_it_must_and_in_the_order_of_the_windows(
    milliseconds: list[int], sizes: list[int], lost_at: int, late_by: int
) -> None:
    eeg, markers, mailbox, telemetry = FakeEeg(), FakeMarkers(), Mailbox[Epoch](1000), Telemetry(1)
    now = 0.0
    epocher = Epocher(eeg, markers, CountsKept(), CARD, mailbox, telemetry, lambda: now, timeout_s=1000)  # type: ignore[arg-type]
    sent = [Marker("a", ms / 1000, detail=str(number)) for number, ms in enumerate(milliseconds)]
    waiting, first = [*sent], 0
    for index, size in enumerate(sizes):
        eeg.ring.write(counted(first, size, lost_at))
        first += size
        now = float(eeg.ring.latest(1).times[-1])
        if index >= late_by:  # then all at once, jumbled
            markers.waiting, waiting = waiting, []
        epocher.step()
    epocher.close()
    epocher.give_up()
    epochs = [epoch for _ in range(len(mailbox)) if (epoch := mailbox.take(0.0)) is not None]
    assert [epoch.marker.time for epoch in epochs] == sorted(epoch.marker.time for epoch in epochs)
    missed = {outcome.marker: outcome.reason for outcome in telemetry.drain() if isinstance(outcome, Missed)}
    became = {epoch.marker: round(epoch.onset * RATE) for epoch in epochs} | missed
    admitted = [] if waiting else sent
    assert became == {marker: expected(marker.time, first, lost_at) for marker in admitted}
    assert len(epochs) + len(missed) == telemetry.counts().markers == len(admitted)
    for epoch in epochs:
        onset = round(epoch.onset * RATE)
        np.testing.assert_array_equal(epoch.data[0], np.arange(onset - BEFORE, onset + AFTER))
