"""`bci-live evaluate`: how good is a decoder, or a training, on what it has not seen?"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bci_live.config import Config, DiffusionConfig, EpochConfig, FilterConfig, TrainingConfig, bundled
from bci_live.errors import BciError, DecoderError
from bci_live.loading import no_collecting

if TYPE_CHECKING:
    from bci_live.evaluation.conclusion import Tell
    from bci_live.evaluation.drawing import Drawing
    from bci_live.evaluation.result import Evaluation

_PICTURES = 24


def evaluate(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="[DECODER] SESSION", help="A decoder's folder, then recordings that it has not seen."),
    ],
    cross_validate: Annotated[
        str | None,
        typer.Option(help="No decoder: train one per run, session, subject, stimulus or concept that is left out."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write everything into this HTML file.")] = None,
    labels: Annotated[str, typer.Option(help="What the markers mean: 1=house,2=face; others are left out.")] = "",
    reference: Annotated[str, typer.Option(help="With --cross-validate: as in train.")] = "",
    reject: Annotated[
        str | None,
        typer.Option(
            help="Leave out epochs that span more µV: eeg=150,eog=300, or none. Else the decoder's own limits."
        ),
    ] = None,
    band: Annotated[str, typer.Option(help="With --cross-validate: as in train, for instance 1-30.")] = "auto",
    encoder: Annotated[str | None, typer.Option(help="With --cross-validate: as in train.")] = None,
    objective: Annotated[str | None, typer.Option(help="With --cross-validate: as in train.")] = None,
    subject_layer: Annotated[bool, typer.Option("--subject-layer", help="With --cross-validate: as in train.")] = False,
    saliency: Annotated[str | None, typer.Option(help="With --cross-validate: as in train.")] = None,
    captions: Annotated[Path | None, typer.Option(help="With --cross-validate: as in train.")] = None,
    subject: Annotated[
        str | None,
        typer.Option(help="Read by this subject's layer, of a decoder that has them; without it, by the mean."),
    ] = None,
    pipeline: Annotated[str | None, typer.Option("--diffusion", help="The pipeline that draws.")] = None,
    trials: Annotated[
        int | None,
        typer.Option(help=f"Draw the first so many trials: {_PICTURES}, or with --cross-validate none.", min=0),
    ] = None,
    judge: Annotated[
        str,
        typer.Option(
            help="Who names the pictures: objects (trained the first time, a minute), imagenet (extra metrics), none."
        ),
    ] = "objects",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps; auto takes the best at hand.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of trainings, shuffles, intervals and noise.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as the last line.")] = False,
) -> None:
    """Score a decoder on sessions that it has not seen, or a training by leaving parts out; with every control."""
    named = {"encoder": encoder, "objective": objective, "subject_layer": subject_layer or None}
    named["saliency"] = saliency
    learning = TrainingConfig.model_validate({name: value for name, value in named.items() if value is not None})
    if cross_validate is None:
        own = {"reference": reference, "band": band != "auto", "captions": captions} | named
        _refuse_of_a_decoder([f"--{name.replace('_', '-')}" for name, given in own.items() if given])
    else:
        if subject is not None:
            raise BciError("--subject has a meaning with a decoder only: a cross-validation reads each as whose it is.")
        if saliency is not None and not trials:
            raise BciError(
                "--saliency would change nothing, because no picture is drawn. Add --trials 24, or leave it out."
            )
        from bci_live.evaluation.splits import check_kind, groups_of
        from bci_live.stimuli.captions import read_captions

        # Before torch and diffusers load, which takes seconds.
        groups_of(paths, check_kind(cross_validate))
        spoken = {} if captions is None else read_captions(captions)
    from bci_live.decoding.device import pick_device
    from bci_live.evaluation.drawing import Drawing
    from bci_live.evaluation.judge import named_judge
    from bci_live.evaluation.report import check_place, write_report

    if report is not None:
        check_place(report)
    chosen = str(pick_device(device))
    count = trials if trials is not None else 0 if cross_validate else _PICTURES
    drawing = Drawing(bundled(pipeline or Config().diffusion.pipeline), count, chosen, seed, named_judge(judge))
    if logging.lastResort is not None:
        logging.lastResort.addFilter(_Once())
    with _bar() as tell:
        if cross_validate is None:
            found = _judge_decoder(paths, subject, labels, reject, seed, drawing, tell)
        else:
            found = _judge_training(
                paths, cross_validate, labels, reference, reject, band, learning, spoken, seed, drawing, tell
            )
    if report is not None:
        write_report(found, report)
    told = found.summary() | {"report": None if report is None else str(report)}
    print(json.dumps(told) if as_json else _words(found, report))


def _refuse_of_a_decoder(options: list[str]) -> None:
    """What a decoder has of its own is told instead of ignored."""
    if options:
        raise BciError(
            f"{' and '.join(options)} would change nothing: a decoder has a reference, a band, an encoder and captions of its own. "
            "Leave it out, or train anew with --cross-validate."
        )


def _judge_decoder(
    paths: list[Path],
    subject: str | None,
    labels: str,
    reject: str | None,
    seed: int,
    drawing: Drawing,
    tell: Tell,
) -> Evaluation:
    from bci_live.decoding.decoder import load_decoder
    from bci_live.decoding.storage import read_card
    from bci_live.evaluation.evaluate import evaluate_decoder
    from bci_live.live.fitting import check_fit
    from bci_live.sessions.labels import parse_labels

    if len(paths) < 2:
        raise DecoderError(
            f"Name a decoder and the sessions to evaluate it on; there is '{paths[0]}' alone. To train on the sessions "
            "themselves, say --cross-validate run."
        )
    if drawing.count:
        check_fit(read_card(paths[0]), DiffusionConfig(pipeline=Path(drawing.pipeline).as_posix()), paths[0])
    return evaluate_decoder(
        load_decoder(paths[0], drawing.device, subject),
        paths[1:],
        drawing=drawing,
        marker_labels=parse_labels(labels) or None,
        reject_uv=None if reject is None else EpochConfig.model_validate({"reject_uv": reject}).reject_uv,
        seed=seed,
        tell=tell,
    )


def _judge_training(
    paths: list[Path],
    by: str,
    labels: str,
    reference: str,
    reject: str | None,
    band: str,
    learning: TrainingConfig,
    captions: Mapping[str, str],
    seed: int,
    drawing: Drawing,
    tell: Tell,
) -> Evaluation:
    with no_collecting():
        from bci_live.evaluation.cross_validation import cross_validate
        from bci_live.evaluation.folds import Training
        from bci_live.sessions.labels import parse_labels
        from bci_live.training.adversarial import SaliencyTraining
        from bci_live.training.encoder import EncoderTraining

    told = {"reference": reference} | ({} if reject is None else {"reject_uv": reject})
    training = Training(
        Config().filter if band == "auto" else FilterConfig.model_validate(band),
        EpochConfig.model_validate(told),
        parse_labels(labels),
        seed,
        drawing.device,
        encoder=EncoderTraining(learning.encoder, learning.objective, learning.subject_layer),
        saliency=SaliencyTraining(**learning.saliency.model_dump()),
        chooses_band=band == "auto",
        captions=captions,
    )
    return cross_validate(paths, by, training, drawing=drawing, tell=tell)


@contextmanager
def _bar() -> Iterator[Tell]:
    """A progress bar on the error output: what goes on, and how far it is."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task, last = bar.add_task("evaluation", total=1.0), ""

        def tell(what: str, share: float) -> None:
            nonlocal last
            if what != last and not console.is_terminal:  # where no bar can be drawn
                console.print(f"{what} …")
            last = what
            bar.update(task, description=what, completed=share)

        yield tell


class _Once(logging.Filter):
    """Lets each remark through once: a cross-validation reads the same recordings again and again."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        fresh = text not in self._said
        self._said.add(text)
        return fresh


def _words(found: Evaluation, report: Path | None) -> str:
    from bci_live.evaluation.result import share_of

    main = found.scores[found.primary]
    lines = [
        f"{found.primary} {main.score:.3f} ({main.interval[0]:.3f} to {main.interval[1]:.3f}), chance {main.chance:.3g}, "
        f"{len(found.trials.labels)} trials of {len(found.trials.names)} labels",
        f"split: {found.split}",
    ]
    if found.primary in found.oracle:
        best = found.oracle[found.primary]
        lines.append(
            f"the oracle of the simulated head: {best:.3f}; reached of it: {share_of(found.primary, main.score, best):.0%}"
        )
    lines += [f"{name} alone: {score:.3f}" for name, score in found.alone.items()]
    lines += [
        f"ridge of the {name}: explains {it.score:.1%} ({it.interval[0]:.1%} to {it.interval[1]:.1%}) of the variance, other "
        f"trials' {it.chance:.1%}"
        for name, it in found.ridges.items()
    ]
    if found.confidence is not None:
        told = found.confidence
        lines.append(
            f"confidence: said {told.said:.3f}, right {told.right:.3f} (error over ten groups {told.calibration_error:.3f})"
        )
    lines += [
        f"control {name}: {it.score:.3f}, {'within' if it.within_chance else 'OUTSIDE OF'} chance "
        f"({it.interval[0]:.3f} to {it.interval[1]:.3f})"
        for name, it in found.controls.items()
    ]
    if found.block_design:
        lines.append(
            "BLOCK DESIGN: the labels can be told from the time or the order of the trials alone; what is read may be drift."
        )
    return "\n".join(lines + ([f"The report is in {report}."] if report else []))
