"""The commands: each parses, calls one function, prints. What a command does, a Python user can do with one import."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from bci_live import __version__
from bci_live.cli_bench import bench
from bci_live.config import Config, DiffusionConfig, EpochConfig, bundled
from bci_live.errors import BciError

app = typer.Typer(
    name="bci-live",
    help="See, while a person looks at a picture, what their EEG tells of it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
imports = typer.Typer(help="Turn recordings of other programs into XDF sessions.", no_args_is_help=True)
app.add_typer(imports, name="import")
app.add_typer(bench, name="bench")

Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps; auto takes the best at hand.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"bci-live {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    from bci_live.streams.lsl_config import configure_lsl

    configure_lsl()


@app.command()
def live(
    stream: Annotated[
        str | None, typer.Option(help="Name of the EEG stream; without it, the only one there is.")
    ] = None,
    stream_id: Annotated[str | None, typer.Option(help="Its source id, where several have one name.")] = None,
    markers: Annotated[str | None, typer.Option(help="Name of the marker stream.")] = None,
    markers_id: Annotated[str | None, typer.Option(help="Its source id, where several have one name.")] = None,
    decoder: Annotated[Path | None, typer.Option(help="Folder of a trained decoder; without it, the demo's.")] = None,
    device: Device = "auto",
    replay: Annotated[Path | None, typer.Option(help="Replay this recording as the stream.")] = None,
    loop: Annotated[bool, typer.Option(help="Replay again and again.")] = False,
    start: Annotated[float, typer.Option(help="Skip so many seconds of the recording.", min=0)] = 0.0,
    headless: Annotated[bool, typer.Option(help="No window: write pictures and a protocol to --out.")] = False,
    seconds: Annotated[float | None, typer.Option(help="Headless: stop after so long.", min=0.1)] = None,
    out: Annotated[Path, typer.Option(help="Headless: the folder for pictures and protocol.")] = Path("live-output"),
    as_json: Annotated[bool, typer.Option("--json", help="Headless: print the summary as the last line.")] = False,
    pipeline: Annotated[str | None, typer.Option("--diffusion", help="Folder of the diffusion pipeline.")] = None,
    steps: Annotated[int, typer.Option(help="Diffusion steps.", min=1, max=50)] = DiffusionConfig().steps,
    strength: Annotated[
        float | None,
        typer.Option(help=f"How much of the initial image is redrawn, 0…1: {DiffusionConfig().strength}, grey wholly."),
    ] = None,
    initial: Annotated[str, typer.Option(help="Draw from: saliency, latent or grey.")] = DiffusionConfig().initial,
    seed: Annotated[int, typer.Option(help="Seed of the diffusion noise.")] = 0,
) -> None:
    """Connect to EEG and markers over LSL and show, or write, what the EEG tells."""
    from bci_live.live.launcher import LiveRequest, headless_live, windowed_live
    from bci_live.live.protocol_writer import describe

    diffusion = DiffusionConfig.model_validate(
        {"steps": steps, "initial": initial, "seed": seed}
        | ({"strength": strength} if strength is not None else {})
        | ({"pipeline": pipeline} if pipeline else {})
    )
    request = LiveRequest(
        stream=stream,
        stream_id=stream_id,
        markers=markers,
        markers_id=markers_id,
        decoder=decoder or bundled("models/decoder-demo"),
        device=device,
        replay=replay,
        loop=loop,
        start_s=start,
        config=Config(diffusion=diffusion),
    )
    if headless:
        summary = headless_live(request, seconds=seconds, out=out, console=Console(stderr=True))
        print(json.dumps(summary) if as_json else describe(summary, out))
        if summary["problem"]:
            raise BciError(str(summary["problem"]))
    else:
        from bci_live.window.app import run_window

        raise typer.Exit(windowed_live(request, run_window))


@app.command()
def streams(
    seconds: Annotated[float, typer.Option(help="How long to listen.", min=0.5)] = 4.0,
    watch: Annotated[bool, typer.Option(help="Go on until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the LSL streams there are, as they announce themselves and as they really do."""
    from bci_live.streams.survey import survey
    from bci_live.streams.survey_table import survey_table, watch_streams

    if watch:
        watch_streams(Console())
        return
    reports = survey(seconds)
    if as_json:
        print(json.dumps([asdict(report) for report in reports]))
    else:
        Console().print(survey_table(reports))


@app.command()
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


@app.command()
def bridge(
    board: Annotated[
        str, typer.Option(help="synthetic, cyton, ganglion, muse_2, unicorn, …: any of BrainFlow's boards.")
    ],
    serial_port: Annotated[str | None, typer.Option(help="/dev/ttyUSB0, COM3, …")] = None,
    mac_address: Annotated[str | None, typer.Option(help="Bluetooth address.")] = None,
    ip_address: Annotated[str | None, typer.Option(help="Network address.")] = None,
    ip_port: Annotated[int | None, typer.Option(help="Network port.")] = None,
    serial_number: Annotated[str | None, typer.Option(help="Where several boards of a kind are near.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long; without it, at Ctrl-C.", min=0.1)] = None,
) -> None:
    """Stream a headset that has no LSL of its own, through BrainFlow (extra `brainflow`)."""
    from bci_live.streams.bridge import bridge as bridge_board

    settings = {
        "serial_port": serial_port, "mac_address": mac_address, "ip_address": ip_address,
        "ip_port": None if ip_port is None else str(ip_port), "serial_number": serial_number,
    }  # fmt: skip
    given = {name: value for name, value in settings.items() if value is not None}
    with Console(stderr=True).status(f"Streaming {board} …") as status:
        samples, markers = bridge_board(
            board, given, seconds=seconds,
            on_progress=lambda samples, markers: status.update(f"{board}: {samples:,} samples, {markers} markers"),
        )  # fmt: skip
    print(f"{board}: {samples:,} samples and {markers} markers were sent")


@app.command()
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
    streams = {it.name: it.samples for it in done.streams}
    if as_json:
        print(json.dumps({"path": str(done.path), "seconds": done.seconds, "bytes": done.size, "samples": streams}))
    else:
        told = ", ".join(f"{name} {count:,} samples" for name, count in streams.items())
        print(f"{done.path}: {done.seconds:g} s, {done.size / 1e6:.1f} MB; {told}")


@app.command()
def train(
    sessions: Annotated[list[Path], typer.Argument(help="Recordings with markers.")],
    out: Annotated[Path, typer.Option(help="Folder for the decoder.")],
    labels: Annotated[
        str, typer.Option(help="What the markers mean, where they are no labels: 1=house,2=face; others are left out.")
    ] = "",
    reference: Annotated[
        str, typer.Option(help="Subtract the mean of these channels (TP9,TP10) or of all (average).")
    ] = "",
    reject: Annotated[
        str, typer.Option(help="Leave out epochs that span more µV, by type of channel: eeg=150,eog=300, or none.")
    ] = "eeg=150",
    pipeline: Annotated[
        str | None, typer.Option("--diffusion", help="The pipeline that its pictures come from.")
    ] = None,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(help="Same seed, same decoder (on the CPU).")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace the decoder in --out.")] = False,
) -> None:
    """Make a decoder from recordings of one's own."""
    from bci_live.sessions.labels import parse_labels
    from bci_live.training.decoder import train_decoder

    config = Config()
    card = train_decoder(
        sessions,
        out,
        pipeline=bundled(pipeline or config.diffusion.pipeline),
        filter_config=config.filter,
        epoch_config=EpochConfig.model_validate({"reference": reference, "reject_uv": reject}),
        marker_labels=parse_labels(labels),
        seed=seed,
        device=device,
        overwrite=overwrite,
    )
    print(f"The decoder is in {out}: {card.describe()}")


@app.command("train-diffusion")
def train_diffusion_command(
    out: Annotated[Path, typer.Option(help="Folder for the pipeline.")],
    minutes: Annotated[float, typer.Option(help="How long to train.", min=0.1)] = 75.0,
    work: Annotated[Path, typer.Option(help="Checkpoints; an interrupted training goes on from here.")] = Path(
        ".cache/diffusion"
    ),
    device: Device = "auto",
) -> None:
    """Train the small diffusion pipeline on the stimulus catalogue."""
    from bci_live.training.diffusion import train_diffusion

    train_diffusion(out=out, minutes=minutes, work=work, device=device)


@imports.command("muse-csv")
def muse_csv(
    files: Annotated[list[Path], typer.Argument(help="CSV files as muse-lsl's recorder writes them.")],
    out: Annotated[Path, typer.Option(help="The XDF file; several inputs are numbered run-01, run-02, …")],
    labels: Annotated[str, typer.Option(help="What the markers mean: 1=house,2=face")] = "",
    keep_aux: Annotated[bool, typer.Option(help="Keep the channel 'Right AUX'.")] = False,
) -> None:
    """Turn muse-lsl CSV recordings into XDF sessions."""
    from bci_live.sessions.labels import parse_labels
    from bci_live.sessions.muse_csv import import_muse

    for path in import_muse(files, out, parse_labels(labels), keep_aux=keep_aux):
        print(path)


def main() -> None:
    """Run a command; what the user can mend ends with a sentence and exit code 2."""
    try:
        app()
    except BciError as error:
        _complain(str(error))
    except ValidationError as error:
        _complain(
            "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg'].removeprefix('Value error, ')}"
                for e in error.errors()
            )
        )
    except KeyboardInterrupt:
        sys.exit(130)


def _complain(sentence: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, style="bold red", markup=False)
    sys.exit(2)


if __name__ == "__main__":
    main()
