"""`bci-live bridge`: a board of BrainFlow as LSL streams."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from rich.console import Console

from bci_live.streams.board import Board
from bci_live.streams.commands import on_each_line
from bci_live.streams.interruptions import interruptions
from bci_live.streams.outlet import open_eeg_outlet, open_marker_outlet
from bci_live.types import StreamFacts

# liblsl advises chunks of 5 to 30 ms.
_EVERY_S = 0.02
# A board that sends nothing for so long is told of.
_SILENT_S = 2.0

OnProgress = Callable[[int, int], None]


def bridge(
    board: str,
    settings: Mapping[str, str],
    *,
    markers: bool = False,
    seconds: float | None = None,
    on_progress: OnProgress | None = None,
    console: Console | None = None,
) -> tuple[int, int]:
    """Send until Ctrl-C, SIGTERM or the end of `seconds`; returns how many samples and markers were sent.

    The EEG stream has the board's name, channel names and µV. With `markers` there is a marker stream, too, named
    `NAME-markers`: the board's own, and numbers that come line by line on standard input, each dated by the board.
    Without, none: an empty one would stand beside that of the stimulus program.

    Raises
    ------
    StreamError
        If the board does not answer, or breaks off.
    """
    console = console or Console(stderr=True)
    samples_sent = markers_sent = 0
    with Board(board, settings) as source, interruptions() as interrupted:
        facts = source.facts
        eeg = open_eeg_outlet(facts, max(1, round(_EVERY_S * facts.rate)))
        marker_outlet = open_marker_outlet(_marker_facts(facts)) if markers else None
        if markers:
            on_each_line(lambda line: _mark(source, line, console), console=console)
        begin = last = time.monotonic()
        told = False
        while not interrupted and (seconds is None or time.monotonic() - begin < seconds):
            samples, times, marked = source.read()
            if len(times):
                eeg.push_chunk(samples, times.tolist())
                last, told = time.monotonic(), False
            elif not told and time.monotonic() - last > _SILENT_S:
                told = True
                _tell(
                    console,
                    f"Nothing has come from the board '{source.name}' for {_SILENT_S:g} s. Is it switched on and near?",
                )
            if marker_outlet is not None:
                for index in np.flatnonzero(marked).tolist():
                    marker_outlet.push_sample([f"{marked[index]:g}"], times[index])
                    markers_sent += 1
            samples_sent += len(times)
            if on_progress is not None:
                on_progress(samples_sent, markers_sent)
            time.sleep(_EVERY_S)
    return samples_sent, markers_sent


def _marker_facts(eeg: StreamFacts) -> StreamFacts:
    return replace(
        eeg, name=f"{eeg.name}-markers", kind="Markers", source_id=f"{eeg.source_id}-markers", rate=0.0,
        channels=("marker",), units=("",), types=(),
    )  # fmt: skip


def _mark(board: Board, line: str, console: Console) -> None:
    try:
        value = float(line)
    except ValueError:
        value = 0.0
    if value and math.isfinite(value):
        board.insert_marker(value)
    elif line.strip():
        _tell(console, f"'{line.strip()}' is no marker: BrainFlow's are numbers other than 0.")


def _tell(console: Console, text: str) -> None:
    console.print(text, style="red", markup=False)
