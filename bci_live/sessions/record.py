"""`bci-live record`: finds the streams, looks at the disk, records until told to stop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pylsl
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from bci_live.errors import StreamError
from bci_live.sessions.naming import new_recording
from bci_live.sessions.recorder import Recorder, StreamProgress, bytes_per_second, check_space
from bci_live.sessions.silence import silence_text
from bci_live.streams.discovery import find_streams, tells_markers
from bci_live.streams.interruptions import interruptions

STEP_S = 0.1
# Planned for when nobody says how long it will be.
PLANNED_S = 3600.0
_FIND_S = 3.0
_FIND_NAMED_S = 10.0
SPARE_BYTES = 10e6


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording has become. `seconds`: from its first sample on. `size`: bytes."""

    path: Path
    seconds: float
    size: int
    streams: tuple[StreamProgress, ...]


def record(
    out: Path,
    names: Sequence[str] = (),
    *,
    seconds: float | None = None,
    subject: str = "01",
    session: str = "01",
    task: str = "pictures",
    console: Console | None = None,
) -> Recorded:
    """Record the streams of these names, or all there are, until `seconds` have passed, Ctrl-C or SIGTERM.

    Raises
    ------
    StreamError
        If a stream is not there or does not answer.
    RecordingError
        If a name is no BIDS label, the disk has not enough room, or takes no more on the way.
    """
    console = console or Console(stderr=True)
    try:
        console.print("Looking for streams …", markup=False)
        streams, left_out = _find(names)
    except KeyboardInterrupt:
        console.print("Nothing was recorded.", markup=False)
        raise
    for told in (*_of_one_name(names, streams), *_without_markers(streams, left_out)):
        console.print(told, markup=False)
    check_space(out, bytes_per_second(streams) * (seconds or PLANNED_S) + SPARE_BYTES)
    path = new_recording(out, subject, session, task)
    console.print(f"Recording into {path}", markup=False, soft_wrap=True)
    with Recorder(streams, path) as recorder, interruptions() as interrupted, _shown(console, recorder):
        begin = time.monotonic()
        complained: set[int] = set()
        while not interrupted and (seconds is None or time.monotonic() - begin < seconds):
            recorder.step()
            _complain(console, recorder.progress(), complained)
            time.sleep(STEP_S)
        elapsed = time.monotonic() - begin
    if recorder.trouble:
        console.print(recorder.trouble, style="red", markup=False)
    return Recorded(path, round(elapsed, 1), path.stat().st_size, recorder.progress())


def _find(names: Sequence[str]) -> tuple[list[pylsl.StreamInfo], list[pylsl.StreamInfo]]:
    """The streams that are meant, and the others."""

    def found(streams: list[pylsl.StreamInfo]) -> bool:
        return bool(names) and set(names) <= {info.name() for info in streams}

    # A Muse sends four streams of one name: all of them are meant.
    streams = find_streams(_FIND_NAMED_S if names else _FIND_S, found, settle_s=0.5)
    there = ", ".join(f"'{info.name()}'" for info in streams) or "no stream at all"
    missing = [f"'{name}'" for name in names if name not in {info.name() for info in streams}]
    if missing:
        told = f"stream {missing[0]} is" if len(missing) == 1 else f"streams {' and '.join(missing)} are"
        raise StreamError(f"The {told} not there. There is {there}. Nothing was recorded.")
    if not streams:
        raise StreamError("There is no LSL stream to record: is the headset's program streaming?")
    meant = [info for info in streams if not names or info.name() in names]
    return meant, [info for info in streams if info not in meant]


def _of_one_name(names: Sequence[str], streams: Sequence[pylsl.StreamInfo]) -> list[str]:
    """A sentence for each name that more streams have than the one that may have been meant."""
    named = {name: [info for info in streams if info.name() == name] for name in dict.fromkeys(names)}
    return [
        f"{len(found)} streams are named '{name}', and all of them are recorded: "
        + ", ".join(f"{info.type()} from the source '{info.source_id()}' on {info.hostname()}" for info in found)
        + "."
        for name, found in named.items()
        if len(found) > 1
    ]


def _without_markers(streams: Sequence[pylsl.StreamInfo], left_out: Sequence[pylsl.StreamInfo]) -> list[str]:
    """A warning where nothing will tell when a picture was shown: nobody wants to learn that after an hour."""
    if any(tells_markers(info) for info in streams):
        return []
    others = list(dict.fromkeys(info.name() for info in left_out if tells_markers(info)))
    named = " or ".join(f"--stream '{name}'" for name in others)
    way_out = f"To record one, too, add {named}." if others else "None is there."
    return [f"No marker stream is recorded: a decoder cannot be trained on this. {way_out}"]


def _complain(console: Console, streams: Sequence[StreamProgress], complained: set[int]) -> None:
    """Say once of a stream what is wrong with it, and again when it went wrong anew. Several may have one name."""
    for place, it in enumerate(streams):
        if it.problem and place not in complained:
            console.print(it.problem, style="red", markup=False)
            complained.add(place)
        elif not it.problem:
            complained.discard(place)


class _Display:
    """The clock and the size, then a line a stream, the EEG first: none hides another, however narrow the terminal is.

    It is drawn by a thread of its own, so that it tells what a slow disk does while the recorder waits for that.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._begin = time.monotonic()

    def __rich__(self) -> Group:
        """As it is now; what is wrong is red."""
        seconds = time.monotonic() - self._begin
        streams = sorted(self._recorder.progress(), key=lambda it: it.kind != "EEG")
        silence = silence_text(streams, seconds)
        return Group(
            Text.assemble(
                f"● REC {timedelta(seconds=int(seconds))} · {self._recorder.size / 1e6:.1f} MB",
                (f" · {silence}" if silence else "", "red"),
            ),
            *(_line(it) for it in streams),
            *([Text(self._recorder.trouble, style="red")] if self._recorder.trouble else []),
        )


def _line(it: StreamProgress) -> Text:
    """One line of a stream: how many samples are in the file, and whose they are."""
    wrong = "red" if it.problem else ""
    return Text(f"{it.samples:>13,}  {it.name} ({it.kind})", style=wrong, no_wrap=True, overflow="ellipsis")


def _shown(console: Console, recorder: Recorder) -> AbstractContextManager[object]:
    return Live(_Display(recorder), console=console) if console.is_terminal else nullcontext()
