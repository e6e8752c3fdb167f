"""Waits until a marker's window is complete, cuts it, judges it, sends it on."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from bci_live.live.mailbox import Mailbox
from bci_live.live.protocols import Card, MarkerSource
from bci_live.live.sliding import is_sliding
from bci_live.live.telemetry import Telemetry
from bci_live.signal.epoching import EpochPlan, fillable, make_epoch
from bci_live.signal.montage import Montage
from bci_live.streams.inlet import EegInlet
from bci_live.streams.repeated import Repetitions
from bci_live.streams.ring import Window
from bci_live.types import Epoch, Marker, Missed, MissedReason

# How long to wait for new samples before looking for new markers.
_WAIT_S = 0.02
# Samples and markers of one sender come in about this order.
_HOLD_S = 0.25
# A sender gone wild must not fill the memory: some seconds of thousands of markers a second.
MOST_PENDING = 20_000
_SENTENCES = {
    MissedReason.GAP: "samples were lost in the window around the marker",
    MissedReason.TOO_OLD: "the window around the marker begins before the signal that is held",
}


class _Pending(NamedTuple):
    """A marker whose window may not be complete: in the order of the windows, then of arrival.

    `came`: when it was admitted. `due`: before that it cannot be complete. `hold`: until when it waits whatever is there.
    `late`: when it is given up.
    """

    time: float
    order: int
    marker: Marker
    came: float
    due: float
    hold: float
    late: float
    went_back: int


class Epocher:
    """The pending markers, in the order in which their windows end. One step looks once at each that may be due.

    `admitted`: is told of each marker whose window is waited for.
    """

    def __init__(
        self,
        eeg: EegInlet,
        markers: MarkerSource,
        plan: EpochPlan,
        card: Card,
        mailbox: Mailbox[Epoch],
        telemetry: Telemetry,
        clock: Callable[[], float],
        timeout_s: float,
        admitted: Callable[[Marker], None] = lambda _: None,
    ) -> None:
        self._ring, self._markers, self._plan = eeg.ring, markers, plan
        self._labels, self._marker_labels = frozenset(card.labels), card.marker_labels
        self._montage = Montage(card.channels, eeg.facts, plan.epoch, eeg.facts.name)
        self._mailbox, self._telemetry, self._clock, self._timeout_s = mailbox, telemetry, clock, timeout_s
        self._admitted = admitted
        self._pending: list[_Pending] = []
        self._order = count()
        self._repetitions = Repetitions()
        self._seen = 0
        self._closed = False

    @property
    def needed(self) -> tuple[str, ...]:
        """The channels of the stream of which a fault costs the epoch."""
        return self._montage.needed if self._montage.faults_count else ()

    def fills(self, names: Collection[str]) -> bool:
        """Whether epochs can be read though these channels of the stream are at fault."""
        return fillable(names, self._plan, self._montage) is not None

    def close(self) -> None:
        """Admit no more markers; what is pending goes on."""
        self._closed = True

    def step(self) -> None:
        """Admit new markers, cut what is complete, wait a moment for samples."""
        if not self._closed:
            now = self._clock()
            for marker in self._markers.pop():
                self._admit(marker, now)
            self._telemetry.dropped(self._markers.pop_dropped())
        waiting: list[_Pending] = []
        held = math.inf
        try:
            # Windows are equally long, so once one is incomplete the later ones are, too; unless it is late or in a gap.
            while self._pending:
                pending = heapq.heappop(self._pending)
                # Behind one that is held, those that came with or after it wait, too: windows end in order.
                if pending.came >= held or not self._finish(pending):
                    waiting.append(pending)
                    if self._clock() < pending.hold:
                        held = min(held, pending.came)
                    elif self._clock() < pending.due:
                        break
        finally:
            for item in waiting:
                heapq.heappush(self._pending, item)
        self._seen = self._ring.wait_newer(self._seen, _WAIT_S)

    def give_up(self) -> None:
        """The session ends: what still waits for samples is late."""
        while self._pending:
            pending = heapq.heappop(self._pending)
            if not self._finish(pending):
                self._miss(
                    pending.marker, MissedReason.LATE, "the stream or the session ended before the window was complete"
                )

    def _admit(self, marker: Marker, now: float) -> None:
        marker = replace(marker, label=self._marker_labels.get(marker.label, marker.label))
        self._telemetry.marker(marker)
        if marker.label not in self._labels and not is_sliding(marker):
            known = ", ".join(sorted(self._labels)[:8]) + (", …" if len(self._labels) > 8 else "")
            self._miss(
                marker,
                MissedReason.UNKNOWN_LABEL,
                f"the decoder does not know the label {marker.label!r}; it knows {known}",
            )
            return
        if self._repetitions.has_seen(marker):
            self._miss(marker, MissedReason.TWICE, "the same marker, with the same stamp, had come already")
            return
        if len(self._pending) >= MOST_PENDING:
            self._miss(marker, MissedReason.DROPPED, f"{MOST_PENDING:,} markers were waiting already")
            return
        # A stamp from another clock may lie years ahead: such a marker waits as long as one of now.
        window_s = self._plan.after / self._plan.rate
        due = min(marker.time, now) + window_s
        # Counted from its coming, not from its stamp, which a clock set back puts into the past.
        late = now + window_s + self._timeout_s
        # One that comes after its whole window may be of a clock that was set back, before the samples tell of that.
        hold = now + _HOLD_S if marker.time + window_s < now - _HOLD_S else now
        heapq.heappush(
            self._pending, _Pending(marker.time, next(self._order), marker, now, due, hold, late, self._ring.went_back)
        )
        self._admitted(marker)

    def _finish(self, pending: _Pending) -> bool:
        """Whether the marker is done with: cut, or missed. What is raised costs this marker alone."""
        try:
            return self._try(pending)
        except Exception as error:
            self._miss(pending.marker, MissedReason.ERROR, str(error) or type(error).__name__)
            raise

    def _try(self, pending: _Pending) -> bool:
        marker = pending.marker
        if pending.went_back != self._ring.went_back:
            self._miss(marker, MissedReason.GAP, "the sender's clock was set back while its window was waited for")
            return True
        if self._clock() < pending.hold and not self._closed:
            return False
        window = self._ring.window(marker.time, self._plan.before, self._plan.after)
        if window is None:
            now = self._clock()
            if now < pending.late:
                return False
            ahead = marker.time - now
            self._miss(
                marker,
                MissedReason.LATE,
                f"its window was not complete {self._timeout_s:g} s after its end"
                + (
                    f"; it is dated {ahead:.0f} s ahead of this clock: stamp markers with LSL's local_clock"
                    if ahead > 0
                    else ""
                ),
            )
        elif isinstance(window, MissedReason):
            self._miss(marker, window, _SENTENCES[window])
        else:
            self._cut(marker, window)
        return True

    def _cut(self, marker: Marker, window: Window) -> None:
        made = make_epoch(window.samples, self._plan, self._montage)
        if isinstance(made, str):
            self._miss(marker, MissedReason.ARTEFACT, made)
            return
        self._telemetry.filled(made.filled)
        epoch = Epoch(made.data, window.onset, marker, window.arrived, self._clock(), filled=made.filled)
        pushed_out = self._mailbox.put(epoch)
        if pushed_out is not None:
            self._miss(pushed_out.marker, MissedReason.DROPPED, "newer epochs came before this one could be decoded")

    def _miss(self, marker: Marker, reason: MissedReason, detail: str) -> None:
        self._telemetry.ended(Missed(marker, reason, detail))
