"""A catalogue picture placed on a background: the stimulus as it is shown.

Place, size, turn, hue and background vary, so that it can be measured how much of the structure a reconstruction keeps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from bci_live.types import FloatArray, Picture

Colour = tuple[int, int, int]

# The object is first drawn this many times larger, then averaged down: the cheapest good antialiasing.
_OVERSAMPLING = 2
_GREY = (128, 128, 128)
# Sizes that can be drawn; a layout may come from the network.
_SIZES = (0.01, 100.0)
# Luminance, and the axes of the plane in which hue turns (YIQ).
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


@dataclass(frozen=True, slots=True)
class Layout:
    """How a picture is placed.

    `x`, `y`: centre, as share of the width and of the height. `size`: the picture's width as share of the canvas's.
    `turn`: degrees, counter-clockwise as seen. `hue`: degrees. `background`: the colours at the top and at the bottom.
    """

    x: float = 0.5
    y: float = 0.5
    size: float = 0.75
    turn: float = 0.0
    hue: float = 0.0
    background: tuple[Colour, Colour] = (_GREY, _GREY)


def random_layout(rng: np.random.Generator, turn: float = 25.0) -> Layout:
    """A moderate variation: the object stays whole, upright enough to be known, on a soft pale or dark gradient.

    `turn`: how far it is turned to either side at most, degrees.
    """
    x, y = 0.5 + rng.uniform(-0.16, 0.16, 2)
    middle = rng.uniform(70, 215) + rng.uniform(-30, 30, 3)
    top, bottom = (np.clip(middle + rng.uniform(-22, 22) + rng.uniform(-8, 8, 3), 0, 255) for _ in range(2))
    return Layout(
        x=round(float(x), 4),
        y=round(float(y), 4),
        size=round(float(rng.uniform(0.5, 0.85)), 4),
        turn=round(float(rng.uniform(-turn, turn)), 2),
        hue=round(float(rng.uniform(-25, 25)), 2),
        background=(_colour(top), _colour(bottom)),
    )


def render(picture: Picture, layout: Layout, pixels: int = 64) -> Picture:
    """Draw a picture as the layout says.

    Parameters
    ----------
    picture : (h, h, 4), uint8, RGBA with straight alpha
    layout : where and how
    pixels : width and height of the result

    Returns
    -------
    (pixels, pixels, 3), uint8
    """
    placed = _place(picture, layout, pixels)
    alpha = placed[..., 3:]
    colours = turn_hue(placed[..., :3], layout.hue)
    canvas = _gradient(layout.background, pixels)
    return np.clip(colours * 255 + canvas * (1 - alpha) + 0.5, 0, 255).astype(np.uint8)


def resized(pictures: Picture, pixels: int) -> Picture:
    """(n, h, w, 3) → (n, pixels, pixels, 3): averaged where it shrinks, smoothly filled in where it grows."""
    if pictures.shape[1:3] == (pixels, pixels):
        return pictures
    kind = Image.Resampling.BOX if pixels < pictures.shape[1] else Image.Resampling.BICUBIC
    return np.stack([np.asarray(Image.fromarray(it).resize((pixels, pixels), kind)) for it in pictures])


def layout_to_dict(layout: Layout) -> dict[str, object]:
    """For JSON: a marker's detail, a session's metadata."""
    return asdict(layout)


def layout_from_dict(values: Mapping[str, object]) -> Layout:
    """The reverse of `layout_to_dict`.

    Raises
    ------
    ValueError
        If something is missing or no number, or the size is beyond all sense.
    """
    try:
        numbers = {name: float(values[name]) for name in ("x", "y", "size", "turn", "hue")}  # type: ignore[arg-type]
        top, bottom = (_colour(np.asarray(colour, dtype=float)) for colour in values["background"])  # type: ignore[attr-defined]
        if not (all(map(math.isfinite, numbers.values())) and _SIZES[0] <= numbers["size"] <= _SIZES[1]):
            raise ValueError(f"numbers must be finite and the size within {_SIZES[0]:g}…{_SIZES[1]:g}")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"This is no layout of a picture: {dict(values)!r} ({error})") from error
    return Layout(**numbers, background=(top, bottom))


def turn_hue(colours: FloatArray, degrees: float) -> FloatArray:
    """Turn the hue of (…, 3) RGB colours and keep their luminance; linear, so premultiplied colours are fine."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.linalg.inv(_TO_YIQ) @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ _TO_YIQ
    return np.asarray(colours @ turn.T.astype(np.float32), dtype=np.float32)


def _place(picture: Picture, layout: Layout, pixels: int) -> FloatArray:
    """The picture on a transparent canvas: (pixels, pixels, 4) in 0…1, premultiplied."""
    canvas = pixels * _OVERSAMPLING
    # "RGBa" is premultiplied, so that the colour of transparent pixels never bleeds into an edge.
    source = Image.fromarray(picture, "RGBA").convert("RGBa")
    # Shrinking first to about the final size (box filter) keeps fine detail from aliasing in the affine step.
    reduced = max(1, int(source.width / (layout.size * canvas)))
    if reduced > 1:
        source = source.reduce(reduced)
    scale = source.width / (layout.size * canvas)
    cos, sin = (scale * f(math.radians(layout.turn)) for f in (math.cos, math.sin))
    x, y = layout.x * canvas, layout.y * canvas
    middle_x, middle_y = source.width / 2, source.height / 2
    # PIL wants the way back: from a point of the canvas to a point of the picture.
    back = (cos, -sin, middle_x - cos * x + sin * y, sin, cos, middle_y - sin * x - cos * y)
    placed = source.transform((canvas, canvas), Image.Transform.AFFINE, back, Image.Resampling.BILINEAR)
    return np.asarray(placed.reduce(_OVERSAMPLING), dtype=np.float32) / np.float32(255)


def _gradient(background: tuple[Colour, Colour], pixels: int) -> FloatArray:
    top, bottom = (np.array(colour, dtype=np.float32) for colour in background)
    share = ((np.arange(pixels, dtype=np.float32) + 0.5) / pixels)[:, None, None]
    colours = top * (1 - share) + bottom * share
    return np.broadcast_to(colours, (pixels, pixels, 3)).astype(np.float32)


def _colour(values: np.ndarray) -> Colour:
    red, green, blue = (int(np.clip(value, 0, 255)) for value in values)
    return red, green, blue
