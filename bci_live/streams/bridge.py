"""`bci-live bridge`: a board of BrainFlow as LSL streams."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from bci_live.streams.board import Board
from bci_live.streams.interruptions import interruptions
from bci_live.streams.outlet import open_eeg_outlet, open_marker_outlet

# liblsl advises chunks of 5 to 30 ms.
_EVERY_S = 0.02

OnProgress = Callable[[int, int], None]


def bridge(
    board: str, settings: Mapping[str, str], *, seconds: float | None = None, on_progress: OnProgress | None = None
) -> tuple[int, int]:
    """Send until Ctrl-C, SIGTERM or the end of `seconds`; returns how many samples and markers were sent.

    The EEG stream has the board's name, channel names and µV; the marker stream, named `NAME-markers`, has BrainFlow's
    markers as text.

    Raises
    ------
    StreamError
        If the board does not answer, or breaks off.
    """
    samples_sent = markers_sent = 0
    with Board(board, settings) as source, interruptions() as interrupted:
        facts = source.facts
        eeg = open_eeg_outlet(facts, max(1, round(_EVERY_S * facts.rate)))
        markers = open_marker_outlet(
            replace(
                facts, name=f"{facts.name}-markers", kind="Markers", source_id=f"{facts.source_id}-markers", rate=0.0,
                channels=("marker",), units=("",),
            )
        )  # fmt: skip
        begin = time.monotonic()
        while not interrupted and (seconds is None or time.monotonic() - begin < seconds):
            samples, times, marked = source.read()
            if len(times):
                eeg.push_chunk(samples, times.tolist())
            for index in np.flatnonzero(marked).tolist():
                markers.push_sample([f"{marked[index]:g}"], times[index])
                markers_sent += 1
            samples_sent += len(times)
            if on_progress is not None:
                on_progress(samples_sent, markers_sent)
            time.sleep(_EVERY_S)
    return samples_sent, markers_sent
