"""Where an electrode of the 10-10 system lies on a head seen from above, from its name alone."""

from __future__ import annotations

import math
import re

# From the nose backwards; the outermost electrodes of a row are 18° further along the circumference each (Oostenveld and
# Praamstra 2001). Rows of the temple have names of their own on the outside: FT for FC, T for C, TP for CP.
_ROWS = {
    "FP": 0, "AF": 1, "F": 2, "FC": 3, "FT": 3, "C": 4, "T": 4, "CP": 5, "TP": 5, "P": 6, "PO": 7, "O": 8,
}  # fmt: skip
_OLD = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8", "M1": "TP9", "M2": "TP10", "A1": "T9", "A2": "T10"}
_CIRCUMFERENCE = 0.8  # where Fpz, T7, Oz and T8 lie; 1 is the head's edge
_NAME = re.compile(r"(?:EEG[ _-]?)?([A-Z]+)(Z|\d{1,2})(?:[ _-](?:REF|LE|AVG))?")


def position(name: str) -> tuple[float, float] | None:
    """x to the right, y to the nose, 1 at the head's edge; None for a name that is not of the system."""
    name = _OLD.get(name.strip().upper(), name.strip().upper())
    parsed = _NAME.fullmatch(name)
    if parsed is None or parsed[1] not in _ROWS:
        return None
    row, number = _ROWS[parsed[1]], 0 if parsed[2] == "Z" else int(parsed[2])
    if number > 10:
        return None
    middle = _CIRCUMFERENCE * (1 - row / 4)
    if not number:
        return 0.0, middle
    # Fp1 and O1 are outermost already; elsewhere 1, 3, 5, 7 are quarters of the way from the midline.
    share = 1.0 if row in (0, 8) else math.ceil(number / 2) / 4
    radius = _CIRCUMFERENCE if number < 9 else 1.0
    angle = math.radians(18 * (row + 1))
    edge = radius * math.sin(angle), radius * math.cos(angle)
    x = edge[0] * min(share, 1.0)
    y = middle + (edge[1] - middle) * min(share, 1.0) ** 2
    return (-x if number % 2 else x), y
