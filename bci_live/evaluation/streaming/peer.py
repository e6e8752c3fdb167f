"""mne-lsl's way from the same outlets to epochs, as a program of its own; its figures are its last line of output."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from mne_lsl.lsl import local_clock
from mne_lsl.stream import EpochsStream, StreamLSL

from bci_live.evaluation.streaming.score import WINDOW_S, Listened, ListenerPlan, Usage, expected_onsets, score
from bci_live.evaluation.streaming.sender import EVENT

# As its documentation advises: the epochs' own length, with room for what is not yet cut.
_BUFFER_S = 2.0
_DELAY_S = 0.001
_MARKERS = 20  # of an irregular stream the buffer is counted in samples


class TimedEpochs(EpochsStream):  # type: ignore[misc]
    """Notes when an epoch is there the moment it is, without polling for it."""

    got: list[Listened]
    _n_new_epochs: int

    def _submit_acquisition_job(self) -> None:
        if self._n_new_epochs:
            now = local_clock()
            for row in self._buffer[-self._n_new_epochs :, :, :2]:
                self.got.append(Listened(row.T.copy(), now))
            self._n_new_epochs = 0
        super()._submit_acquisition_job()


def main() -> None:
    """The command line: a `ListenerPlan` as JSON."""
    plan = ListenerPlan.from_json(sys.argv[1])
    sent = plan.sender
    eeg = StreamLSL(_BUFFER_S, name=sent.eeg_name()).connect(
        acquisition_delay=_DELAY_S, processing_flags="all", timeout=20
    )
    markers = StreamLSL(_MARKERS, name=sent.marker_name).connect(
        acquisition_delay=_DELAY_S, processing_flags="all", timeout=20
    )
    before, after = WINDOW_S
    epochs = TimedEpochs(
        eeg,
        10,
        {EVENT: 1},
        EVENT,
        markers,
        before,
        after - 0.5 / sent.rate,
        baseline=None,
        picks=np.arange(sent.channels),
    )
    epochs.got = []
    epochs.connect(acquisition_delay=_DELAY_S)
    since, usage = local_clock(), Usage()
    time.sleep(plan.seconds)
    figures = score(sent, expected_onsets(sent, since, local_clock()), list(epochs.got)) | usage.figures()
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()  # liblsl may crash when its inlets go
    for stream in (epochs, markers, eeg):
        stream.disconnect()


if __name__ == "__main__":
    main()
