"""Where the object is in a picture, how large and how turned: measured from the pixels, and compared with the stimulus.

Both sides are measured alike, so an exact rendering has no error, whatever part of its object is as pale as the ground.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from bci_live.evaluation.scores import Array, Interval, bootstrap
from bci_live.stimuli.rendering import Layout, layout_from_dict
from bci_live.types import Marker, Picture

Mask = NDArray[np.bool_]

_BORDER = 2
# An object is what stands out by a quarter of the strongest contrast, and by more than gradients and noise do.
_SHARE_OF_PEAK, _FLOOR = 0.25, 0.05
# What is about as long as wide has no orientation.
_ELONGATED = 1.25


@dataclass(frozen=True, slots=True)
class Shape:
    """`x`, `y`: centre, as shares of the width and height. `size`: root of the area, as share of the width.

    `turn`: of the long axis, degrees counter-clockwise as seen, -90…90; `elongation`: long over short axis.
    """

    x: float
    y: float
    size: float
    turn: float
    elongation: float


@dataclass(frozen=True, slots=True)
class StructureError:
    """`position`: distance of the centres, share of the width. `size`: |ratio - 1|. `turn`: degrees, 0…90, or NaN where
    the stimulus is about as long as wide. `overlap`: intersection over union, 1 is perfect."""

    position: float
    size: float
    turn: float
    overlap: float


def layout_told(marker: Marker) -> Layout | None:
    """The layout that the marker's detail carries; None where it tells none, so that the picture is not known."""
    try:
        told = json.loads(marker.detail) if marker.detail else None
        return layout_from_dict(told["layout"]) if isinstance(told, Mapping) and "layout" in told else None
    except (ValueError, TypeError, RecursionError):  # details come from the network
        return None


def object_mask(picture: Picture) -> Mask:
    """(h, w, 3), uint8 → (h, w): what stands out from a ground that blends the upper border into the lower one."""
    values = picture.astype(np.float64) / 255
    top, bottom = (np.median(edge.reshape(-1, 3), axis=0) for edge in (values[:_BORDER], values[-_BORDER:]))
    # The borders' middles lie half a border inside.
    share = np.clip((np.arange(len(values)) - (_BORDER - 1) / 2) / (len(values) - _BORDER), 0, 1)[:, None, None]
    contrast = np.abs(values - (top * (1 - share) + bottom * share)).mean(axis=2)
    return np.asarray(contrast > max(_FLOOR, _SHARE_OF_PEAK * float(np.percentile(contrast, 99))))


def shape_of(mask: Mask) -> Shape | None:
    """Centre, size and long axis of a mask (h, w), from its first and second moments; None of an empty one."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    height, width = mask.shape
    x, y = (columns.mean() + 0.5) / width, (rows.mean() + 0.5) / height
    # Rows count downwards; a pixel is a square, whose own variance is 1/12.
    spread = np.cov(np.stack([columns, -rows]), bias=True) + np.eye(2) / 12
    values, axes = np.linalg.eigh(spread)
    turn = np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))
    turn = (turn + 90) % 180 - 90
    return Shape(
        float(x), float(y), float(np.sqrt(len(rows)) / width), float(turn), float(np.sqrt(values[1] / values[0]))
    )


def structure_error(drawn: Picture, stimulus: Picture) -> StructureError:
    """Of a drawn picture against the stimulus, both (h, w, 3). A picture without any object errs as much as it can."""
    ours, true = object_mask(drawn), object_mask(stimulus)
    found, wanted = shape_of(ours), shape_of(true)
    if found is None or wanted is None:
        return StructureError(1.0, 1.0, 90.0, 0.0)
    between = abs(found.turn - wanted.turn)
    return StructureError(
        position=float(np.hypot(found.x - wanted.x, found.y - wanted.y)),
        size=abs(found.size / wanted.size - 1),
        turn=min(between, 180 - between) if wanted.elongation >= _ELONGATED else float("nan"),
        overlap=float((ours & true).sum() / (ours | true).sum()),
    )


def overlaps(drawn: Picture, stimuli: Picture) -> Array:
    """Intersection over union of every drawn picture's object (n, h, w, 3) with every stimulus's (m, h, w, 3): (n, m)."""
    ours, true = (
        np.stack([object_mask(it).ravel() for it in pictures]).astype(np.float64) for pictures in (drawn, stimuli)
    )
    both = ours @ true.T
    either = ours.sum(axis=1)[:, None] + true.sum(axis=1) - both
    return np.asarray(np.divide(both, either, out=np.zeros_like(both), where=either > 0))


@dataclass(frozen=True, slots=True)
class StructureRow:
    """Of `count` pictures of a kind, by name of the error: the median, its bootstrap interval, and the oracle's median."""

    what: str
    count: int
    median: dict[str, float]
    interval: dict[str, Interval]
    oracle: dict[str, float]


def structure_row(what: str, drawn: Picture, stimuli: Picture, best: Picture | None, seed: int) -> StructureRow:
    """Pictures (n, h, w, 3) against the stimuli; `best`: the oracle's of the same trials, where there is one."""
    errors = errors_of(drawn, stimuli)
    return StructureRow(
        what,
        len(drawn),
        {name: _median(values) for name, values in errors.items()},
        {name: _interval(values, seed) for name, values in errors.items()},
        {} if best is None else median_errors(best, stimuli),
    )


def without_eeg(stimuli: Picture, count: int) -> Picture:
    """For each of the first `count` of the stimuli (n, h, w, 3): an object wherever half of the others have theirs.

    It takes no EEG to do as well: what is read has to be nearer than this. The stimulus itself is left out however often it was
    shown, or the guess would know it. There have to be two different ones.
    """
    masks = np.stack([object_mask(it) for it in stimuli]).astype(np.float64)
    often = of_others(masks, stimuli)[:count]
    common = (often >= np.minimum(0.5, often.max(axis=(1, 2), keepdims=True))) & (often > 0)
    return np.repeat(np.where(common, np.uint8(255), np.uint8(0))[..., None], 3, axis=-1)


def mean_of_others(stimuli: Picture, count: int) -> Picture:
    """For each of the first `count` of the stimuli (n, h, w, 3), two of which differ, the mean of the others."""
    return np.asarray(of_others(stimuli.astype(np.float64), stimuli)[:count].round(), dtype=np.uint8)


def of_others(values: Array, stimuli: Picture) -> Array:
    """(n, …): of each stimulus (n, h, w, 3) the mean of `values` (n, …) over all that show another one. Two have to differ."""
    _, which = np.unique(stimuli.reshape(len(stimuli), -1), axis=0, return_inverse=True)
    shown = np.bincount(which)
    sums = np.stack([values[which == number].sum(axis=0) for number in range(len(shown))])
    left = (len(stimuli) - shown).reshape(-1, *[1] * (values.ndim - 1))
    means: Array = (sums.sum(axis=0) - sums) / left
    return means[which]


def differ(stimuli: Picture) -> bool:
    """Whether any of them (n, h, w, 3) is another than the first."""
    return bool((stimuli != stimuli[0]).any())


def median_errors(drawn: Picture, stimuli: Picture) -> dict[str, float]:
    """Median over pictures of each error; `turn` over those whose stimulus has an orientation."""
    return {name: _median(values) for name, values in errors_of(drawn, stimuli).items()}


def errors_of(drawn: Picture, stimuli: Picture) -> dict[str, Array]:
    """Of each picture its errors, (n,) each, by name."""
    errors = [structure_error(a, b) for a, b in zip(drawn, stimuli, strict=True)]
    return {it.name: np.array([getattr(error, it.name) for error in errors]) for it in fields(StructureError)}


def _median(errors: Array) -> float:
    there = errors[~np.isnan(errors)]
    return float(np.median(there)) if len(there) else float("nan")


def _interval(errors: Array, seed: int) -> Interval:
    return bootstrap(lambda chosen: _median(errors[chosen]), len(errors), seed)
