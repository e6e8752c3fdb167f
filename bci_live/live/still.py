"""Windows without markers overlap: while what is read of them hardly moves, the picture of before stays.

The similarity filter of StreamDiffusion (Kodaira et al. 2023, section 3.5), applied to what is read instead of to the frame. Only
for such windows: after a marker something else was shown, and its trial gets a picture of its own, however alike it reads.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bci_live.types import Decoding, FloatArray, Reconstruction

# Cosine above which a picture may stay, the more probably the nearer to one; and how often in a row.
THRESHOLD = 0.98
MOST_IN_A_ROW = 10


class StillPictures:
    """Keeps the last picture that was drawn, and says whether it still does. `random`: draws the chance."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._last: Reconstruction | None = None
        self._choice = self._in_a_row = 0

    def drew(self, picture: Reconstruction, choice: int) -> None:
        """A finished picture. `choice`: the number of the user's choice of how to draw that it was drawn by."""
        self._last, self._choice, self._in_a_row = picture, choice, 0

    def instead_of(self, decoding: Decoding, seed: int, choice: int) -> Reconstruction | None:
        """The picture of before as that of `decoding`, told as `repeated`; None where one is to be drawn, by another choice too."""
        last = self._last
        if last is None or (last.seed, self._choice) != (seed, choice) or self._in_a_row == MOST_IN_A_ROW:
            return None
        moved = 1 - _likeness(last.decoding, decoding, last.initial)
        if self._random.random() >= 1 - moved / (1 - THRESHOLD):
            return None
        self._in_a_row += 1
        return replace(last, decoding=decoding, made=decoding.made, repeated=True)


def _likeness(one: Decoding, other: Decoding, initial: str) -> float:
    """The smallest cosine of what a picture is drawn from: embedding, and what `initial` names, the saliency map about its mean."""
    pairs = [(one.embedding, other.embedding)]
    if initial in ("saliency", "blend"):
        pairs.append((one.saliency - one.saliency.mean(), other.saliency - other.saliency.mean()))
    if initial in ("latent", "blend") and one.latent is not None and other.latent is not None:
        pairs.append((one.latent, other.latent))
    return min(_cosine(a, b) for a, b in pairs)


def _cosine(a: FloatArray, b: FloatArray) -> float:
    """-1…1; 0 where either is nothing at all, or they are not of one shape."""
    norms = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    return float(np.vdot(a, b)) / norms if norms and a.shape == b.shape else 0.0
