"""Draws the first trials and scores the pictures: as the paper's Table 3, and the structure that the paper left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from bci_live.config import DiffusionConfig
from bci_live.decoding.device import pick_device
from bci_live.diffusion.pipeline import load_pipeline, pipeline_folder, pipeline_name
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.diffusion.text import caption_bank
from bci_live.errors import DiffusionError, LabelError
from bci_live.evaluation.controls import Control
from bci_live.evaluation.judge import Judge, JudgeName, load_judge
from bci_live.evaluation.oracle import OracleReading
from bci_live.evaluation.picture_scores import (
    PIXELS,
    Judged,
    Series,
    Target,
    judged,
    label_only_control,
    picture_or_grey,
    row_scores,
    score_pictures,
)
from bci_live.evaluation.reading import Trials, indices_of
from bci_live.evaluation.ridges import contrast_pictures
from bci_live.evaluation.scores import Scored
from bci_live.evaluation.structure import StructureRow, differ, layout_told, mean_of_others, structure_row, without_eeg
from bci_live.stimuli.catalogue import Catalogue, load_catalogue
from bci_live.stimuli.rendering import random_layout, render, resized
from bci_live.stimuli.truth import stimulus_of
from bci_live.types import Decoding, FloatArray, Marker, Picture

# Which caption: of the embedding that was decoded, of the most probable label as a text-to-image user would type it, or none.
CaptionKind = Literal["decoded", "label", "none"]
# What a picture is drawn from: which caption, whether the saliency map, whether the latent.
Way = tuple[CaptionKind, bool, bool]
WHOLE: Way = ("decoded", True, False)
LABEL_ALONE: Way = ("label", False, False)
LABEL_ONLY, MEAN_EMBEDDING, MEAN_STIMULUS = "label_only", "mean_embedding", "mean_stimulus"
NO_EEG = "no EEG: one place and size for all"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is to be drawn: the first `count` trials, each with the same `seed` of the noise. `judge`: who names them."""

    pipeline: str | Path
    count: int = 24
    device: str = "cpu"
    seed: int = 0
    judge: JudgeName | None = "objects"


@dataclass(frozen=True, slots=True)
class AblationRow:
    """What went into the pictures, and what they score (`named_top1`, `inception_score`, `ssim`, `position`, …)."""

    caption: CaptionKind
    saliency: bool
    latent: bool
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The first trials' pictures, each (m, 64, 64, 3), uint8.

    `known`: whether the markers told the layout, so that `stimuli` are what was shown and not just the label's picture.
    `structure`: of the pictures, of the saliency maps, and of what needs no EEG of the trial: other trials' pictures and maps,
    and one guess for all. `baselines`: the scores of pictures from a label's caption alone, from the mean embedding and map of
    all trials, and of the mean of the other stimuli. `oracle`: those of the oracle's pictures. `label_only`: whether the
    caption alone finds the stimulus among those of its label, or why that cannot be said.
    """

    settings: Drawing
    diffusion: DiffusionConfig
    stimuli: Picture
    saliency: Picture
    pictures: Picture
    known: bool
    scores: dict[str, Scored]
    structure: tuple[StructureRow, ...]
    ablation: tuple[AblationRow, ...]
    baselines: dict[str, dict[str, float]]
    judged: Judged | None
    oracle: dict[str, float]
    label_only: Control | str


class _Artist:
    """Draws decodings from any of the three ways into the picture, with one pipeline in memory, and has them judged."""

    def __init__(self, settings: Drawing, judge: Judge | None, tokens: int) -> None:
        pipeline = load_pipeline(settings.pipeline, pick_device(settings.device))
        name = pipeline_name(settings.pipeline)
        told = {"pipeline": Path(settings.pipeline).as_posix()}
        self.config, self._anew = (DiffusionConfig.model_validate(told | it) for it in ({}, {"initial": "grey"}))
        self.folder = pipeline_folder(settings.pipeline)
        self._seed, self._judge = settings.seed, judge
        self._reconstructor = DiffusionReconstructor(pipeline, name, self.config, _no_clock)
        self._reconstructor.warm_up(tokens)
        self.latent_shape = self._reconstructor.engine.latent_shape

    def draw(self, embedding: FloatArray, initial: FloatArray | None) -> Picture:
        """(h, w, 3), as the pipeline draws it."""
        self._reconstructor.draw_as(self._anew if initial is None else self.config)
        *_, last = self._reconstructor.draw(embedding, initial, self._seed)
        return last

    def finish(self, pictures: Sequence[Picture]) -> Series:
        """Judged at their own size, then made small."""
        return series_of(np.stack(pictures), self._judge)


def series_of(pictures: Picture, judge: Judge | None) -> Series:
    """Pictures (m, h, w, 3) as the judge sees them, and made 64 × 64."""
    return Series(resized(pictures, PIXELS), judge.look(pictures) if judge else None)


def draw_first(
    trials: Trials, settings: Drawing, tell: Callable[[float], None], oracle: OracleReading | None = None
) -> Drawn:
    """The first sample of each of the first trials: nothing is picked.

    `oracle`: what it read of the same trials, where they are of a simulated head.

    Raises
    ------
    DiffusionError
        If the pipeline cannot be loaded, or does not fit the decoder.
    BciError
        If the judge is not installed.
    """
    catalogue = load_catalogue()
    in_catalogue = all(marker.label in catalogue for marker in trials.cut.markers)
    if in_catalogue:
        catalogue = catalogue.around(marker.label for marker in trials.cut.markers)
    judge = load_judge(settings.judge, catalogue) if settings.judge and in_catalogue else None
    artist = _Artist(settings, judge, len(trials.decodings[0].embedding))
    target = _target(trials, settings, judge, catalogue)
    decodings = trials.decodings[: settings.count]
    drawn = _ways(decodings, artist, tell)
    shown = shown_pictures(trials.cut.markers, load_catalogue()) if target.known else None
    baselines = _baselines(trials, len(decodings), shown, artist, drawn)
    best = series_of(oracle.pictures(trials.names, len(decodings)), judge) if oracle else None
    saliency, pictures = _maps(decodings), drawn[WHOLE].pictures
    alone = baselines.get(LABEL_ONLY)
    return Drawn(
        settings=settings,
        diffusion=artist.config,
        stimuli=target.stimuli.pictures,
        saliency=saliency,
        pictures=pictures,
        known=target.known,
        scores=score_pictures(drawn[WHOLE], target),
        structure=() if shown is None else _structure(trials, shown, target, pictures, saliency, oracle),
        ablation=tuple(AblationRow(*way, row_scores(series, target)) for way, series in drawn.items()),
        baselines={name: _figures(series, target) for name, series in baselines.items()},
        judged=judged(drawn[WHOLE], target),
        oracle=_figures(best, target) if best else {},
        label_only="the pipeline has no caption of its own for the labels"
        if alone is None
        else label_only_control(alone, target),
    )


def _maps(decodings: Sequence[Decoding]) -> Picture:
    return resized(np.stack([(decoding.saliency * 255).astype(np.uint8) for decoding in decodings]), PIXELS)


def _structure(
    trials: Trials, shown: Picture, target: Target, pictures: Picture, saliency: Picture, oracle: OracleReading | None
) -> tuple[StructureRow, ...]:
    """Of the first trials, and of the saliency maps of all, since these need no drawing. `shown`: the stimuli of all."""
    stimuli, count, every = target.stimuli.pictures, len(pictures), len(trials.decodings)
    best = None if oracle is None else oracle.pictures(trials.names, every)
    first = None if best is None else best[:count]
    rows = [
        structure_row("picture", pictures, stimuli, first, target.seed),
        structure_row("saliency map", saliency, stimuli, first, target.seed),
    ]
    if count > 1:
        others = np.roll(pictures, 1, axis=0)
        rows.append(structure_row("another trial's picture", others, stimuli, None, target.seed))
    if differ(shown):
        rows.append(structure_row(NO_EEG, without_eeg(shown, count), stimuli, None, target.seed))
        read = contrast_pictures(trials.contrasts, shown)
        rows.append(structure_row("the ridge's contrast map, of all trials", read, shown, best, target.seed))
    if every > count:
        maps = _maps(trials.decodings)
        others = np.roll(maps, 1, axis=0)
        rows.append(structure_row("saliency map of all trials", maps, shown, best, target.seed))
        rows.append(structure_row("another trial's saliency map", others, shown, None, target.seed))
        if differ(shown):
            guess = without_eeg(shown, every)
            rows.append(structure_row(f"{NO_EEG}, of all trials", guess, shown, None, target.seed))
    return tuple(rows)


def _figures(series: Series, target: Target) -> dict[str, float]:
    return {name: it.score for name, it in score_pictures(series, target).items()}


def _target(trials: Trials, settings: Drawing, judge: Judge | None, catalogue: Catalogue) -> Target:
    markers = tuple(decoding.epoch.marker for decoding in trials.decodings[: settings.count])
    every, rng = trials.cut.markers, np.random.default_rng(settings.seed)
    stimuli = series_of(shown_pictures(markers, catalogue), judge)
    labels = [marker.label for marker in markers]
    # Other layouts of the same labels: what a perfect pipeline that knew the label alone could draw.
    others = np.stack(
        [
            render(catalogue.picture(label), random_layout(rng), PIXELS)
            if label in catalogue
            else picture_or_grey(None)
            for label in labels
        ]
    )
    return Target(
        markers=markers,
        every=every,
        stimuli=stimuli,
        others=series_of(others, judge),
        known=all(marker.label in catalogue and layout_told(marker) is not None for marker in every),
        judge=judge,
        right=judge.right(indices_of(labels, catalogue.labels), stimuli.seen) if judge and stimuli.seen else None,
        seed=settings.seed,
    )


def shown_pictures(markers: Sequence[Marker], catalogue: Catalogue) -> Picture:
    """(n, 64, 64, 3): of each marker the stimulus; its label's picture where it tells no layout, grey where there is none."""
    return np.stack([picture_or_grey(stimulus_of(marker, catalogue, PIXELS)) for marker in markers])


def _ways(decodings: Sequence[Decoding], artist: _Artist, tell: Callable[[float], None]) -> dict[Way, Series]:
    """Kind of caption × drawn from grey, from the saliency map, from the latent: the pictures of each.

    The diffusion starts from one of the two, so saliency map and latent are never both on. Without a caption the embedding
    is zero: what the captions have in common. The label's captions are left out where the pipeline has none of its own.
    """
    latent = all(decoding.latent is not None and decoding.latent.shape == artist.latent_shape for decoding in decodings)
    starts = [(False, False), (True, False)] + ([(False, True)] if latent else [])
    captions = {kind: found for kind in get_args(CaptionKind) if (found := _captions(kind, decodings, artist))}
    ways: list[Way] = [(kind, *start) for kind in captions for start in starts]
    drawn: dict[Way, Series] = {}
    for number, way in enumerate(ways):
        pictures = []
        for place, (decoding, embedding) in enumerate(zip(decodings, captions[way[0]], strict=True)):
            initial = decoding.saliency if way[1] else decoding.latent if way[2] else None
            pictures.append(artist.draw(embedding, initial))
            tell((number + (place + 1) / len(decodings)) / len(ways))
        drawn[way] = artist.finish(pictures)
    return drawn


def _captions(kind: CaptionKind, decodings: Sequence[Decoding], artist: _Artist) -> list[FloatArray]:
    """The embedding that each trial is drawn with; none where the pipeline has no captions of these labels."""
    if kind == "decoded":
        return [decoding.embedding for decoding in decodings]
    if kind == "none":
        return [np.zeros_like(decoding.embedding) for decoding in decodings]
    try:
        bank = caption_bank(artist.folder)
        return [bank.embedding(decoding.top) for decoding in decodings]
    except (DiffusionError, LabelError):
        return []


def _baselines(
    trials: Trials, count: int, shown: Picture | None, artist: _Artist, ways: Mapping[Way, Series]
) -> Mapping[str, Series]:
    """What is drawn for the first `count` without the picture's own EEG, or with no more of it than a label.

    `label_only`: the caption of the most probable label, from grey, as any text-to-image model would after a label decoder.
    `mean_embedding`: the mean embedding and saliency map of all trials, the same for each. `mean_stimulus`: not drawn at all;
    the mean of the other pictures that were shown, which is smooth and so has a good SSIM.
    """
    embedding = np.stack([decoding.embedding for decoding in trials.decodings]).mean(axis=0)
    saliency = np.stack([decoding.saliency for decoding in trials.decodings]).mean(axis=0)
    drawn = {MEAN_EMBEDDING: artist.finish([artist.draw(embedding, saliency)] * count)}
    if shown is not None and differ(shown):
        drawn[MEAN_STIMULUS] = artist.finish(list(mean_of_others(shown, count)))
    if LABEL_ALONE in ways:
        drawn[LABEL_ONLY] = ways[LABEL_ALONE]
    return drawn


def _no_clock() -> float:
    return 0.0
