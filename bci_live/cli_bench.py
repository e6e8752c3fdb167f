"""The commands that measure speed: `bci-live bench …`."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from bci_live.errors import BciError
from bci_live.streams.kinds import MOST_RATE

bench = typer.Typer(help="Measure speed on this machine, beside a peer.", no_args_is_help=True)

# A window of 0.6 s has some samples then.
_LEAST_RATE = 10.0
_LONGEST_S = 86_400.0


@bench.command("streaming")
def bench_streaming_command(
    channels: Annotated[int, typer.Option(help="EEG channels of a stream.", min=1)] = 128,
    rate: Annotated[float, typer.Option(help="Hz.", min=_LEAST_RATE, max=MOST_RATE)] = 1000.0,
    chunk: Annotated[int, typer.Option(help="Samples that the sender pushes at a time.", min=1)] = 20,
    seconds: Annotated[float, typer.Option(help="How long each listener listens.", min=3, max=_LONGEST_S)] = 15.0,
    streams: Annotated[int, typer.Option(help="EEG streams at once.", min=1)] = 1,
    peer: Annotated[str | None, typer.Option(help="Also measure: mne-lsl.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as the last line.")] = False,
) -> None:
    """How late epochs are after their last sample was sent, what is lost, and what it costs."""
    from bci_live.evaluation.streaming.bench import bench_streaming

    _report(
        bench_streaming(
            channels=channels, rate=rate, chunk=chunk, seconds=seconds, streams=streams, peer=peer, tell=_say
        ),
        as_json,
    )


@bench.command("gil")
def bench_gil(
    channels: Annotated[int, typer.Option(help="EEG channels.", min=1)] = 128,
    rate: Annotated[float, typer.Option(help="Hz.", min=_LEAST_RATE, max=MOST_RATE)] = 1000.0,
    chunk: Annotated[int, typer.Option(help="Samples that the sender pushes at a time.", min=1)] = 20,
    seconds: Annotated[float, typer.Option(help="How long the listener listens.", min=6, max=_LONGEST_S)] = 15.0,
    hog: Annotated[float, typer.Option(help="For so many seconds nothing else of Python runs.", min=0, max=60)] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as the last line.")] = False,
) -> None:
    """What is lost while another thread holds Python's interpreter lock."""
    from bci_live.evaluation.streaming.bench import bench_streaming

    _report(bench_streaming(channels=channels, rate=rate, chunk=chunk, seconds=seconds, hog_s=hog, tell=_say), as_json)


@bench.command("window")
def bench_window_command(
    channels: Annotated[int, typer.Option(help="EEG channels, the demo's decoder's among them.", min=1)] = 128,
    rate: Annotated[float, typer.Option(help="Hz.", min=100)] = 1000.0,
    seconds: Annotated[float, typer.Option(help="How long each window is measured.", min=2)] = 10.0,
    peer: Annotated[bool, typer.Option(help="Also measure as many plain PlotDataItems.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as the last line.")] = False,
) -> None:
    """How often and how evenly the window draws while the pipeline decodes and reconstructs, and what it costs."""
    from bci_live.window.bench.run import bench_window

    _report(bench_window(channels=channels, rate=rate, seconds=seconds, peer=peer, tell=_say), as_json)


@bench.command("reconstruct")
def bench_reconstruct_command(
    pipeline: Annotated[
        str | None,
        typer.Option("--diffusion", help="What draws: as for live; with --random-weights sd-turbo or sd-1.5."),
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Pixels along a side; the pipeline's own unless told.", min=8)
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps that are run.", min=1, max=50)] = 1,
    random_weights: Annotated[
        bool, typer.Option("--random-weights", help="The architecture alone: speed does not depend on the weights.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, mps or auto.")] = "auto",
    streams: Annotated[
        str, typer.Option(help="Also draw for so many listeners at once, for instance 1,2,4,8,16,32.")
    ] = "",
    rounds: Annotated[int, typer.Option(help="Draws of each.", min=3)] = 30,
    compiled: Annotated[
        bool, typer.Option("--compile", help="On CUDA: compile ours first, which takes minutes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as the last line.")] = False,
) -> None:
    """How long a picture takes, part by part, beside the plain diffusers call with the same weights."""
    from bci_live.config import DiffusionConfig
    from bci_live.evaluation.drawing_speed import DrawingBench, bench_reconstruct

    name = pipeline or ("sd-turbo" if random_weights else DiffusionConfig().pipeline)
    plan = DrawingBench(
        pipeline=name, device=device, steps=steps, size=size, random_weights=random_weights, rounds=rounds,
        streams=_counts(streams), compiled=compiled,
    )  # fmt: skip
    _report(bench_reconstruct(plan, _say), as_json)


def _counts(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise BciError(f"--streams '{text}' is no list of numbers: write for instance 1,2,4,8.")
    return tuple(int(part) for part in parts)


def _say(text: str) -> None:
    Console(stderr=True).print(text, style="dim")


def _report(figures: dict[str, dict[str, object]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    for who, values in figures.items():
        print(f"{who}: " + ", ".join(f"{name} {value}" for name, value in values.items()))
