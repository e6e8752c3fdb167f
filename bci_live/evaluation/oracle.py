"""What the decoder that knows the simulated head reads of the same trials: the most that a score could be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bci_live.evaluation.reading import Cut, Preparation
from bci_live.evaluation.scores import Array
from bci_live.sessions.recording import Recording
from bci_live.signal.epoching import EpochPlan
from bci_live.signal.montage import Montage
from bci_live.simulation.head import SimulatedHead
from bci_live.simulation.identity import rebuilt_head
from bci_live.simulation.oracle import Oracle
from bci_live.stimuli.catalogue import Catalogue, load_catalogue
from bci_live.stimuli.rendering import Layout, random_layout, render
from bci_live.training.demo import PIXELS, demo_head
from bci_live.types import FloatArray, Picture

# Of each label, to learn the spread of what the head makes of its layouts.
_LAYOUTS, _SEED = 150, 77


@dataclass(frozen=True, slots=True)
class OracleReading:
    """Of n trials `probabilities` (n, names) and where the object is: `layouts`, of the trials in their order."""

    probabilities: Array
    layouts: tuple[Layout, ...]

    def pictures(self, names: Sequence[str], count: int) -> Picture:
        """The first trials' most probable object where it is thought to be, on grey: (count, 64, 64, 3)."""
        catalogue, best = load_catalogue("objects"), self.probabilities.argmax(axis=1).tolist()
        pairs = zip(best[:count], self.layouts[:count], strict=True)
        return np.stack([render(catalogue.picture(names[label]), layout, PIXELS) for label, layout in pairs])


def ask_oracle(
    recordings: Sequence[Recording], cut: Cut, names: Sequence[str], preparation: Preparation
) -> OracleReading | str:
    """What the oracle reads of all trials of a cut; or why there is none.

    Parameters
    ----------
    cut : as `preparation` makes it of the recordings
    names : the labels that are told apart
    """
    told = {recording.facts.head for recording in recordings}
    if told == {""}:
        return "the recordings do not tell which simulated head they are of"
    rates = {recording.facts.rate for recording in recordings}
    if len(told) > 1 or len(rates) > 1:
        return "the recordings are not all of one simulated head"
    catalogue = load_catalogue("objects")
    unknown = [name for name in names if name not in catalogue]
    if unknown:
        return f"the simulated head never saw {unknown[0]!r}"
    head = rebuilt_head(told.pop(), lambda seed: demo_head(catalogue, seed))
    if head is None:
        return "this version simulates another head than that of the recordings: make them anew"
    if recordings[0].facts.channels != head.channels:
        return "the recordings do not have all channels of their head"
    oracle = _built(head, catalogue, names, recordings[0], preparation)
    traits = oracle.positions(cut.data)
    layouts = tuple(Layout(*row) for row in np.clip(traits, _LEAST, _MOST).tolist())
    return OracleReading(np.exp(oracle.log_probabilities(cut.data)), layouts)


# x, y, size, turn: what a layout can be.
_LEAST, _MOST = (0.0, 0.0, 0.1, -90.0), (1.0, 1.0, 2.0, 90.0)


def _built(
    head: SimulatedHead, catalogue: Catalogue, names: Sequence[str], recording: Recording, preparation: Preparation
) -> Oracle:
    """For epochs as they are prepared, of pictures as they are shown."""
    rng, labels = np.random.default_rng(_SEED), np.repeat(np.arange(len(names)), _LAYOUTS)
    layouts = [random_layout(rng) for _ in labels]
    shown = zip(labels.tolist(), layouts, strict=True)
    pictures = np.stack([render(catalogue.picture(names[label]), layout, PIXELS) for label, layout in shown])
    traits = np.array([(it.x, it.y, it.size, it.turn) for it in layouts])
    epoch = preparation.epoch
    plan = EpochPlan(recording.facts.rate, preparation.rate, preparation.filter, epoch)
    montage = Montage(preparation.channels, recording.facts, epoch, str(recording.path))

    def pick(samples: FloatArray) -> FloatArray:
        return montage.pick(samples)[:, : montage.decoded]

    return Oracle.of(head, pictures, labels, traits, plan.prepare, plan.before, plan.after, rng, pick)
