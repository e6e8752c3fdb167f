"""The commands around streams: what there is, replays, bridges, recordings."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bci_live.errors import StreamError

_LISTEN_S = 4.0


def streams(
    seconds: Annotated[
        float | None, typer.Option(help="How long to listen: 4, or with --watch until Ctrl-C.", min=0.5)
    ] = None,
    watch: Annotated[bool, typer.Option(help="Tell it anew every second.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the list as JSON, with --watch a line a time.")
    ] = False,
) -> None:
    """List the LSL streams there are, as they announce themselves and as they really do."""
    from bci_live.streams.survey import survey
    from bci_live.streams.survey_table import survey_table, table_console, watch_streams, watched

    if watch and as_json:
        with suppress(KeyboardInterrupt):
            for reports in watched(seconds):
                print(json.dumps([asdict(report) for report in reports]), flush=True)
        return
    if watch:
        watch_streams(table_console(), seconds)
        return
    try:
        reports = survey(seconds or _LISTEN_S)
    except StreamError:
        if as_json:
            print("[]")
        raise
    if as_json:
        print(json.dumps([asdict(report) for report in reports]))
    else:
        console = table_console()
        console.print(survey_table(reports, console.width), crop=False)


def replay(
    file: Annotated[Path, typer.Argument(help="A recording: XDF, or anything that MNE reads.")],
    loop: Annotated[bool, typer.Option(help="Start again at the end.")] = False,
    start: Annotated[float, typer.Option(help="Skip so many seconds.", min=0)] = 0.0,
    source_id: Annotated[str | None, typer.Option(help="LSL source id of the outlets.")] = None,
    wait: Annotated[float, typer.Option(help="Wait up to so many seconds for a listener.", min=0)] = 0.0,
    lead: Annotated[float, typer.Option(help="Send the EEG from so many seconds before --start on.", min=0)] = 0.0,
    control: Annotated[
        bool, typer.Option(help="Commands on stdin, whose end is its own; its place on stdout.", hidden=True)
    ] = False,
) -> None:
    """Play a recording as LSL outlets in real time, with its own channel names, units and rates.

    In a terminal, Enter pauses it and lets it go on.
    """
    from bci_live.sessions.replay import play_under_control, play_with_progress
    from bci_live.sessions.transport import Transport

    (play_under_control if control else play_with_progress)(
        file, start_s=start, lead_s=lead, source_id=source_id, wait_for_consumers_s=wait, transport=Transport(loop)
    )


def bridge(
    board: Annotated[
        str, typer.Option(help="synthetic, cyton, ganglion, muse_2, unicorn, …: any of BrainFlow's boards.")
    ],
    serial_port: Annotated[str | None, typer.Option(help="/dev/ttyUSB0, COM3, …")] = None,
    mac_address: Annotated[str | None, typer.Option(help="Bluetooth address.")] = None,
    ip_address: Annotated[str | None, typer.Option(help="Network address.")] = None,
    ip_port: Annotated[int | None, typer.Option(help="Network port.")] = None,
    serial_number: Annotated[str | None, typer.Option(help="Where several boards of a kind are near.")] = None,
    timeout: Annotated[int | None, typer.Option(help="How long the board is searched for, s.", min=1)] = None,
    other_info: Annotated[str | None, typer.Option(help="What else BrainFlow asks of this board.")] = None,
    file: Annotated[Path | None, typer.Option(help="For playback_file: what BrainFlow recorded.")] = None,
    master_board: Annotated[str | None, typer.Option(help="For playback_file: the board it was recorded from.")] = None,
    markers: Annotated[
        bool,
        typer.Option("--markers", help="A marker stream, too: numbers typed here, one a line, and the board's own."),
    ] = False,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long; without it, at Ctrl-C.", min=0.1)] = None,
) -> None:
    """Stream a headset that has no LSL of its own, through BrainFlow (extra `brainflow`)."""
    from bci_live.streams.bridge import bridge as bridge_board

    settings = {
        "serial_port": serial_port, "mac_address": mac_address, "ip_address": ip_address,
        "ip_port": ip_port, "serial_number": serial_number, "timeout": timeout, "other_info": other_info,
        "file": file, "master_board": master_board,
    }  # fmt: skip
    given = {name: str(value) for name, value in settings.items() if value is not None}
    console = Console(stderr=True)
    with console.status(f"Streaming {board} …") as status:
        samples, marked = bridge_board(
            board, given, markers=markers, seconds=seconds, console=console,
            on_progress=lambda samples, markers: status.update(
                f"{board}: {samples:,} samples, {markers} marker{'s' * (markers != 1)}"
            ),
        )  # fmt: skip
    print(f"{board}: {samples:,} samples and {marked} marker{'s' * (marked != 1)} were sent")


def record(
    out: Annotated[Path, typer.Option(help="The folder of recordings; BIDS folders are made in it.")] = Path(
        "recordings"
    ),
    stream: Annotated[list[str] | None, typer.Option(help="Name of a stream, again for each; without it, all.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long; without it, at Ctrl-C.", min=0.1)] = None,
    subject: Annotated[str, typer.Option(help="Letters and digits.")] = "01",
    session: Annotated[str, typer.Option(help="Letters and digits.")] = "01",
    task: Annotated[str, typer.Option(help="Letters and digits.")] = "pictures",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was recorded as JSON.")] = False,
) -> None:
    """Record LSL streams into one XDF file, safe against crashes and full disks."""
    from bci_live.sessions.record import record as record_streams

    done = record_streams(out, stream or (), seconds=seconds, subject=subject, session=session, task=task)
    if as_json:
        streams = [asdict(it) for it in done.streams]
        print(json.dumps({"path": str(done.path), "seconds": done.seconds, "bytes": done.size, "streams": streams}))
    else:
        told = ", ".join(f"{it.name} ({it.kind}) {it.samples:,} sample{'s' * (it.samples != 1)}" for it in done.streams)
        print(f"{done.path}: {done.seconds:g} s, {done.size / 1e6:.1f} MB; {told}")
        for it in done.streams:
            if it.problem:
                print(it.problem)
