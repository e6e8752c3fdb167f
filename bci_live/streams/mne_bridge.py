"""Live epochs and Evokeds for MNE users: an mne-realtime client over our ring buffer.

mne-realtime is discontinued and its own LSL client fails on today's pylsl, but its `RtEpochs` works with any client:

    client = RingClient(eeg, markers.pop, {"face": 2, "house": 1}, tmin=-0.1, tmax=0.5)
    epochs = RtEpochs(client, {"face": 2, "house": 1}, -0.1, 0.5, baseline=(None, 0))
    epochs.start()
    for evoked in epochs.iter_evoked(): …
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence

import mne
import numpy as np
from numpy.typing import NDArray

from bci_live.streams.inlet import EegInlet
from bci_live.streams.ring import Window
from bci_live.types import Marker

with warnings.catch_warnings():
    # "mne-realtime is discontinued": known, and nothing that a user of ours could act on.
    warnings.simplefilter("ignore")
    from mne_realtime import RtEpochs
    from mne_realtime.base_client import _BaseClient

__all__ = ["RingClient", "RtEpochs", "evoked"]

STIM_CHANNEL = "STI 014"
_MNE_TYPES = {"eeg", "eog", "ecg", "emg"}
_VOLTS_PER_MICROVOLT = 1e-6
_BUFFER_S = 0.2
_WAIT_S = 0.1
_JOIN_S = 5.0


class RingClient(_BaseClient):
    """Hands the ring's samples to `RtEpochs` in buffers, in V, with a stim channel made of the markers.

    Buffers are handed on `tmax` later than they came, when it is known of each marker in them whether its window is whole.
    A marker whose window `tmin`…`tmax` s touches a gap gets no event, so `RtEpochs` never splices; it is counted in `left_out`.

    Parameters
    ----------
    eeg : a running inlet
    markers : gives the markers since its last call
    event_id : label → code, 1 or more; other labels are left out
    """

    def __init__(
        self,
        eeg: EegInlet,
        markers: Callable[[], list[Marker]],
        event_id: Mapping[str, int],
        tmin: float = -0.1,
        tmax: float = 0.8,
    ) -> None:
        self._ring, self._new_markers, self._event_id = eeg.ring, markers, dict(event_id)
        self._before = round(-tmin * eeg.ring.rate) + 1
        self._after = round(tmax * eeg.ring.rate) + 1
        self._size = max(1, round(_BUFFER_S * eeg.ring.rate))
        self._waiting: list[Marker] = []
        self._stopping = threading.Event()
        self.left_out = 0
        self._recv_thread: threading.Thread | None = None
        types = [it if it in _MNE_TYPES else "misc" for it in eeg.facts.channel_types]
        info = _info([*eeg.facts.channels, STIM_CHANNEL], [*types, "stim"], eeg.facts.rate)
        super().__init__(info=info, buffer_size=self._size)

    def iter_raw_buffers(self) -> Iterator[NDArray[np.float64]]:
        """Buffers (channels + 1, samples) of equal size, V, until the receive thread is stopped."""
        first = sent = self._ring.count
        seen = 0
        while not self._stopping.is_set():
            seen = self._ring.wait_newer(seen, _WAIT_S)
            self._waiting += self._new_markers()
            while sent + self._size + self._after <= seen:
                yield self._buffer(sent, first)
                sent += self._size

    def stop_receive_thread(self, stop_measurement: bool = False) -> None:
        """End the thread. The inherited method calls a `stop` that threads do not have."""
        thread, self._recv_thread = self._recv_thread, None
        self._stopping.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN_S)
        self._stopping.clear()

    def _buffer(self, start: int, first: int) -> NDArray[np.float64]:
        chunk = self._ring.between(start, start + self._size)
        stim = np.zeros(len(chunk.times))
        later = []
        for marker in self._waiting:
            if marker.time > chunk.times[-1] + 0.5 / self._ring.rate:
                later.append(marker)
                continue
            place = int(np.abs(chunk.times - marker.time).argmin())
            near = abs(chunk.times[place] - marker.time) <= 0.5 / self._ring.rate
            if near and self._whole(marker, start + place - first):
                stim[place] = self._event_id[marker.label]
            else:
                self.left_out += 1
        self._waiting = later
        return np.vstack([chunk.samples.T * _VOLTS_PER_MICROVOLT, stim])

    def _whole(self, marker: Marker, since_first: int) -> bool:
        if marker.label not in self._event_id or since_first < self._before:
            return False
        return isinstance(self._ring.window(marker.time, self._before, self._after), Window)


def evoked(
    average: NDArray[np.float64], channels: Sequence[str], rate: float, start_s: float, label: str, trials: int
) -> mne.EvokedArray:
    """An average response (channels, times), µV, as MNE has it: in V, `start_s` after the marker on, with the electrodes' places."""
    info = _info(channels, ["eeg"] * len(channels), rate)
    return mne.EvokedArray(
        average * _VOLTS_PER_MICROVOLT, info, tmin=start_s, comment=label, nave=trials, verbose="error"
    )


def _info(channels: Sequence[str], types: Sequence[str], rate: float) -> mne.Info:
    info = mne.create_info(list(channels), rate, list(types))
    info.set_montage("standard_1005", match_case=False, on_missing="ignore", verbose="error")
    return info
