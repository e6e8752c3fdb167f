"""The average response of each class since the session began, and where on the head its peaks are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from bci_live.config import EpochConfig
from bci_live.live.averages import Average, Averages, peaks
from bci_live.live.export import Saving, save_averages
from bci_live.live.snapshot import LiveSnapshot
from bci_live.window import theme
from bci_live.window.plots.line_plot import Graph, Line, LinePlot
from bci_live.window.plots.name_picker import NamePicker
from bci_live.window.plots.topography import Topography

_TOPOGRAPHIES = 3
_CLASSES = 4
_FEWEST = 2  # trials: one alone is noise, not a response
_STRONGEST = "strongest electrode"
_ALL = "all trials"
_HEADING = "Average response"
Values = NDArray[np.float64]


class ResponsePanel(theme.Panel):
    """Epochs as the decoder got them: filtered, without artefacts. One electrode's curve for all trials, and for one class
    or the commonest ones.
    """

    def __init__(self, folder: Callable[[], Path], parent: QWidget | None = None) -> None:
        super().__init__(_HEADING, parent)
        self._folder = folder
        self._drawn: tuple[int, str, str, str] | None = None
        self._saving: Saving | None = None
        self._shown: tuple[tuple[Average, ...], tuple[str, ...], EpochConfig] | None = None
        self.plot = LinePlot("Grows with every picture.")
        self.channel = NamePicker("The electrode whose response is drawn", first=_STRONGEST)
        self.label = NamePicker("The class whose response and heads are drawn, with its trials", first=_ALL)
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
        theme.leave_keys(self.save_button)
        above = QHBoxLayout()
        above.addWidget(self.channel, 1)
        above.addWidget(self.label, 1)
        above.addWidget(self.save_button)
        self.body.addLayout(above)
        self.body.addWidget(self.said)
        self.body.addLayout(row, 1)

    def show_averages(self, averages: Averages, snapshot: LiveSnapshot) -> None:
        """All curves and heads anew."""
        if self._saving is not None and (told := self._saving.told()):
            self._saving = None
            self._say(told)
        together, names = averages.average(), snapshot.channels
        if together is not None and len(names) != len(together):
            return
        counts = averages.counts
        self.channel.show_names(names)
        self.label.show_names(sorted(counts), {label: f"{label}, {trials}" for label, trials in counts.items()})
        drawn = (averages.version, self.channel.name, self.label.name, theme.now.name)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        if together is None:
            self._show_none()
            return
        self._shown = (averages.all(), names, snapshot.epoch)
        self._show(averages, together, snapshot)

    def _show(self, averages: Averages, together: Values, snapshot: LiveSnapshot) -> None:
        """Curves, and heads at the peaks: those of the class that is picked, or of all trials."""
        names, epoch = snapshot.channels, snapshot.epoch
        times = epoch.start_s + np.arange(together.shape[1]) * (epoch.stop_s - epoch.start_s) / together.shape[1]
        of_class = averages.average(self.label.name) if self.label.name else None
        # While its list is open, a class of before may still stand there.
        label, shown = ("", together) if of_class is None else (self.label.name, of_class)
        strongest = int(np.abs(shown).max(axis=1).argmax())
        place = names.index(self.channel.name) if self.channel.name in names else strongest
        tops = peaks(shown, times)
        lines = self._lines(averages, times, place, label)
        marks = (0.0, *(float(times[top]) for top in tops))
        self.plot.show_graph(Graph(lines, x_title="s after the marker", y_title=f"µV at {names[place]}", marks=marks))
        limit = float(np.abs(shown[:, tops]).max()) if tops else 1.0
        trials = averages.counts[label]
        of = f" of {label}, {trials} trial{'s' * (trials != 1)}" if label else ""
        self.heading.setText(f"{_HEADING}{of}" + (f"; heads: ±{limit:.2g} µV at the peaks" if tops else ""))
        for head, top in zip(self.heads, [*tops, *[None] * _TOPOGRAPHIES], strict=False):
            head.setVisible(top is not None)
            if top is not None:
                head.show_values(names, shown[:, top], limit, f"{times[top] * 1000:.0f} ms")

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
        self.heading.setText(_HEADING)
        self.plot.show_graph(Graph())
        for head in self.heads:
            head.hide()

    def _say(self, told: str) -> None:
        self.said.setText(told)
        self.said.setToolTip(told)
        self.said.setVisible(bool(told))

    def _lines(self, averages: Averages, times: Values, place: int, label: str) -> tuple[Line, ...]:
        """All trials, and the class `label` beside them; without one, the commonest classes."""
        now, counts, together = theme.now, averages.counts, averages.average()
        assert together is not None
        commonest = [it for it, trials in counts.most_common(_CLASSES) if trials >= _FEWEST] if len(counts) > 1 else []
        colours = (now.sky, now.orange, now.green, now.purple)
        lines = [Line(times, together[place], now.text, f"all, {counts.total()} trials", width=2)]
        for number, (it, colour) in enumerate(zip([label] if label else commonest, colours, strict=False)):
            of_class = averages.average(it)
            assert of_class is not None
            lines.append(Line(times, of_class[place], colour, f"{it}, {counts[it]}", dashed=bool(number % 2)))
        return tuple(lines)
