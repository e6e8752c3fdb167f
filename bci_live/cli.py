"""The commands: each parses, calls one function, prints. What a command does, a Python user can do with one import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from bci_live import __version__
from bci_live.cli_bench import bench
from bci_live.cli_diffusion import download, retarget, train_diffusion_command
from bci_live.cli_evaluate import evaluate
from bci_live.cli_options import DEVICE, PIPELINES, refuse_together, refuse_without
from bci_live.cli_streams import bridge, record, replay, streams
from bci_live.cli_train import train
from bci_live.config import Config, DiffusionConfig, LiveConfig, bundled, complaint
from bci_live.errors import BciError
from bci_live.live.stages import leave

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
    subject: Annotated[
        str | None,
        typer.Option(help="Read by this subject's layer, of a decoder that has them; without it, by the mean."),
    ] = None,
    device: Annotated[str | None, DEVICE] = None,
    replay: Annotated[Path | None, typer.Option(help="Replay this recording as the stream.")] = None,
    loop: Annotated[bool, typer.Option(help="Replay again and again.")] = False,
    start: Annotated[float, typer.Option(help="Skip so many seconds of the recording.", min=0)] = 0.0,
    headless: Annotated[bool, typer.Option(help="No window: write pictures and a protocol to --out.")] = False,
    seconds: Annotated[float | None, typer.Option(help="Headless: stop after so long.", min=0.1)] = None,
    out: Annotated[Path, typer.Option(help="Headless: the folder for pictures and protocol.")] = Path("live-output"),
    as_json: Annotated[bool, typer.Option("--json", help="Headless: print the summary as the last line.")] = False,
    pipeline: Annotated[
        str | None, typer.Option("--diffusion", help=f"What draws: {PIPELINES}; without it, the demo's.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help=f"Diffusion steps: {DiffusionConfig().steps}, or the pipeline's own.", min=1, max=50),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(
            help=f"How much of the initial image is redrawn, 0…1: {DiffusionConfig().strength}, or the pipeline's own; "
            "grey wholly."
        ),
    ] = None,
    initial: Annotated[
        str | None,
        typer.Option(
            help=f"Draw from: saliency, latent, blend (both) or grey; {DiffusionConfig().initial}, or the pipeline's own."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help=f"Seed of the diffusion noise: {DiffusionConfig().seed}.")] = None,
    compiled: Annotated[
        bool, typer.Option("--compile", help="On CUDA: compile the pipeline, which takes minutes at the start.")
    ] = False,
    abstain: Annotated[
        bool | None,
        typer.Option(
            "--abstain/--no-abstain",
            help="Draw no picture where the decoder reads no better than it could guess: so in the window, not headless.",
            show_default=False,
        ),
    ] = None,
    anytime: Annotated[
        bool | None,
        typer.Option(
            "--anytime/--no-anytime", help="Guess from the window's beginning while it still fills, as usual."
        ),
    ] = None,
) -> None:
    """Connect to EEG and markers over LSL and show, or write, what the EEG tells."""
    from bci_live.live.launcher import LiveRequest, headless_live, windowed_live
    from bci_live.live.protocol_writer import describe

    refuse_together(
        "--replay",
        replay is not None,
        {"--stream": stream, "--stream-id": stream_id, "--markers": markers, "--markers-id": markers_id},
    )
    refuse_without("--replay", replay is not None, {"--loop": loop, "--start": start})
    refuse_without("--headless", headless, {"--seconds": seconds, "--json": as_json})
    asked = {
        "pipeline": pipeline,
        "steps": steps,
        "strength": strength,
        "initial": initial,
        "seed": seed,
        "compiled": compiled,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    elsewhere = {"decoder": decoder, "subject": subject, "device": device, "anytime": anytime}
    diffusion = DiffusionConfig.model_validate(asked)
    request = LiveRequest(
        stream=stream,
        stream_id=stream_id,
        markers=markers,
        markers_id=markers_id,
        decoder=decoder or bundled("models/decoder-demo"),
        subject=subject,
        device=device or "auto",
        replay=replay,
        loop=loop,
        start_s=start,
        config=Config(diffusion=diffusion, live=LiveConfig(abstain=abstain, anytime=anytime is not False)),
        asked=frozenset(asked) | {name for name, value in elsewhere.items() if value is not None},
    )
    if headless:
        summary = headless_live(request, seconds=seconds, out=out, console=Console(stderr=True))
        print(json.dumps(summary) if as_json else describe(summary, out))
        if summary["problem"]:
            raise BciError(str(summary["problem"]))
    else:
        from bci_live.window.app import run_window

        raise typer.Exit(windowed_live(request, run_window))


for command in (streams, replay, bridge, record):
    app.command()(command)


app.command()(train)
app.command()(evaluate)
app.command("train-diffusion")(train_diffusion_command)
app.command()(download)
app.command()(retarget)


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
    from bci_live.stimuli.catalogue import load_catalogue

    names = parse_labels(labels)
    for path in import_muse(files, out, names, keep_aux=keep_aux):
        print(path)
    unknown = sorted(set(names.values()) - set(load_catalogue().labels))
    if unknown:
        Console(stderr=True).print(
            f"The picture catalogue has no {', '.join(unknown)}: a decoder cannot be trained on that. It has "
            f"{', '.join(load_catalogue().labels)}.",
            markup=False,
        )


def main() -> None:
    """Run a command; what the user can mend ends with a sentence and exit code 2."""
    code = 0
    try:
        app()
    except BciError as error:
        code = _complain(str(error))
    except ValidationError as error:
        code = _complain(complaint(error))
    except KeyboardInterrupt as interrupted:
        if interrupted.args:
            Console(stderr=True, highlight=False, soft_wrap=True).print(str(interrupted), markup=False)
        code = 130
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    leave(code)


def _complain(sentence: str) -> int:
    """Tell it; the exit code."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, style="bold red", markup=False)
    return 2


if __name__ == "__main__":
    main()
