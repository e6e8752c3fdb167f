"""Play a recording as LSL outlets in real time, as if the headset were there."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TypedDict, Unpack

import pylsl
from rich.console import Console
from rich.progress import Progress

from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.schedule import make_schedule
from bci_live.streams.markers import marker_text
from bci_live.streams.outlet import open_eeg_outlet, open_marker_outlet
from bci_live.types import StreamFacts

CHUNK_S = 0.02  # liblsl advises 5…30 ms: less only costs, more delays every epoch
SEAM_S = 1.0  # without samples between two passes of a loop, so that no epoch is spliced over the seam
LINGER_S = 1.0  # after the last sample, so that listeners have it before the outlet closes
POLL_S = 0.02
LONGEST_WAIT_S = 0.25  # between two reports of the progress

OnProgress = Callable[[float, float], None]


def outlet_source_ids(path: Path, source_id: str | None = None) -> tuple[str, str]:
    """The LSL source ids of the EEG outlet and of the marker outlet that a replay of `path` opens."""
    base = source_id or f"replay-{hashlib.sha256(str(Path(path).resolve()).encode()).hexdigest()[:12]}"
    return f"{base}-eeg", f"{base}-markers"


class Replay:
    """A recording on its way out; `run` blocks until it is over.

    Samples and markers leave at absolute deadlines, so that delays do not add up, with their recorded stamps plus one
    constant a pass: jitter and holes stay as they were recorded. Streams keep their names, labels, units and rates.
    A recording without markers gets no marker outlet.

    Parameters
    ----------
    start_s : s from the beginning that are skipped, with their markers, in every pass
    lead_s : s by which the samples start earlier, so that the first epochs have what lies before them
    source_id : see `outlet_source_ids`
    wait_for_consumers_s : the longest wait for a listener on every outlet, s; then it plays all the same
    parent : the process that the replay ends with, even if that is killed (where the system tells: not on Windows)
    clock : what the stamps are told in, s

    Raises
    ------
    RecordingError
        If the recording is over before `start_s`.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        loop: bool = False,
        start_s: float = 0.0,
        lead_s: float = 0.0,
        source_id: str | None = None,
        wait_for_consumers_s: float = 0.0,
        parent: int | None = None,
        clock: Callable[[], float] = pylsl.local_clock,
    ) -> None:
        self._recording = recording
        self._schedule = make_schedule(recording, start_s, lead_s)
        self._loop = loop
        self._wait_s = wait_for_consumers_s
        self._parent = parent
        self._clock = clock
        self._period = 1 / recording.facts.rate
        self._chunk = max(1, round(recording.facts.rate * CHUNK_S))
        eeg_id, marker_id = outlet_source_ids(recording.path, source_id)
        self._eeg_facts = replace(recording.facts, source_id=eeg_id, replay=True)
        self._marker_facts = _marker_facts(recording, marker_id) if recording.markers else None

    def run(self, stop: Event, on_progress: OnProgress | None = None) -> None:
        """Play until the recording is over, or for ever with `loop`, or until `stop` is set.

        `on_progress` is called with the seconds played of a pass and the pass's length.
        """
        eeg = open_eeg_outlet(self._eeg_facts, self._chunk)
        markers = open_marker_outlet(self._marker_facts) if self._marker_facts else None
        self._wait_for_consumers([outlet for outlet in (eeg, markers) if outlet], stop)
        begin = self._clock()
        while not stop.is_set():
            self._play_pass(begin, eeg, markers, stop, on_progress)
            begin += self._pass_length()
            if not self._loop:
                stop.wait(LINGER_S)
                break

    def _wait_for_consumers(self, outlets: list[pylsl.StreamOutlet], stop: Event) -> None:
        until = self._clock() + self._wait_s
        while not all(outlet.have_consumers() for outlet in outlets) and self._clock() < until:
            if stop.wait(POLL_S):
                return

    def _pass_length(self) -> float:
        """From one pass's beginning to the next one's; later than every stamp even if the sender's clock went back."""
        stamps = self._recording.stamps[self._schedule.first :]
        return max(self._schedule.length_s, float(stamps.max() - stamps[0])) + self._period + SEAM_S

    def _play_pass(
        self,
        begin: float,
        eeg: pylsl.StreamOutlet,
        markers: pylsl.StreamOutlet | None,
        stop: Event,
        on_progress: OnProgress | None,
    ) -> None:
        shift = begin - self._recording.stamps[self._schedule.first]
        for due, step in self._schedule.steps(self._chunk):
            if not self._wait_until(begin, due, stop, on_progress):
                return
            if isinstance(step, slice):
                eeg.push_chunk(self._recording.samples[step], self._recording.stamps[step] + shift)
            elif markers is not None:
                marker = self._recording.markers[step]
                markers.push_sample([marker_text(marker)], marker.time + shift)

    def _wait_until(self, begin: float, due: float, stop: Event, on_progress: OnProgress | None) -> bool:
        """Whether it came to that."""
        length = self._schedule.length_s
        while not stop.is_set() and not self._orphaned():
            played = self._clock() - begin
            if on_progress is not None:
                on_progress(min(max(played, 0.0), length), length)
            if played >= due:
                return True
            stop.wait(min(due - played, LONGEST_WAIT_S))
        stop.set()
        return False

    def _orphaned(self) -> bool:
        return self._parent is not None and os.name == "posix" and os.getppid() != self._parent


class ReplayOptions(TypedDict, total=False):
    """What `Replay` can be told besides the recording."""

    loop: bool
    start_s: float
    lead_s: float
    source_id: str | None
    wait_for_consumers_s: float
    parent: int | None


def play(
    recording: Path, stop: Event | None = None, on_progress: OnProgress | None = None, **options: Unpack[ReplayOptions]
) -> None:
    """Replay a recording with the `options` of `Replay`. Without `stop`, Ctrl-C and SIGTERM are its ordinary end.

    Raises
    ------
    RecordingError
        If the file is no recording, or is over before its start.
    """
    player = Replay(read_recording(recording), **options)
    if stop is not None:
        player.run(stop, on_progress)
        return
    with suppress(KeyboardInterrupt), _terminate_as_interrupt():
        player.run(Event(), on_progress)


def play_with_progress(recording: Path, **options: Unpack[ReplayOptions]) -> None:
    """`play`, with a progress bar on standard error when that is a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"Replaying {Path(recording).name}", total=None)
        play(
            recording,
            on_progress=lambda played, total: progress.update(task, completed=played, total=total),
            **options,
        )


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt: setting an event in the handler could dead-lock with the wait on it."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _marker_facts(recording: Recording, source_id: str) -> StreamFacts:
    names = {marker.stream for marker in recording.markers}
    name = names.pop() if len(names) == 1 else ""
    return replace(
        recording.facts,
        name=name or f"{recording.facts.name}-markers",
        kind="Markers",
        source_id=source_id,
        rate=0.0,
        channels=("marker",),
        units=("",),
        replay=True,
    )
