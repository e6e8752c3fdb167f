"""Counts and times of a running session. The one place where the stages' results meet; everything under one lock.

Here, too, it is held that a marker ends exactly once: one that came in is open until its first outcome, and a second
outcome of it is not counted.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Collection
from dataclasses import asdict, replace

import numpy as np

from bci_live.live.snapshot import Counts, LatencyStatus, Outcome
from bci_live.types import Decoding, Guess, Marker, Missed, MissedReason, Reconstruction

_RECENT_TIMES = 500
_RECENT_MARKERS = 200
# Each holds a picture: some hundred megabytes.
_MOST_UNREAD = 10_000


class Telemetry:
    """Takes what the stages tell; gives counts, latencies, the newest pictures, and the outcomes that nobody read yet.

    `keep_unread`: whether somebody drains the outcomes; each holds its pictures, so unread they would fill the memory.
    """

    def __init__(self, history: int, keep_unread: bool = True) -> None:
        self._keep_unread = keep_unread
        self._open: Counter[Marker] = Counter()
        self._lock = threading.Lock()
        self._markers = 0
        self._shown = 0
        self._missed: Counter[MissedReason] = Counter()
        self._filled_epochs = 0
        self._filled: Counter[str] = Counter()
        self._times: dict[str, deque[float]] = {}
        self._history: deque[Reconstruction] = deque(maxlen=history)
        self._recent: deque[Marker] = deque(maxlen=_RECENT_MARKERS)
        self._recent_missed: deque[Missed] = deque(maxlen=_RECENT_MARKERS)
        self._unread: deque[Outcome] = deque()
        self._let_go = 0
        self._guesses: dict[Marker, tuple[Guess, ...]] = {}
        self._guess: Guess | None = None
        self._decoding: Decoding | None = None
        self._reconstruction: Reconstruction | None = None
        self._last: Outcome | None = None

    def marker(self, marker: Marker) -> None:
        """A marker came in."""
        with self._lock:
            self._markers += 1
            self._open[marker] += 1
            self._recent.append(marker)

    def dropped(self, markers: int) -> None:
        """So many came in and ended at once, unread, because too many waited for anybody to look at them."""
        if not markers:
            return
        with self._lock:
            self._markers += markers
            self._missed[MissedReason.DROPPED] += markers
            self._let_go += markers

    def filled(self, channels: Collection[str]) -> None:
        """In an epoch these channels were filled in from the others."""
        with self._lock:
            self._filled_epochs += bool(channels)
            self._filled.update(channels)

    def guessed(self, guess: Guess) -> None:
        """The newest guess, to be shown while its marker's window fills. Of a marker that has ended it is not told."""
        marker = guess.epoch.marker
        with self._lock:
            if self._open[marker]:
                self._guess = guess
                self._guesses[marker] = (*self._guesses.get(marker, ()), guess)

    def decoded(self, decoding: Decoding) -> None:
        """The newest decoding, to be shown while its picture is drawn."""
        with self._lock:
            self._decoding, self._guess = decoding, None

    def drew(self, reconstruction: Reconstruction) -> None:
        """The newest picture, perhaps unfinished."""
        with self._lock:
            self._reconstruction = reconstruction

    def ended(self, outcome: Outcome) -> None:
        """A marker was shown or missed. What comes after the session was given up is not counted again."""
        with self._lock:
            self._end(outcome)

    def give_up(self, detail: str) -> None:
        """The session ends: every marker that is still open is late."""
        with self._lock:
            for marker in list(self._open.elements()):
                self._end(Missed(marker, MissedReason.LATE, detail))

    @property
    def open(self) -> int:
        """How many markers came in and have not ended."""
        with self._lock:
            return self._open.total()

    def _end(self, outcome: Outcome) -> None:
        if not self._open[outcome.marker]:
            return
        self._open[outcome.marker] -= 1
        if not self._open[outcome.marker]:
            del self._open[outcome.marker]
        if self._guess is not None and self._guess.epoch.marker == outcome.marker:
            self._guess = None
        outcome = replace(outcome, guesses=self._guesses.pop(outcome.marker, ()))
        self._last = outcome
        if self._keep_unread:
            self._unread.append(outcome)
            if len(self._unread) > _MOST_UNREAD:
                self._unread.popleft()
                self._let_go += 1
        if isinstance(outcome, Missed):
            self._missed[outcome.reason] += 1
            self._recent_missed.append(outcome)
            return
        self._shown += 1
        self._history.append(outcome.reconstruction)
        for name, value in asdict(outcome.timings).items():
            self._times.setdefault(name, deque(maxlen=_RECENT_TIMES)).append(value)

    def drain(self) -> list[Outcome]:
        """The outcomes since the last call, for who writes them down."""
        with self._lock:
            outcomes = list(self._unread)
            self._unread.clear()
        return outcomes

    def counts(self) -> Counts:
        """Markers, shown, missed."""
        with self._lock:
            return Counts(
                self._markers, self._shown, dict(self._missed), self._let_go, self._filled_epochs, dict(self._filled)
            )

    def missed(self) -> tuple[Missed, ...]:
        """The last markers without a picture, newest last."""
        with self._lock:
            return tuple(self._recent_missed)

    def latency(self) -> dict[str, LatencyStatus]:
        """Per stage."""
        with self._lock:
            times = {name: np.array(values) for name, values in self._times.items()}
        return {
            name: LatencyStatus(float(values[-1]), float(np.median(values)), float(np.percentile(values, 95)))
            for name, values in times.items()
        }

    def newest(self) -> tuple[Decoding | None, Reconstruction | None, Outcome | None]:
        """What is on screen."""
        with self._lock:
            return self._decoding, self._reconstruction, self._last

    def guess(self) -> Guess | None:
        """The newest guess, while nothing newer was decoded and its marker is open."""
        with self._lock:
            return self._guess

    def history(self) -> tuple[tuple[Reconstruction, ...], tuple[Marker, ...]]:
        """The last finished pictures and the last markers, newest last."""
        with self._lock:
            return tuple(self._history), tuple(self._recent)


def timings_of(reconstruction: Reconstruction, first_made: float) -> dict[str, float]:
    """The keyword arguments of `Timings` for a finished picture."""
    decoding = reconstruction.decoding
    arrived = decoding.epoch.arrived
    moments = {
        "epoch_ms": decoding.epoch.ready,
        "saliency_ms": decoding.made,
        "first_image_ms": first_made,
        "image_ms": reconstruction.made,
    }
    return {name: (moment - arrived) * 1000 for name, moment in moments.items()}
