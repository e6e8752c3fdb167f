"""Saliency map, reconstruction and the true picture of one stimulus, side by side."""

from __future__ import annotations

from PyQt6.QtWidgets import QHBoxLayout, QWidget

from bci_live.live.snapshot import LiveSnapshot
from bci_live.types import Decoding, Picture, Reconstruction
from bci_live.window import theme
from bci_live.window.picture_panel import PicturePanel, to_picture
from bci_live.window.truth import Truths

NOTE = "Detail is invented by diffusion."
DRAWN_STEPS = (
    "Steps × strength are drawn, rounded down: 4 × 0.75 are 3; what is kept of the initial image needs no step."
)
ABSTAINED = "No picture: the EEG of this trial does not tell enough."
# In words, not dimmed: three large pictures that flicker with every stimulus would tire the eye.
_OLDER = "· the stimulus before"
_WAITING = {
    "warming": "The diffusion pipeline is loading …",
    "waiting": "Waiting for the first sample …",
    "live": "Waiting for the first stimulus …",
    "watching": "No decoder fits this headset yet.",
    "ended": "No stimulus came.",
}


class PictureRow(QWidget):
    """The three pictures always belong to one marker: a new saliency map empties the old reconstruction."""

    def __init__(self, truths: Truths, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._truths = truths
        self._decoding: Decoding | None = None
        self._reconstruction: Reconstruction | None = None
        self._stepwise = True
        self.saliency = PicturePanel("Saliency map", "")
        self.reconstruction = PicturePanel("Reconstruction", "", NOTE)
        self.truth = PicturePanel("What was shown", "")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GAP)
        for panel, tip in (
            (
                self.saliency,
                "What the decoder reads of the picture itself, from one epoch; the reconstruction is drawn over it",
            ),
            (self.reconstruction, "Drawn by diffusion, step by step, from what the decoder read. " + DRAWN_STEPS),
            (self.truth, "The picture that the marker names, where it names one of the catalogue"),
        ):
            panel.view.setToolTip(theme.wrapped(tip))
            row.addWidget(panel, 1)

    def show_steps(self, wanted: bool) -> None:
        """Show each step of a reconstruction, or the finished one alone."""
        self._stepwise = wanted

    def show_pictures(self, snapshot: LiveSnapshot) -> None:
        """What of the newest stimulus there is by now; beside a newer one's first guess, that they are of the one before."""
        decoding = snapshot.decoding
        older = decoding is not None and snapshot.guess is not None
        for panel in (self.saliency, self.reconstruction, self.truth):
            panel.show_heading(_OLDER if older else "")
        if decoding is None:
            for panel in (self.saliency, self.reconstruction, self.truth):
                panel.clear(_WAITING[snapshot.phase])
            return
        if decoding is not self._decoding:
            self._show_decoding(decoding)
        reconstruction = snapshot.reconstruction
        if reconstruction is None or reconstruction is self._reconstruction:
            return
        if not self._stepwise and reconstruction.step < reconstruction.steps:
            return
        if reconstruction.decoding.epoch.marker == decoding.epoch.marker:
            self._reconstruction = reconstruction
            self.reconstruction.show_picture(reconstruction.image, _progress(reconstruction))

    def _show_decoding(self, decoding: Decoding) -> None:
        self._decoding, self._reconstruction = decoding, None
        self.saliency.show_picture(
            to_picture(decoding.saliency),
            f"from {len(decoding.epoch.data)} channels, {_trials(decoding.epoch.trials)}",
        )
        self.reconstruction.clear(ABSTAINED if decoding.abstained else "Drawing …")
        marker = decoding.epoch.marker
        truth: Picture | None = self._truths.of(marker)
        if truth is None:
            self.truth.clear("It is not known what was shown.", f"marker: {marker.label}")
        else:
            self.truth.show_picture(truth, marker.label)


def _trials(count: int) -> str:
    return "one trial" if count == 1 else f"mean of {count} trials"


def _progress(reconstruction: Reconstruction) -> str:
    decoding = reconstruction.decoding
    drawn = "as before" if reconstruction.repeated else f"step {reconstruction.step} of {reconstruction.steps}"
    return f"{decoding.top} · {drawn} · seed {reconstruction.seed}"


if __name__ == "__main__":
    from bci_live.window.example import show_alone

    def _example(snapshot: LiveSnapshot) -> PictureRow:
        row = PictureRow(Truths(256))
        row.show_pictures(snapshot)
        return row

    raise SystemExit(show_alone(_example))
