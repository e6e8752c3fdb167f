"""Epochs out of a recording, cut by the very path that the live program takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bci_live.sessions.recording import Recording
from bci_live.signal.epoching import EpochPlan, make_epoch
from bci_live.signal.montage import Montage
from bci_live.streams.repeated import Repetitions
from bci_live.streams.ring import RingBuffer
from bci_live.types import FloatArray, Marker, Missed, MissedReason


@dataclass(frozen=True, slots=True)
class EpochSet:
    """`data`: (n, channels, times), µV; of each epoch its marker and the onset sample's time, s; and what was missed.

    `filled`: in how many of the epochs channels were filled in.
    """

    data: FloatArray
    markers: tuple[Marker, ...]
    onsets: tuple[float, ...]
    missed: tuple[Missed, ...]
    filled: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """What was shown."""
        return tuple(marker.label for marker in self.markers)

    @property
    def details(self) -> tuple[str, ...]:
        """What else the markers told."""
        return tuple(marker.detail for marker in self.markers)


def ring_of(recording: Recording) -> RingBuffer:
    """A ring that holds the whole recording, as a live inlet would have filled it."""
    arrivals = recording.arrivals()
    ring = RingBuffer(
        len(recording.facts.channels), recording.facts.rate, len(arrivals.times) / recording.facts.rate + 1
    )
    ring.write(arrivals)
    return ring


def cut_recording(
    recording: Recording, plan: EpochPlan, channels: Sequence[str], ring: RingBuffer | None = None
) -> EpochSet:
    """Every epoch of a recording, of `channels` in their order, straightened and filtered as live.

    `ring`: of `ring_of`, where the recording is cut several times.

    Raises
    ------
    MontageError
        If the recording lacks a channel, or the reference.
    """
    montage = Montage(channels, recording.facts, plan.epoch, str(recording.path))
    ring = ring or ring_of(recording)
    data, markers, onsets, missed, filled = [], [], [], [], 0
    repetitions = Repetitions()
    for marker in recording.markers:
        if repetitions.has_seen(marker):
            missed.append(Missed(marker, MissedReason.TWICE))
            continue
        window = ring.window(marker.time, plan.before, plan.after)
        if window is None or isinstance(window, MissedReason):
            missed.append(Missed(marker, window or MissedReason.LATE))
            continue
        epoch = make_epoch(window.samples, plan, montage)
        if isinstance(epoch, str):
            missed.append(Missed(marker, MissedReason.ARTEFACT, epoch))
            continue
        data.append(epoch.data)
        filled += bool(epoch.filled)
        markers.append(marker)
        onsets.append(window.onset)
    stacked = np.stack(data) if data else np.zeros((0, len(channels), plan.n_times), dtype=np.float32)
    return EpochSet(stacked, tuple(markers), tuple(onsets), tuple(missed), filled)
