"""One sheet of what a session showed: stimulus | saliency | reconstruction, the first ones, none picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from bci_live.types import Picture

_CELL, _GAP, _TEXT, _PER_COLUMN = 96, 8, 16, 10
_HEADINGS = ("stimulus", "saliency", "reconstruction")
_PAPER, _INK, _PALE = (24, 26, 31), (235, 235, 235), (150, 154, 163)


@dataclass(frozen=True, slots=True)
class Row:
    """A marker's pictures (h, w, 3), its true label, and the decoded one with its probability."""

    stimulus: Picture | None
    saliency: Picture
    reconstruction: Picture
    label: str
    top: str
    confidence: float


def contact_sheet(rows: Sequence[Row]) -> Image.Image:
    """Draw the rows, ten under each other."""
    columns = -(-len(rows) // _PER_COLUMN)
    column_width = 3 * (_CELL + _GAP) + 2 * _GAP
    row_height = _CELL + _TEXT + _GAP
    height = _TEXT + 2 * _GAP + min(len(rows), _PER_COLUMN) * row_height
    sheet = Image.new("RGB", (columns * column_width + _GAP, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(11)
    for column in range(columns):
        for place, heading in enumerate(_HEADINGS):
            draw.text((_GAP + column * column_width + place * (_CELL + _GAP), _GAP), heading, _PALE, font)
    for index, row in enumerate(rows):
        left = _GAP + index // _PER_COLUMN * column_width
        top = _TEXT + 2 * _GAP + index % _PER_COLUMN * row_height
        for place, picture in enumerate((row.stimulus, row.saliency, row.reconstruction)):
            if picture is not None:
                scaled = Image.fromarray(picture).resize((_CELL, _CELL), Image.Resampling.BICUBIC)
                sheet.paste(scaled, (left + place * (_CELL + _GAP), top))
        # Pillow's own font has no arrows.
        words = f"shown {row.label[:14]}, read {row.top[:14]} {row.confidence:.0%}"
        draw.text((left, top + _CELL + 1), words, _INK if row.label == row.top else _PALE, font)
    return sheet
