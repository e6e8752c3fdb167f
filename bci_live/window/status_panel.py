"""Figures: what became of the markers, how often the top label was right, how long it took, how the stream does."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QGridLayout, QLabel, QWidget

from bci_live.live.averages import UNJUDGED
from bci_live.live.machine import MachineLoad
from bci_live.live.snapshot import LatencyStatus, LiveSnapshot
from bci_live.streams.inlet import StreamStatus
from bci_live.types import MissedReason
from bci_live.window import theme
from bci_live.window.record_button import bytes_text

NOT_YET = "–"
_STAGES = {
    "epoch_ms": "Epoch cut",
    "saliency_ms": "Saliency map",
    "first_image_ms": "First picture",
    "image_ms": "Finished picture",
}
_WORDS = {MissedReason.TOO_OLD: "too old", MissedReason.UNKNOWN_LABEL: "unknown label"}
# Decoded, but without a picture: these are not judged.
_REASONS = {
    MissedReason.GAP: "samples of its window were lost",
    MissedReason.LATE: "its window was not full in time, or the session ended before",
    MissedReason.ARTEFACT: "the amplitude was beyond what is EEG: a blink, a movement, a bad contact",
    MissedReason.TOO_OLD: "its samples were no longer in memory, or not there yet at the start",
    MissedReason.DROPPED: "too many markers were waiting",
    MissedReason.INTERRUPTED: "the next marker came before its picture was finished",
    MissedReason.TWICE: "the marker came a second time",
    MissedReason.UNSURE: "the decoder was too unsure to say something",
    MissedReason.UNKNOWN_LABEL: "the decoder does not know its label",
    MissedReason.ERROR: "an error, which the red bar tells",
}
_DELAY = (
    "ms after the last sample of the marker's window had arrived: of the last one, the median, and what 95 % stay below"
)
# What a row says, to be read when its name or its figure is hovered.
_TIPS = {
    "Markers": "What the marker stream has told since the session began",
    "Shown": "Markers whose picture was drawn to its end",
    "Missed": "Markers that got no picture, and why",
    "Top-1 right": "How often the most probable label was the one shown, beside what guessing would reach",
    "Epoch cut": f"The window's signal was filtered and cut: {_DELAY}",
    "Saliency map": f"The decoder had read it: {_DELAY}",
    "First picture": f"The first step was drawn: {_DELAY}",
    "Finished picture": f"The last step was drawn: {_DELAY}",
    "Announced": "Samples a second, as the stream says of itself",
    "Measured": "Samples a second, as they come in",
    "Last sample": "How long ago the newest sample came",
    "Clock offset": "Between the sender's clock and this machine's; it is corrected for",
    "Breaks": "Places where the signal does not go on as it should, because samples were lost or the clock was set",
    "Channels": "Channels that carry no EEG now, and what is wrong with them",
    "Processor": "What this program takes; 100 % is one core",
    "Memory": "What this program takes",
    "GPU": "How much of the time it computes, and what is taken of its memory, by all programs",
}


class StatusPanel(theme.Panel):
    """Three small tables; `figure(name)` is what a row says."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Session", parent)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)
        self._titles: dict[str, QLabel] = {}
        self._values: dict[str, QLabel] = {}
        self._add_rows("", ("Markers", "Shown", "Missed", "Top-1 right"))
        self._add_rows("DELAY, MS: LAST · MEDIAN · 95 %", tuple(_STAGES.values()))
        self._add_rows("STREAM", ("Announced", "Measured", "Last sample", "Clock offset", "Breaks", "Channels"))
        self._add_rows("THIS PROGRAM", ("Processor", "Memory", "GPU"))
        self._titles["Top-1 right"].setToolTip(
            theme.wrapped(
                "Of the pictures drawn, those of a replay's last pass: what abstained or was interrupted is not judged"
            )
        )
        for widget in (self._titles["GPU"], self._values["GPU"]):
            widget.hide()  # until a model is on one
        self.body.addLayout(self._grid)
        self.body.addStretch(1)

    def figure(self, name: str) -> str:
        """What the row `name` says."""
        return self._values[name].text()

    def show_status(
        self,
        snapshot: LiveSnapshot,
        accuracy: tuple[int, int] | None = None,
        marked: frozenset[str] = frozenset(),
    ) -> None:
        """All figures. `accuracy`: (right, of) of the pictures whose truth is known. `marked`: channels, bad by the user."""
        counts = snapshot.counts
        self._say("Markers", str(counts.markers))
        self._say("Shown", str(counts.shown))
        self._say("Missed", missed_text(counts.missed))
        why = "\n".join(f"{reason_text(it)}: {_REASONS[it]}" for it, count in counts.missed.items() if count)
        for widget in (self._titles["Missed"], self._values["Missed"]):
            widget.setToolTip(theme.wrapped("\n".join(filter(None, (_TIPS["Missed"], why)))))
        undrawn = accuracy is not None and any(counts.missed.get(reason) for reason in UNJUDGED)
        drawn = ", of those drawn" if undrawn else ""
        self._say("Top-1 right", accuracy_text(accuracy, len(snapshot.labels)) + drawn)
        for key, name in _STAGES.items():
            self._say(name, latency_text(snapshot.latency.get(key)))
        facts, status = snapshot.facts, snapshot.status
        self._say("Announced", f"{facts.rate:g} Hz" if facts else NOT_YET)
        stale = status is not None and status.stale
        self._say("Measured", rate_text(status), wrong=stale)
        self._say("Last sample", age_text(status.age_s if status else None), wrong=stale)
        self._say("Clock offset", f"{1000 * status.offset_s:.2f} ms" if status else NOT_YET)
        self._say("Breaks", breaks_text(status, facts is not None and facts.replay) if status else NOT_YET)
        here = len(marked & set(facts.channels)) if facts else 0
        self._say("Channels", faults_text(snapshot.faults) + (f"; {here} marked bad" if here else ""))

    def show_machine(self, load: MachineLoad) -> None:
        """What the program takes of the machine."""
        self._say("Processor", f"{load.cpu_percent:.0f} % of a core")
        self._say("Memory", bytes_text(load.memory))
        if load.gpu_used is not None and load.gpu_total is not None:
            for widget in (self._titles["GPU"], self._values["GPU"]):
                widget.show()
            busy = f"{load.gpu_percent} %, " if load.gpu_percent is not None else ""
            self._say("GPU", f"{busy}{bytes_text(load.gpu_used)} of {bytes_text(load.gpu_total)}")

    def _add_rows(self, section: str, names: tuple[str, ...]) -> None:
        row = self._grid.rowCount()
        if section:
            self._grid.setRowMinimumHeight(row, 6)
            title = theme.named_label("section", section)
            if names == tuple(_STAGES.values()):
                title.setToolTip(theme.wrapped(_DELAY[0].upper() + _DELAY[1:]))
            self._grid.addWidget(title, row + 1, 0, 1, 2)
        for offset, name in enumerate(names, start=2):
            title, value = theme.named_label("muted", name), theme.named_label("value", NOT_YET)
            title.setAlignment(Qt.AlignmentFlag.AlignTop)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            value.setWordWrap(name in ("Missed", "Top-1 right", "Breaks", "Channels"))  # these grow during a session
            for widget in (title, value):
                widget.setToolTip(theme.wrapped(_TIPS[name]))
            self._titles[name], self._values[name] = title, value
            self._grid.addWidget(title, row + offset, 0)
            self._grid.addWidget(value, row + offset, 1)

    def _say(self, name: str, text: str, wrong: bool = False) -> None:
        value, style = self._values[name], f"color: {theme.now.vermillion};" if wrong else ""
        if value.text() != text:
            value.setText(text)
        if value.styleSheet() != style:
            value.setStyleSheet(style)


def reason_text(reason: MissedReason) -> str:
    """A reason in words."""
    return _WORDS.get(reason, reason.value)


def missed_text(missed: Mapping[MissedReason, int]) -> str:
    """'3: artefact 2, gap 1'."""
    parts = ", ".join(f"{reason_text(reason)} {count}" for reason, count in missed.items() if count)
    return f"{sum(missed.values())}: {parts}" if parts else "0"


def accuracy_text(accuracy: tuple[int, int] | None, labels: int) -> str:
    """'31/55 = 56 %, chance 2.5 %'."""
    if accuracy is None or not accuracy[1]:
        return NOT_YET
    right, of = accuracy
    chance = f", chance {100 / labels:.3g} %" if labels else ""
    return f"{right}/{of} = {100 * right / of:.0f} %{chance}"


def rate_text(status: StreamStatus | None) -> str:
    """'255.9 Hz'; 'silent' of a stream that sent and does no longer."""
    if status is None or not status.measured_rate:
        return NOT_YET
    return "silent" if status.stale else f"{status.measured_rate:.1f} Hz"


def breaks_text(status: StreamStatus, replay: bool = False) -> str:
    """'2, 250 samples lost, clock set once'. What a replay leaves out where it pauses, goes back or is sent elsewhere is not lost."""
    health = status.health
    parts = [str(status.breaks)]
    if health.lost:
        parts.append(f"{health.lost:,} samples {'lost or skipped' if replay else 'lost'}")
    if health.clock_steps:
        parts.append(f"clock set {health.clock_steps} ×")
    if health.twice:
        parts.append(f"{health.twice:,} came twice")
    if health.late:
        parts.append(f"{health.late:,} came too late")
    return ", ".join(parts)


def faults_text(faults: Mapping[str, str], most: int = 3) -> str:
    """'AF7 flat, TP9 railed'; 'all sound' when none is at fault."""
    told = [f"{name} {what}" for name, what in faults.items()]
    more = f" and {len(told) - most} more" if len(told) > most else ""
    return ", ".join(told[:most]) + more if told else "all sound"


def latency_text(latency: LatencyStatus | None) -> str:
    """'11 · 12 · 18': the last, median and 95th percentile, ms."""
    return NOT_YET if latency is None else " · ".join(map(_ms, (latency.last, latency.median, latency.p95)))


def age_text(age_s: float | None) -> str:
    """'20 ms ago'; short ages in steps of 10 ms, so that the figure does not flicker."""
    if age_s is None:
        return NOT_YET
    return f"{age_s:.1f} s ago" if age_s >= 1 else f"{round(age_s * 100) * 10} ms ago"


def _ms(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


if __name__ == "__main__":
    from bci_live.window.example import show_alone

    def _example(snapshot: LiveSnapshot) -> StatusPanel:
        panel = StatusPanel()
        panel.show_status(snapshot)
        return panel

    raise SystemExit(show_alone(_example))
