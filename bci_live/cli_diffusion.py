"""The commands about diffusion pipelines: train the small one, get a big one, make a decoder speak to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bci_live.cli_options import PIPELINES, Device
from bci_live.config import KNOWN_PIPELINES, bundled


def train_diffusion_command(
    out: Annotated[Path, typer.Option(help="Folder for the pipeline.")],
    minutes: Annotated[float, typer.Option(help="How long to train.", min=0.1)] = 75.0,
    work: Annotated[Path, typer.Option(help="Checkpoints; an interrupted training goes on from here.")] = Path(
        ".cache/diffusion"
    ),
    others: Annotated[
        Path | None, typer.Option(help="A folder of other pictures, named in its names.csv, to learn from, too.")
    ] = None,
    begin: Annotated[Path | None, typer.Option(help="A pipeline to begin with instead of nothing.")] = None,
    batch: Annotated[int, typer.Option(help="Pictures a step.", min=1)] = 32,
    learning_rate: Annotated[
        float, typer.Option(help="The UNet's highest, after 150 steps; its student's is 0.4 of it.", min=1e-6, max=0.1)
    ] = 8e-4,
    device: Device = "auto",
) -> None:
    """Train the small diffusion pipeline on the stimulus catalogue."""
    from bci_live.diffusion.pipeline import quiet_libraries

    with quiet_libraries():
        from bci_live.training.diffusion import DiffusionTraining, train_diffusion

    settings = DiffusionTraining(batch=batch, learning_rate=learning_rate)
    train_diffusion(out=out, minutes=minutes, work=work, device=device, settings=settings, others=others, begin=begin)


def download(
    name: Annotated[str, typer.Argument(help=f"{', '.join(KNOWN_PIPELINES)}, or a name on the hub: OWNER/NAME.")],
) -> None:
    """Get a big diffusion pipeline from the hub, once; no other command does."""
    from bci_live.diffusion.hub import download

    console = Console(stderr=True)
    folder = download(name, lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True))
    print(f"{name} is in {folder}")


def retarget(
    decoder: Annotated[Path, typer.Argument(help="Folder of a trained decoder.")],
    sessions: Annotated[
        list[Path] | None, typer.Argument(help="Recordings, to fit the latent to the pipeline's, too.")
    ] = None,
    *,
    pipeline: Annotated[str, typer.Option("--diffusion", help=f"What it is to speak to: {PIPELINES}.")],
    out: Annotated[Path, typer.Option(help="Folder for the decoder.")],
    device: Device = "auto",
    overwrite: Annotated[bool, typer.Option(help="Replace the decoder in --out.")] = False,
) -> None:
    """Make a decoder speak to another diffusion pipeline, in seconds: its captions anew, all else as it was."""
    from bci_live.training.retarget import retarget

    source = bundled(pipeline)
    card = retarget(decoder, sessions or [], out, pipeline=source, device=device, overwrite=overwrite)
    print(f"The decoder in {out} speaks '{card.text_space}': bci-live live --decoder {out} --diffusion {pipeline}")
    if card.latent_shape:
        print(f"Its latents are those of '{card.latent_space}'.")
