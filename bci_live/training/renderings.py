"""A fixed set of random renderings of the catalogue: what the autoencoder and the diffusion model learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from bci_live.stimuli.catalogue import Catalogue, Stimulus
from bci_live.stimuli.rendering import Layout, random_layout, render
from bci_live.types import FloatArray, Picture


@dataclass(frozen=True, slots=True)
class Renderings:
    """`images`: (n, pixels, pixels, 3), uint8. `labels`: (n,), index into the catalogue. `layouts`: (n, 11), see `layout_row`."""

    images: Picture
    labels: np.ndarray
    layouts: FloatArray


def layout_row(layout: Layout) -> list[float]:
    """x, y, size, turn, hue, then the background's two colours."""
    top, bottom = layout.background
    return [layout.x, layout.y, layout.size, layout.turn, layout.hue, *top, *bottom]


Layouts = Callable[[np.random.Generator, Stimulus], Layout]


def free_layout(rng: np.random.Generator, stimulus: Stimulus) -> Layout:
    """Anywhere; a grating has no upright, and is turned any way."""
    return random_layout(rng, turn=90.0) if stimulus.set == "gratings" else random_layout(rng)


def middle_layout(_: np.random.Generator, __: Stimulus) -> Layout:
    """Upright in the middle of grey: what a draw from pure noise shall look like, as nothing tells it a place.

    A draw from an initial picture has its layout from there, over the whole range of `random_layout`.
    """
    return Layout()


def draw_renderings(
    catalogue: Catalogue,
    count: int,
    pixels: int,
    seed: int,
    layouts: Layouts = free_layout,
) -> Renderings:
    """`count` renderings, the labels in turn, each with a layout of its own; the same seed gives the same set."""
    rng = np.random.default_rng(seed)
    images = np.empty((count, pixels, pixels, 3), dtype=np.uint8)
    rows = np.empty((count, 11), dtype=np.float32)
    for index in range(count):
        label = catalogue.labels[index % len(catalogue.labels)]
        layout = layouts(rng, catalogue[label])
        images[index] = render(catalogue.picture(label), layout, pixels)
        rows[index] = layout_row(layout)
    return Renderings(images, np.arange(count) % len(catalogue.labels), rows)


def cached_renderings(
    catalogue: Catalogue, count: int, pixels: int, seed: int, work: Path, layouts: Layouts = free_layout
) -> Renderings:
    """As `draw_renderings`, kept in the folder `work` for the next run."""
    file = work / f"renderings-{len(catalogue.labels)}-{count}-{pixels}-{seed}.safetensors"
    if file.exists():
        tensors = load_file(file)
        return Renderings(tensors["images"], tensors["labels"], tensors["layouts"])
    drawn = draw_renderings(catalogue, count, pixels, seed, layouts)
    work.mkdir(parents=True, exist_ok=True)
    save_file({"images": drawn.images, "labels": drawn.labels, "layouts": drawn.layouts}, file)
    return drawn
