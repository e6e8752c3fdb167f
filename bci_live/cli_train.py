"""`bci-live train`: a decoder of one's own recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bci_live.cli_options import PIPELINES, Device, refuse_together
from bci_live.config import (
    Config,
    EpochConfig,
    FilterConfig,
    ObjectiveConfig,
    SaliencyConfig,
    TrainingConfig,
    bundled,
)
from bci_live.loading import no_collecting


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
    band: Annotated[
        str,
        typer.Option(
            help="Hz that are kept, for instance 1-30 or 1-45,notch=50; auto takes the best on runs left out."
        ),
    ] = "auto",
    encoder: Annotated[
        str, typer.Option(help="What reads the EEG: nice, lstm (the paper's) or braindecode:NAME (extra braindecode).")
    ] = TrainingConfig().encoder,
    objective: Annotated[
        str | None,
        typer.Option(
            help="What that is trained for: terms and weights, triplet=0.5,labels=1,infonce=0.5. "
            f"Without it, triplet={ObjectiveConfig().triplet},labels={ObjectiveConfig().labels}."
        ),
    ] = None,
    subject_layer: Annotated[
        bool, typer.Option("--subject-layer", help="A linear layer for each of several subjects before the encoder.")
    ] = False,
    saliency: Annotated[
        str | None,
        typer.Option(
            help="Weights of the saliency map's training, and its steps at most. Without it, "
            + ",".join(f"{name}={value:g}" for name, value in SaliencyConfig().model_dump().items())
            + "."
        ),
    ] = None,
    captions: Annotated[
        Path | None,
        typer.Option(help="CSV with label,caption, for instance a captioner's, in place of 'An image of a dog'."),
    ] = None,
    pipeline: Annotated[
        str | None, typer.Option("--diffusion", help=f"What its pictures come from: {PIPELINES}.")
    ] = None,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(help="Same seed, same decoder (on the CPU).", min=0)] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace the decoder in --out.")] = False,
    fine_tune: Annotated[
        Path | None, typer.Option(help="Begin from this decoder of another person: five minutes are enough then.")
    ] = None,
) -> None:
    """Make a decoder from recordings of one's own."""
    from bci_live.sessions.labels import parse_labels
    from bci_live.stimuli.captions import read_captions

    Console(stderr=True).print("Loading …", style="dim")
    with no_collecting():
        from bci_live.training.adversarial import SaliencyTraining
        from bci_live.training.decoder import train_decoder
        from bci_live.training.encoder import EncoderTraining
        from bci_live.training.processes import is_main_process

    own = {"--reference": reference, "--band": band != "auto", "--encoder": encoder != TrainingConfig().encoder}
    own |= {"--subject-layer": subject_layer, "--captions": captions}
    refuse_together("--fine-tune, which keeps what its decoder has", fine_tune is not None, own)
    terms = {"objective": objective, "saliency": saliency}
    training = TrainingConfig.model_validate(
        {"encoder": encoder, "subject_layer": subject_layer}
        | {name: given for name, given in terms.items() if given is not None}
    )
    config = Config()
    card = train_decoder(
        sessions,
        out,
        pipeline=bundled(pipeline or config.diffusion.pipeline),
        filter_config=None if band == "auto" else FilterConfig.model_validate(band),
        epoch_config=EpochConfig.model_validate({"reference": reference, "reject_uv": reject}),
        marker_labels=parse_labels(labels),
        seed=seed,
        device=device,
        overwrite=overwrite,
        encoder_training=EncoderTraining(training.encoder, training.objective, training.subject_layer),
        saliency_training=SaliencyTraining(**training.saliency.model_dump()),
        fine_tune=fine_tune,
        captions=None if captions is None else read_captions(captions),
    )
    if is_main_process():
        print(f"The decoder is in {out}: {card.describe()}")
