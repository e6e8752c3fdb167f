"""The average response of each class since the session began, and where on the head its peaks are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget

from bci_live.config import EpochConfig
from bci_live.live.averages import Average, Averages, peaks
from bci_live.live.export import Saving, save_averages
from bci_live.live.snapshot import LiveSnapshot
from bci_live.window import theme
from bci_live.window.plots.line_plot import Graph, Line, LinePlot
from bci_live.window.plots.topography import Topography

_TOPOGRAPHIES = 3
_CLASSES = 4
_FEWEST = 2  # trials: one alone is noise, not a response
_ALL = "strongest electrode"


class ResponsePanel(theme.Panel):
    """Epochs as the decoder got them: filtered, without artefacts. One electrode's curve for each of the commonest classes."""

    def __init__(self, folder: Callable[[], Path], parent: QWidget | None = None) -> None:
        super().__init__("Average response", parent)
        self._folder = folder
        self._drawn: tuple[int, int, str] | None = None
        self._saving: Saving | None = None
        self._shown: tuple[tuple[Average, ...], tuple[str, ...], EpochConfig] | None = None
        self.plot = LinePlot("Grows with every picture.")
        self.channel = QComboBox()
        self.channel.setToolTip("The electrode whose response is drawn")
        self.channel.addItem(_ALL)
        self.heads = [Topography() for _ in range(_TOPOGRAPHIES)]
        row = QHBoxLayout()
        row.addWidget(self.plot, 3)
        for head in self.heads:
            row.addWidget(head, 1)
        self.save_button = QPushButton("Save for MNE")
        self.save_button.setToolTip("An Evoked of all trials and of each class, in a FIF file")
        self.save_button.clicked.connect(self.save)
        self.said = theme.named_label("note")
        self.said.setWordWrap(True)  # a path on one line would widen the dock
        self.said.hide()
        theme.leave_keys(self.channel, self.save_button)
        above = QHBoxLayout()
        above.addWidget(self.channel, 1)
        above.addWidget(self.save_button)
        self.body.addLayout(above)
        self.body.addWidget(self.said)
        self.body.addLayout(row, 1)

    def show_averages(self, averages: Averages, snapshot: LiveSnapshot) -> None:
        """All curves and heads anew."""
        if self._saving is not None and (told := self._saving.told()):
            self._saving = None
            self._say(told)
        together = averages.average()
        names = snapshot.channels
        drawn = (averages.version, self.channel.currentIndex(), theme.now.name)
        if drawn == self._drawn or (together is not None and len(names) != len(together)):
            return
        self._drawn = drawn
        if together is None:
            self._show_none()
            return
        self._shown = (averages.all(), names, snapshot.epoch)
        if [self.channel.itemText(k) for k in range(1, self.channel.count())] != list(names):
            self.channel.clear()
            self.channel.addItems([_ALL, *names])
        epoch = snapshot.epoch
        times = epoch.start_s + np.arange(together.shape[1]) * (epoch.stop_s - epoch.start_s) / together.shape[1]
        picked = self.channel.currentIndex() - 1
        place = picked if picked >= 0 else int(np.abs(together).max(axis=1).argmax())
        tops = peaks(together, times)
        self.plot.show_graph(self._graph(averages, times, place, names[place], tops))
        limit = float(np.abs(together[:, tops]).max()) if tops else 1.0
        self.heading.setText(f"Average response; heads: ±{limit:.2g} µV at the peaks" if tops else "Average response")
        for head, top in zip(self.heads, [*tops, *[None] * _TOPOGRAPHIES], strict=False):
            head.setVisible(top is not None)
            if top is not None:
                head.show_values(names, together[:, top], limit, f"{times[top] * 1000:.0f} ms")

    @property
    def saving(self) -> bool:
        """Whether a file is still being written."""
        return self._saving is not None and self._saving.running

    def save(self) -> None:
        """What is on display, for MNE; it is told when that is done."""
        if self._saving is None:
            self._say("Saving …")
            averages, names, epoch = self._shown or ((), (), EpochConfig())
            self._saving = Saving(partial(save_averages, self._folder(), averages, names, epoch))

    def _show_none(self) -> None:
        """Nothing was averaged yet, or all of it begins anew."""
        self._shown = None
        self.heading.setText("Average response")
        self.plot.show_graph(Graph())
        for head in self.heads:
            head.hide()

    def _say(self, told: str) -> None:
        self.said.setText(told)
        self.said.setToolTip(told)
        self.said.setVisible(bool(told))

    def _graph(self, averages: Averages, times: np.ndarray, place: int, name: str, tops: list[int]) -> Graph:
        together = averages.average()
        assert together is not None
        now = theme.now
        count = averages.counts.total()
        lines = [Line(times, together[place], now.text, f"all, {count} trials", width=2)]
        colours = (now.sky, now.orange, now.green, now.purple)
        classes = (
            [it for it in averages.counts.most_common(_CLASSES) if it[1] >= _FEWEST] if len(averages.counts) > 1 else []
        )
        for number, ((label, trials), colour) in enumerate(zip(classes, colours, strict=False)):
            of_class = averages.average(label)
            if of_class is not None:
                lines.append(Line(times, of_class[place], colour, f"{label}, {trials}", dashed=bool(number % 2)))
        marks = (0.0, *(float(times[top]) for top in tops))
        return Graph(tuple(lines), x_title="s after the marker", y_title=f"µV at {name}", marks=marks)
