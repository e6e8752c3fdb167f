"""How often the top label was right so far, with the interval that belongs to it, against chance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PyQt6.QtWidgets import QWidget

from bci_live.live.averages import Averages, interval
from bci_live.types import MissedReason
from bci_live.window import theme
from bci_live.window.plots.line_plot import Band, Graph, Line, LinePlot

_FEWEST = 5


class AccuracyPanel(theme.Panel):
    """Where the truth is known. A replay of what the decoder was trained on tells nothing of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Top label right", parent)
        self._drawn: tuple[int, int, str] | None = None
        self.plot = LinePlot("Drawn as soon as two pictures' truth is known.")
        self.said = theme.named_label("muted")
        self.said.setWordWrap(True)
        self.body.addWidget(self.plot, 1)
        self.body.addWidget(self.said)

    def show_averages(self, averages: Averages, labels: int) -> None:
        """`labels`: among how many the decoder chooses."""
        right = np.array(averages.right)
        drawn = (averages.version, labels, theme.now.name)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        if not len(right) or not labels:
            self.plot.show_graph(Graph())
            self.said.setText(unjudged_text(averages.unjudged) if averages.unjudged else "")
            return
        of = np.arange(1, len(right) + 1)
        share = np.cumsum(right) / of
        bounds = np.array([interval(int(k), int(n)) for k, n in zip(np.cumsum(right), of, strict=True)])
        chance, now = 1 / labels, theme.now
        lines = (
            Line(of, 100 * share, now.sky, "right", width=2),
            Line(of, np.full(len(of), 100 * chance), now.orange, "chance", dashed=True),
        )
        band = Band(of, 100 * bounds[:, 0], 100 * bounds[:, 1], now.sky)
        self.plot.show_graph(Graph(lines, (band,), "trials", "%", (0.0, 100.0)))
        low, high = bounds[-1]
        self.said.setText(
            f"{right.sum()} of {len(right)} drawn = {100 * share[-1]:.0f} %, 95 % interval {100 * low:.0f} to {100 * high:.0f} %: "
            f"{verdict(len(right), low, high, chance)} ({100 * chance:.3g} %). {unjudged_text(averages.unjudged)}"
        )


def verdict(trials: int, low: float, high: float, chance: float) -> str:
    """What an interval from `low` to `high` says; of a few trials nothing, though it may leave chance out."""
    if trials < _FEWEST:
        return "too few to tell it from chance"
    if low <= chance <= high:
        return "chance is within it"
    return "above chance" if low > chance else "below chance"


def unjudged_text(unjudged: Mapping[MissedReason, int]) -> str:
    """'12 abstained, 3 interrupted: not judged.', of the same stretch as the accuracy."""
    words = {MissedReason.UNSURE: "abstained", MissedReason.INTERRUPTED: "interrupted"}
    parts = [f"{unjudged[reason]} {word}" for reason, word in words.items() if unjudged.get(reason)]
    return f"{', '.join(parts)}: not judged." if parts else "Nothing abstained or was interrupted."
