"""Guesses what was shown while a marker's window still fills: cuts its beginning as soon as that is there, and reads it.

Guesses are extra. They have a thread of their own and no say in what becomes of a marker; what there is no time for, or what
lies in a gap, gets none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bci_live.live.mailbox import Mailbox
from bci_live.live.protocols import Decoder
from bci_live.live.telemetry import Telemetry
from bci_live.signal.epoching import EpochPlan, make_epoch
from bci_live.signal.montage import Montage
from bci_live.streams.inlet import EegInlet
from bci_live.streams.ring import Window
from bci_live.types import Epoch, Marker, MissedReason

_WAIT_S = 0.02
# More markers within one window cannot be followed on a screen.
_MOST_MARKERS = 16


class _Waiting(NamedTuple):
    """A marker and one beginning of its window. `went_back`: of the ring, when the marker came."""

    marker: Marker
    went_back: int
    until_s: float


class Guesser:
    """The beginnings that are waited for. One step looks once at each. `wanted`: of markers that come from now on."""

    name = "guessing"

    def __init__(
        self, eeg: EegInlet, plan: EpochPlan, decoder: Decoder, telemetry: Telemetry, clock: Callable[[], float]
    ) -> None:
        self._plans = {until_s: plan.until(until_s) for until_s in decoder.card.prefixes}
        self._ring, self._decoder, self._whole = eeg.ring, decoder, plan
        self._montage = Montage(decoder.card.channels, eeg.facts, plan.epoch, eeg.facts.name)
        self._telemetry, self._clock = telemetry, clock
        self._markers: Mailbox[tuple[Marker, int]] = Mailbox(_MOST_MARKERS)
        self._waiting: list[_Waiting] = []
        self._seen = 0
        self.wanted = True

    def watch(self, marker: Marker) -> None:
        """A marker came in whose window is waited for. Called by another thread."""
        if self.wanted:
            self._markers.put((marker, self._ring.went_back))

    def step(self) -> None:
        """Take in new markers, guess what is there, wait a moment for samples."""
        while (came := self._markers.take(0.0)) is not None:
            self._waiting += [_Waiting(*came, until_s) for until_s in self._plans]
        self._waiting = self._waiting[-_MOST_MARKERS * len(self._plans) :]
        for waiting in [*self._waiting]:
            window = self._window(waiting)
            if window is not None:
                self._waiting.remove(waiting)
            if isinstance(window, Window):
                self._guess(waiting, window)
        self._seen = self._ring.wait_newer(self._seen, _WAIT_S)

    def _window(self, waiting: _Waiting) -> Window | MissedReason | None:
        """The samples; why there are none; None while they may come."""
        if waiting.went_back != self._ring.went_back:
            return MissedReason.GAP
        plan = self._plans[waiting.until_s]
        return self._ring.window(waiting.marker.time, plan.before, plan.after)

    def _guess(self, waiting: _Waiting, window: Window) -> None:
        if self._ring.window(waiting.marker.time, self._whole.before, self._whole.after) is not None:
            return  # The whole window is there, too, and is read instead; or there is a gap in it.
        made = make_epoch(window.samples, self._plans[waiting.until_s], self._montage)
        if isinstance(made, str):
            return
        epoch = Epoch(made.data, window.onset, waiting.marker, window.arrived, self._clock(), filled=made.filled)
        self._telemetry.guessed(self._decoder.guess(epoch, waiting.until_s))
