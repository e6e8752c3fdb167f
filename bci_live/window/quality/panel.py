"""The quality panel: the head with its lights, what the worst electrodes have, the check before a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from bci_live.signal.electrodes import Electrode, Light, impedances, judge
from bci_live.types import StreamFacts
from bci_live.window import theme
from bci_live.window.quality.eyes_check import EyesCheck, eeg_of
from bci_live.window.quality.head_map import HeadMap, describe
from bci_live.window.source import SnapshotSource

# What is judged, and how often.
_STRETCH_S = 4.0
_LEAST_S = 1.0
_EVERY_S = 1.0
_MOST_TOLD = 4


class QualityPanel(theme.Panel):
    """Judges only while it is visible."""

    def __init__(self, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("Electrodes", parent)
        self._clock = clock
        self._judged = -_EVERY_S
        self.head = HeadMap()
        self.head.picked.connect(self._tell)
        self.mains = QComboBox()
        self.mains.addItems(["50 Hz mains", "60 Hz mains"])
        self.mains.setToolTip("What the power line hums with here")
        self.mains.setAccessibleName("The power line's frequency")
        theme.leave_keys(self.mains)
        theme.leave_wheel(self.mains)
        self.told = theme.named_label("muted", "Judged as soon as there is a second of signal.")
        self.told.setWordWrap(True)
        self.check = EyesCheck(clock=clock)
        row = QHBoxLayout()
        row.addWidget(theme.named_label("muted", "● sound  ▲ doubtful  ■ bad"), 1)
        row.addWidget(self.mains)
        self.body.addWidget(self.head, 1)
        self.body.addLayout(row)
        self.body.addWidget(self.told)
        self.body.addWidget(self.check)

    def poll(
        self,
        source: SnapshotSource,
        facts: StreamFacts,
        silent_s: float = 0.0,
        marked: frozenset[str] = frozenset(),
    ) -> None:
        """Once a second: the newest seconds judged. `silent_s`: for how long nothing has come. `marked`: bad, by the user."""
        self.check.poll(source, facts, silent_s)
        self.head.show_marked(marked)
        if not theme.is_seen(self) or self._clock() - self._judged < _EVERY_S:
            return
        self._judged = self._clock()
        self.head.show_known(not silent_s)
        if silent_s:
            self.told.setText(f"Nothing has come for {silent_s:.0f} s: how the electrodes are now is not known.")
            return
        samples = eeg_of(source.signal(_STRETCH_S), facts, _LEAST_S)
        if samples is None:
            return
        electrodes = judge(samples, facts.rate, facts.eeg_channels, (50.0, 60.0)[self.mains.currentIndex()])
        chunk = source.signal(_LEAST_S)
        kilo_ohm = impedances(chunk.samples, facts) if chunk is not None else {}
        electrodes = tuple(
            replace(it, why=(*it.why, f"impedance {kilo_ohm[it.name.lower()]:.3g} kΩ"))
            if it.name.lower() in kilo_ohm
            else it
            for it in electrodes
        )
        self.head.show_electrodes(electrodes)
        self._tell()

    def _tell(self) -> None:
        if self.head.electrodes and self.head.known:
            self.told.setText(self._words(self.head.electrodes))

    def _words(self, electrodes: Sequence[Electrode]) -> str:
        """What the chosen one has, then the worst, after those that the user marked: these are known to be bad."""
        chosen = self.head.told_of_chosen()
        marked = [it.name for it in electrodes if it.name in self.head.marked]
        others = (it for it in electrodes if it.light != Light.GREEN and it.name not in (*marked, self.head.chosen))
        worst = sorted(others, key=lambda it: -it.light)
        lines = [f"▸ {chosen}"] if chosen else []
        lines += [f"✗ {len(marked)} marked bad, for the display alone: {', '.join(marked)}"] if marked else []
        lines += [describe(it) for it in worst[:_MOST_TOLD]]
        if len(worst) > _MOST_TOLD:
            lines.append(f"and {len(worst) - _MOST_TOLD} more")
        if not worst:
            lines.append("All others sound." if lines else "All sound.")
        return "\n".join(lines)


if __name__ == "__main__":
    from bci_live.live.snapshot import LiveSnapshot
    from bci_live.window.example import ExampleSource, example_chunk, example_facts, show_alone

    def _example(snapshot: LiveSnapshot) -> QualityPanel:
        panel = QualityPanel()
        panel.show()
        panel.poll(ExampleSource(snapshot, example_chunk()), example_facts())
        return panel

    raise SystemExit(show_alone(_example))
