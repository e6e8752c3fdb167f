"""All that is known of one finished picture: a pinned one, or the newest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from bci_live.config import EpochConfig
from bci_live.errors import BciError
from bci_live.live.controls import ModelChoice
from bci_live.live.export import Origin, Saving, provenance, save_animation, save_picture
from bci_live.live.snapshot import LiveSnapshot, badge
from bci_live.types import Marker, Picture, Reconstruction
from bci_live.window import theme
from bci_live.window.picture_panel import PictureView, to_picture, to_pixmap
from bci_live.window.plots.line_plot import Graph, Line, LinePlot
from bci_live.window.truth import Truths

_BEST = 3
_GIF_PIXELS = 128
_NONE = "There is no picture yet."


class _Square(PictureView):
    """As high as it is wide: no empty space above and below it pushes the words out of sight."""

    def __init__(self) -> None:
        super().__init__()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def heightForWidth(self, width: int) -> int:
        return width


@dataclass(frozen=True, slots=True)
class _Held:
    """A picture with what belongs to it. `epoch`: of the decoder that read it; another session's may have another window."""

    picture: Reconstruction
    origin: Origin
    epoch: EpochConfig


class DetailsPanel(theme.Panel):
    """`folder`: where pictures are saved. `truth`: what was shown with a marker.

    `told`: what became of a command. Its keys work while another tab is in front, where `said` is not seen.
    """

    told = pyqtSignal(str)

    def __init__(
        self, folder: Callable[[], Path], truth: Callable[[Marker], Picture | None], parent: QWidget | None = None
    ) -> None:
        super().__init__("The newest picture", parent)
        self._folder, self._truth = folder, truth
        self._history: tuple[Reconstruction, ...] = ()
        self._holds = ""
        self._newest: _Held | None = None
        # Held with all that belongs to it, because the history and the session forget it.
        self._pinned: _Held | None = None
        self._saving: Saving | None = None
        self.shown: Reconstruction | None = None
        self._look = ""
        self.saliency, self.picture, self.true_picture = _Square(), _Square(), _Square()
        self.plot = LinePlot("Its epoch is drawn here.")
        self.text = theme.named_label("muted", _NONE)
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.said = theme.named_label("note")
        self.said.setWordWrap(True)
        self.save_button, self.copy_button = QPushButton("Save PNG"), QPushButton("Copy")
        self.gif_button = QPushButton("Save GIF")
        self.save_button.setToolTip("The picture, and a JSON file with all that is known of it (Ctrl+S)")
        self.copy_button.setToolTip("The picture to the clipboard (Ctrl+C)")
        self.save_button.clicked.connect(self.save)
        self.copy_button.clicked.connect(self.copy)
        self.gif_button.clicked.connect(self.save_gif)
        self._lay_out()

    def show_history(self, snapshot: LiveSnapshot, pinned: Marker | None, models: ModelChoice) -> None:
        """The pinned picture as long as it is pinned, or else the newest."""
        self._history, facts = snapshot.history, snapshot.facts
        self._holds = held_text(len(snapshot.history), snapshot.counts.shown)
        tip = theme.wrapped(f"An animation of the session's pictures beside what was shown: {self._holds}")
        if self.gif_button.toolTip() != tip:
            self.gif_button.setToolTip(tip)
        origin = Origin(
            badge(facts, simulated_decoder=snapshot.simulated_decoder), facts.name if facts else "",
            snapshot.channels, snapshot.pipeline, models.decoder.name, models.device,
        )  # fmt: skip
        self._newest = _Held(self._history[-1], origin, snapshot.epoch) if self._history else None
        if pinned is None or (self._pinned and self._pinned.picture.decoding.epoch.marker != pinned):
            self._pinned = None
        if pinned is not None and self._pinned is None:
            of_marker = (it for it in self._history if it.decoding.epoch.marker == pinned)
            self._pinned = next((_Held(it, origin, snapshot.epoch) for it in of_marker), None)
        self.heading.setText("The pinned picture" if self._pinned else "The newest picture")
        wanted = self._pinned or self._newest
        changed = wanted is not None and (wanted.picture is not self.shown or theme.now.name != self._look)
        if wanted is not None and changed and theme.is_seen(self):
            self.shown, self._look = wanted.picture, theme.now.name
            self._show(wanted)
        elif wanted is None and self.shown is not None:
            self._show_none()
        if self._saving is not None and (told := self._saving.told()):
            self._saving = None
            self._tell(told)

    @property
    def saving(self) -> bool:
        """Whether an animation is still being written."""
        return self._saving is not None and self._saving.running

    def save(self) -> None:
        """PNG and JSON into the folder."""
        wanted = self._pinned or self._newest
        if wanted is None:
            self.told.emit(_NONE)
            return
        try:
            self._tell(f"Saved: {save_picture(self._folder(), wanted.picture, wanted.origin)}")
        except BciError as error:
            self._tell(str(error))

    def save_gif(self) -> None:
        """The history as an animation; it is told when that is done."""
        if self._saving is None:
            self._tell("Saving …")
            save = partial(save_animation, self._folder(), self._history, Truths(_GIF_PIXELS).of)
            self._saving = Saving(save, self._holds)

    def copy(self) -> None:
        """The picture to the clipboard."""
        wanted, clipboard = self._pinned or self._newest, QApplication.clipboard()
        if wanted is None:
            self.told.emit(_NONE)
        elif clipboard is not None:
            clipboard.setPixmap(to_pixmap(wanted.picture.image))
            self._tell("Copied.")

    def _tell(self, text: str) -> None:
        self.said.setText(text)
        self.told.emit(text)

    def _show(self, held: _Held) -> None:
        it, epoch = held.picture, held.epoch
        truth = self._truth(it.decoding.epoch.marker)
        for view, picture in (
            (self.saliency, to_picture(it.decoding.saliency)), (self.picture, it.image), (self.true_picture, truth)
        ):  # fmt: skip
            view.pixmap = to_pixmap(picture) if picture is not None else None
            view.placeholder = "It is not known what was shown."
            view.update()
        data = it.decoding.epoch.data
        times = epoch.start_s + np.arange(data.shape[1]) * (epoch.stop_s - epoch.start_s) / max(data.shape[1], 1)
        colours = theme.now.traces
        lines = tuple(Line(times, row, colours[k % len(colours)], width=0.8) for k, row in enumerate(data))
        self.plot.show_graph(Graph(lines, x_title="s after the marker", y_title="µV", marks=(0.0,)))
        self.text.setText(_words(provenance(it, held.origin)))

    def _show_none(self) -> None:
        """Another session has begun: what is shown of the last one could not be saved any more."""
        self.shown = None
        for view in (self.saliency, self.picture, self.true_picture):
            view.pixmap, view.placeholder = None, ""
            view.update()
        self.plot.show_graph(Graph())
        self.text.setText(_NONE)

    def _lay_out(self) -> None:
        pictures, buttons = QHBoxLayout(), QHBoxLayout()
        for view, name in (
            (self.saliency, "Saliency map"), (self.picture, "Reconstruction"), (self.true_picture, "What was shown")
        ):  # fmt: skip
            view.setMinimumSize(64, 64)
            view.setToolTip(name)
            pictures.addWidget(view)
        for button in (self.save_button, self.copy_button, self.gif_button):
            buttons.addWidget(button)
        self.body.addLayout(pictures)
        self.body.addWidget(self.text)
        self.body.addLayout(buttons)
        self.body.addWidget(self.said)
        self.body.addWidget(self.plot, 1)


def held_text(held: int, drawn: int) -> str:
    """'the last 200 of 350 pictures', where the memory does not hold all that were drawn; 'all 12 pictures'."""
    if not held:
        return "there is none yet"
    if held < drawn:
        return f"the last {held} of {drawn} pictures"
    return "its only picture" if held == 1 else f"all {held} pictures"


def _words(told: dict[str, object]) -> str:
    """Provenance in a few lines."""
    scores, marker = told["scores"], told["marker"]
    assert isinstance(scores, dict)
    assert isinstance(marker, dict)
    best = ", ".join(f"{label} {100 * p:.0f} %" for label, p in list(scores.items())[:_BEST])
    return "\n".join(
        (
            f"marker {marker['label']} at {marker['time']:.3f} s · {told['data']} · {told['stream']}",
            f"read: {best}",
            f"{told['pipeline']} · step {told['step']} of {told['steps']} · strength {told['strength']} · "
            f"from {told['initial']} · seed {told['seed']}",
            f"epoch {told['epoch_ms']} ms, saliency map {told['saliency_ms']} ms, picture {told['image_ms']} ms "
            "after the last sample",
        )
    )
