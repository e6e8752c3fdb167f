"""Play a recording as LSL outlets in real time, as if the headset were there."""

from __future__ import annotations

import hashlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import TypedDict, Unpack

import pylsl
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.text import Text

from bci_live.sessions.recording import Recording, read_recording
from bci_live.sessions.schedule import make_schedule
from bci_live.sessions.transport import Transport
from bci_live.streams.commands import on_each_line
from bci_live.streams.markers import marker_text
from bci_live.streams.outlet import open_eeg_outlet, open_marker_outlet
from bci_live.types import StreamFacts

CHUNK_S = 0.02  # liblsl advises 5…30 ms: less only costs, more delays every epoch
SEAM_S = 1.0  # without samples between two passes of a loop, so that no epoch is spliced over the seam
LINGER_S = 1.0  # after the last sample, so that listeners have it before the outlet closes
POLL_S = 0.02
LONGEST_WAIT_S = 0.25  # between two reports of the progress
SAY_EVERY_S = 0.1

OnProgress = Callable[[float, float], None]


def outlet_source_ids(path: Path, source_id: str | None = None) -> tuple[str, str]:
    """The LSL source ids of the EEG outlet and of the marker outlet that a replay of `path` opens."""
    base = source_id or f"replay-{hashlib.sha256(str(Path(path).resolve()).encode()).hexdigest()[:12]}"
    return f"{base}-eeg", f"{base}-markers"


class Replay:
    """A recording on its way out; `run` blocks until it is over.

    Samples and markers leave at absolute deadlines, so that delays do not add up, with their recorded stamps plus one
    constant a pass: jitter and holes stay as they were recorded, a sample without a stamp gets one. Streams keep their
    names, labels, units and rates. A recording without markers gets no marker outlet.

    Parameters
    ----------
    start_s : s from the beginning that are skipped, with their markers, in every pass
    lead_s : s by which the samples start earlier, so that the first epochs have what lies before them
    source_id : see `outlet_source_ids`
    wait_for_consumers_s : the longest wait for a listener on every outlet, s; then it plays all the same
    transport : pauses it, moves it, lets it loop
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
        start_s: float = 0.0,
        lead_s: float = 0.0,
        source_id: str | None = None,
        wait_for_consumers_s: float = 0.0,
        transport: Transport | None = None,
        clock: Callable[[], float] = pylsl.local_clock,
    ) -> None:
        self._recording = recording.dated()
        self._schedule = make_schedule(self._recording, start_s, lead_s)
        self._start_s, self._lead_s = start_s, lead_s
        self._transport = transport or Transport()
        self._wait_s = wait_for_consumers_s
        self._clock = clock
        self._begin = 0.0
        self._period = 1 / recording.facts.rate
        self._chunk = max(1, round(recording.facts.rate * CHUNK_S))
        eeg_id, marker_id = outlet_source_ids(recording.path, source_id)
        self._eeg_facts = replace(recording.facts, source_id=eeg_id, replay=True)
        self._marker_facts = _marker_facts(recording, marker_id) if recording.markers else None

    @property
    def names(self) -> list[str]:
        """Of the streams that it opens."""
        return [facts.name for facts in (self._eeg_facts, self._marker_facts) if facts]

    @property
    def begin_s(self) -> float:
        """The first sample that is played, s from the recording's beginning."""
        return self._schedule.offset_s

    @property
    def end_s(self) -> float:
        """The recording's end, s from its beginning."""
        return self._schedule.end_s

    def run(self, stop: Event, on_progress: OnProgress | None = None) -> None:
        """Play until the recording is over, or for ever while it loops, or until `stop` is set.

        `on_progress` is called with the seconds from the recording's beginning to what is played now, and to its end.
        """
        eeg = open_eeg_outlet(self._eeg_facts, self._chunk)
        markers = open_marker_outlet(self._marker_facts) if self._marker_facts else None
        self._wait_for_consumers([outlet for outlet in (eeg, markers) if outlet], stop)
        self._begin = self._clock()
        while not stop.is_set():
            self._play_pass(eeg, markers, stop, on_progress)
            seek_s = self._transport.take_seek()
            if seek_s is not None:
                self._go_to(seek_s)
            elif self._transport.loop:
                self._begin += self._pass_length()
                self._schedule = make_schedule(self._recording, self._start_s, self._lead_s)
            else:
                stop.wait(LINGER_S)
                break

    def _go_to(self, seek_s: float) -> None:
        """Go on there, or shortly before the end; the second without samples keeps epochs from being spliced."""
        seek_s = min(seek_s, self._schedule.end_s - self._period)
        self._schedule = make_schedule(self._recording, max(0.0, seek_s), self._lead_s)
        self._begin = self._clock() + SEAM_S

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
        self, eeg: pylsl.StreamOutlet, markers: pylsl.StreamOutlet | None, stop: Event, on_progress: OnProgress | None
    ) -> None:
        first_stamp = self._recording.stamps[self._schedule.first]
        for due, step in self._schedule.steps(self._chunk):
            if not self._wait_until(due, stop, on_progress):
                return
            shift = self._begin - first_stamp
            if isinstance(step, slice):
                eeg.push_chunk(self._recording.samples[step], self._recording.stamps[step] + shift)
            elif markers is not None:
                marker = self._recording.markers[step]
                markers.push_sample([marker_text(marker)], marker.time + shift)

    def _wait_until(self, due: float, stop: Event, on_progress: OnProgress | None) -> bool:
        """Whether it came to that; not if it is to stop or to go on elsewhere."""
        schedule = self._schedule
        while not stop.is_set() and not self._transport.moved:
            if self._transport.paused:
                self._pause(stop)
                continue
            played = self._clock() - self._begin
            if on_progress is not None:
                on_progress(schedule.offset_s + min(max(played, 0.0), schedule.length_s), schedule.end_s)
            if played >= due:
                return True
            stop.wait(min(due - played, LONGEST_WAIT_S))
        return False

    def _pause(self, stop: Event) -> None:
        """Send nothing until it goes on; what comes then is dated as much later, at least by the seam."""
        paused = self._clock()
        while self._transport.paused and not self._transport.moved and not stop.wait(POLL_S):
            pass
        self._begin += max(self._clock() - paused, SEAM_S)


class ReplayOptions(TypedDict, total=False):
    """What `Replay` can be told besides the recording."""

    start_s: float
    lead_s: float
    source_id: str | None
    wait_for_consumers_s: float
    transport: Transport | None


def play(
    recording: Path, stop: Event | None = None, on_progress: OnProgress | None = None, **options: Unpack[ReplayOptions]
) -> None:
    """Replay a recording with the `options` of `Replay`. Ctrl-C and SIGTERM are its ordinary end.

    Raises
    ------
    RecordingError
        If the file is no recording, or is over before its start.
    """
    _run(Replay(read_recording(recording), **options), stop or Event(), on_progress)


def _run(player: Replay, stop: Event, on_progress: OnProgress | None) -> None:
    with suppress(KeyboardInterrupt), _terminate_as_interrupt():
        player.run(stop, on_progress)


def play_with_progress(recording: Path, console: Console | None = None, **options: Unpack[ReplayOptions]) -> None:
    """`play` for a terminal: a progress bar on standard error; Enter pauses it, and what else `Transport` follows is typed."""
    console = console or Console(stderr=True)
    transport = options.setdefault("transport", Transport()) or Transport()
    player = Replay(read_recording(recording), **options)
    names = " and ".join(f"'{name}'" for name in player.names)
    console.print(f"Replaying {Path(recording).name} as {names}", markup=False, highlight=False, soft_wrap=True)
    with Progress(BarColumn(), _PlaceColumn(transport), console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=player.end_s, completed=int(player.begin_s))
        if sys.stdin.isatty():
            console.print("Enter pauses and goes on; seek SECONDS, loop on, loop off; Ctrl-C ends.")
            on_each_line(lambda line: _obey(transport, line, console), console=console)
        _run(player, Event(), lambda at, end: progress.update(task, completed=at, total=end))


class _PlaceColumn(ProgressColumn):
    """Where it is, what is left of the file in its own time, and whether it is paused."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport

    def render(self, task: Task) -> Text:
        """In one line."""
        at, left = (timedelta(seconds=int(value)) for value in (task.completed, task.remaining or 0))
        return Text(f"{at}, {left} left" + (", paused" if self._transport.paused else ""))


def play_under_control(recording: Path, **options: Unpack[ReplayOptions]) -> None:
    """`play` for another program: commands on standard input, whose end is its own; on standard output where it is.

    Each line there is the seconds from the recording's beginning and those to its end, about ten a second.
    """
    transport = options.setdefault("transport", Transport()) or Transport()
    stop, said = Event(), 0.0

    def say(at: float, end: float) -> None:
        nonlocal said
        if abs(at - said) >= SAY_EVERY_S:
            said = at
            sys.stdout.write(f"{at:.2f} {end:.2f}\n")
            sys.stdout.flush()

    on_each_line(lambda line: _obey(transport, line, Console(stderr=True)), ended=stop.set)
    play(recording, stop, say, **options)


def _obey(transport: Transport, line: str, console: Console) -> None:
    try:
        transport.follow(line)
    except ValueError as error:
        console.print(str(error), markup=False)


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt: setting an event in the handler could dead-lock with the wait on it."""
    if threading.current_thread() is not threading.main_thread():  # there Python takes no signals
        yield
        return
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
        types=(),
        replay=True,
    )
