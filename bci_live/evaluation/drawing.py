"""Draws the first trials and scores the pictures: as the paper's Table 3, and the structure that the paper left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bci_live.config import DiffusionConfig
from bci_live.decoding.device import pick_device
from bci_live.diffusion.pipeline import load_pipeline, pipeline_name
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.evaluation.controls import Control
from bci_live.evaluation.judge import load_judge, name_probabilities
from bci_live.evaluation.picture_scores import (
    PIXELS,
    found_in_category,
    label_only_control,
    picture_or_grey,
    row_scores,
    score_names,
    score_pictures,
    score_within_category,
    structure_of,
)
from bci_live.evaluation.reading import Trials, indices_of
from bci_live.evaluation.scores import Array, Scored
from bci_live.evaluation.structure import layout_told
from bci_live.stimuli.catalogue import Catalogue, load_catalogue
from bci_live.stimuli.truth import stimulus_of
from bci_live.types import Decoding, FloatArray, Picture

# What a picture is drawn from: caption, saliency map, latent.
Way = tuple[bool, bool, bool]
WHOLE: Way = (True, True, False)
LABEL_ONLY: Way = (True, False, False)


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is to be drawn: the first `count` trials, each with the same `seed` of the noise. `judge`: name the pictures."""

    pipeline: str | Path
    count: int = 24
    device: str = "cpu"
    seed: int = 0
    judge: bool = True


@dataclass(frozen=True, slots=True)
class AblationRow:
    """What went into the pictures, and what they score (`named`, `ssim`, `pixcorr`, `position`, …)."""

    caption: bool
    saliency: bool
    latent: bool
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The first trials' pictures, each (m, 64, 64, 3), uint8.

    `known`: whether the markers told the layout, so that `stimuli` are what was shown and not just the label's picture.
    `structure`: median errors of the pictures, the saliency maps, and of pictures of other trials (chance).
    `label_only`: whether the caption alone finds the stimulus among those of its label; None where none has two.
    """

    settings: Drawing
    diffusion: DiffusionConfig
    stimuli: Picture
    saliency: Picture
    pictures: Picture
    known: bool
    scores: dict[str, Scored]
    structure: dict[str, dict[str, float]]
    ablation: tuple[AblationRow, ...]
    label_only: Control | None


class _Artist:
    """Draws decodings from any of the three ways into the picture, with one pipeline in memory."""

    def __init__(self, settings: Drawing) -> None:
        pipeline = load_pipeline(settings.pipeline, pick_device(settings.device))
        name = pipeline_name(settings.pipeline)
        self.config, grey = DiffusionConfig(), DiffusionConfig.model_validate({"initial": "grey"})
        self._seed = settings.seed
        self._over = DiffusionReconstructor(pipeline, name, self.config, _no_clock)
        self._anew = DiffusionReconstructor(pipeline, name, grey, _no_clock)
        self.latent_shape = self._over.latent_shape

    def draw(self, decoding: Decoding, caption: bool, initial: FloatArray | None) -> Picture:
        """(64, 64, 3). Without a caption the embedding is zero: what the captions have in common."""
        embedding = decoding.embedding if caption else np.zeros_like(decoding.embedding)
        reconstructor = self._anew if initial is None else self._over
        *_, last = reconstructor.draw(embedding, initial, self._seed)
        return resized(last)


def draw_first(trials: Trials, settings: Drawing, tell: Callable[[float], None]) -> Drawn:
    """The first sample of each of the first trials: nothing is picked.

    Raises
    ------
    DiffusionError
        If the pipeline cannot be loaded, or does not fit the decoder.
    """
    artist, catalogue = _Artist(settings), load_catalogue()
    decodings = trials.decodings[: settings.count]
    markers, every = [decoding.epoch.marker for decoding in decodings], trials.cut.markers
    known = all(layout_told(marker) is not None for marker in every)
    stimuli = np.stack([picture_or_grey(stimulus_of(marker, catalogue, PIXELS)) for marker in markers])
    saliency = np.stack([resized((decoding.saliency * 255).astype(np.uint8)) for decoding in decodings])
    drawn = _ways(decodings, artist, tell)
    named = _names(drawn, catalogue) if settings.judge else {}
    truth = indices_of([marker.label for marker in markers], catalogue.labels)
    pictures, alone = drawn[WHOLE], drawn[LABEL_ONLY]
    scores = score_pictures(pictures, stimuli, settings.seed) if known else {}
    if settings.judge:
        scores |= score_names(named[WHOLE], truth, settings.seed)
    if known and (found := found_in_category(pictures, markers, every)) is not None:
        scores["within_category"] = score_within_category(found, settings.seed)
    truth_or_none = stimuli if known else None
    return Drawn(
        settings=settings,
        diffusion=artist.config,
        stimuli=stimuli,
        saliency=saliency,
        pictures=pictures,
        known=known,
        scores=scores,
        structure=structure_of(pictures, saliency, stimuli) if known else {},
        ablation=tuple(
            AblationRow(*way, row_scores(drawn[way], truth_or_none, named.get(way), truth)) for way in drawn
        ),
        label_only=label_only_control(found_in_category(alone, markers, every) if known else None),
    )


def _names(drawn: Mapping[Way, Picture], catalogue: Catalogue) -> dict[Way, Array]:
    judge = load_judge(catalogue)
    return {way: name_probabilities(judge, pictures) for way, pictures in drawn.items()}


def _ways(decodings: Sequence[Decoding], artist: _Artist, tell: Callable[[float], None]) -> dict[Way, Picture]:
    """Caption on or off × drawn from grey, from the saliency map, from the latent: the pictures of each, (m, 64, 64, 3).

    The diffusion starts from one of the two, so saliency map and latent are never both on.
    """
    latent = all(decoding.latent is not None and decoding.latent.shape == artist.latent_shape for decoding in decodings)
    starts = [(False, False), (True, False)] + ([(False, True)] if latent else [])
    ways: list[Way] = [(caption, *start) for caption in (True, False) for start in starts]
    drawn: dict[Way, Picture] = {}
    for number, way in enumerate(ways):
        pictures = []
        for place, decoding in enumerate(decodings):
            initial = decoding.saliency if way[1] else decoding.latent if way[2] else None
            pictures.append(artist.draw(decoding, way[0], initial))
            tell((number + (place + 1) / len(decodings)) / len(ways))
        drawn[way] = np.stack(pictures)
    return drawn


def resized(picture: Picture) -> Picture:
    """(h, w, 3) → (64, 64, 3)."""
    if picture.shape[:2] == (PIXELS, PIXELS):
        return picture
    return np.asarray(Image.fromarray(picture).resize((PIXELS, PIXELS), Image.Resampling.BOX))


def _no_clock() -> float:
    return 0.0
