"""The program's own way from the outlets to epochs, as a program of its own; its figures are its last line of output."""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from bci_live.config import EpochConfig, FilterConfig
from bci_live.evaluation.streaming.score import WINDOW_S, Listened, ListenerPlan, Usage, expected_onsets, score
from bci_live.live.epocher import Epocher
from bci_live.live.mailbox import Mailbox
from bci_live.live.stages import ErrorLog, Stage
from bci_live.live.telemetry import Telemetry
from bci_live.signal.epoching import EpochPlan
from bci_live.streams.clock import local_clock
from bci_live.streams.discovery import find_eeg, find_markers
from bci_live.streams.inlet import EegInlet, MarkerInlet
from bci_live.types import Epoch, FloatArray

_FIND_S = 20.0
_LOOK_S = 0.25
_RING_S = 60.0


class RawPlan(EpochPlan):
    """Epochs as the peer cuts them, unfiltered: so both do the same work, and each sample can be checked."""

    def __init__(self, rate: float) -> None:
        epoch = EpochConfig(start_s=WINDOW_S[0], stop_s=WINDOW_S[1], baseline=False, reject_uv=None)
        super().__init__(rate, rate, FilterConfig(high_hz=rate / 4, pre_roll_s=0.0), epoch)

    def prepare(self, samples: FloatArray) -> FloatArray:
        """(times, channels) → (channels, times)."""
        return np.ascontiguousarray(samples.T)


class SampleCheck:
    """Follows one ring and counts the samples that are missing from it, by the sender's counter."""

    def __init__(self, eeg: EegInlet) -> None:
        self._eeg = eeg
        self._next = 0
        self._last: float | None = None
        self.lost = 0
        self.stamps_wrong_ms = 0.0

    def look(self, begin: float, rate: float) -> None:
        """Check what came since the last look."""
        chunk = self._eeg.ring.between(self._next, self._eeg.ring.count)
        if not len(chunk.times):
            return
        self._next += len(chunk.times)
        counts: NDArray[np.float64] = chunk.samples[:, 0].astype(np.float64)
        before = counts[0] - 1 if self._last is None else self._last
        self.lost += int(np.abs(np.diff(counts, prepend=before) - 1).sum())
        self._last = float(counts[-1])
        off = np.abs(chunk.times - (begin + counts / rate)).max()
        self.stamps_wrong_ms = max(self.stamps_wrong_ms, 1e3 * float(off))


def main() -> None:
    """The command line: a `ListenerPlan` as JSON."""
    plan = ListenerPlan.from_json(sys.argv[1])
    sent = plan.sender
    clock, ended = local_clock, threading.Event()
    infos = [find_eeg(sent.eeg_name(k), _FIND_S) for k in range(sent.streams)]
    with ExitStack() as stack:
        inlets = [stack.enter_context(EegInlet(info, _RING_S)) for info in infos]
        markers = stack.enter_context(MarkerInlet(find_markers(sent.marker_name, _FIND_S)))
        mailbox: Mailbox[Epoch] = Mailbox(64)
        card = SimpleNamespace(channels=inlets[0].facts.channels, labels=("1",), marker_labels={})
        epocher = Epocher(
            inlets[0], markers, RawPlan(sent.rate), card, mailbox, Telemetry(1, keep_unread=False), clock, 5.0
        )
        stage = Stage("epoching", epocher.step, ErrorLog(), epocher.give_up)
        stage.start()
        stack.callback(stage.stop)
        checks = [SampleCheck(inlet) for inlet in inlets]
        threading.Thread(target=_hog, args=(plan.hog_s, plan.seconds / 3, ended), daemon=True).start()
        since, usage, got = clock(), Usage(), []
        looked = since
        while (now := clock()) < since + plan.seconds:
            epoch = mailbox.take(_LOOK_S)
            if epoch is not None:
                now = clock()
                got.append(Listened(epoch.data[:2].copy(), now))
            if now - looked > _LOOK_S:
                looked = now
                for check in checks:
                    check.look(sent.begin, sent.rate)
        figures = score(sent, expected_onsets(sent, since, clock()), got) | usage.figures()
    figures["samples_lost"] = sum(check.lost for check in checks)
    figures["stamp_error_ms_max"] = round(max(check.stamps_wrong_ms for check in checks), 3)
    sys.stdout.write(json.dumps(figures) + "\n")


def _hog(seconds: float, after_s: float, ended: threading.Event) -> None:
    """Hold Python's interpreter lock for `seconds`: a sum over a range lets nobody else run until it is done."""
    if not seconds or ended.wait(after_s):
        return
    numbers = 1_000_000
    # Of processor time: beside other work the first sum takes longer by the clock, and the second would end too early.
    began = time.thread_time()
    sum(range(numbers))
    sum(range(int(numbers * seconds / (time.thread_time() - began))))


if __name__ == "__main__":
    main()
