"""How pictures are drawn, from the next one on; and which models do it, for which the session begins anew."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QPushButton,
    QSpinBox,
    QWidget,
)

from bci_live.config import DiffusionConfig, complaint
from bci_live.live.averaging import MOST
from bci_live.live.controls import DrawingChoice, ModelChoice, known_decoders, known_pipelines
from bci_live.window import theme
from bci_live.window.picture_row import DRAWN_STEPS
from bci_live.window.source import ModelControl

_INITIAL = {
    "saliency": "the saliency map",
    "latent": "the latent read",
    "blend": "both, half and half",
    "grey": "grey: the caption alone",
}
_LARGEST_SEED = 2**31 - 1
# A field takes what is far beyond its range, so that a wrong number is told and not cut to another one.
_BEYOND = 9999


def _free_keys_on_enter(spin: QAbstractSpinBox) -> None:
    """Who has typed a number and Enter has the window's keys again."""
    line = spin.lineEdit()
    if line is not None:
        line.returnPressed.connect(spin.clearFocus)


def _fill(box: QComboBox, names: Iterable[str], present: str) -> None:
    box.clear()
    box.addItems(list(names))
    box.setCurrentText(present)


class ControlsPanel(theme.Panel):
    """Commands `control` at every change. `stepwise`: whether a picture is seen forming."""

    stepwise = pyqtSignal(bool)

    def __init__(self, control: ModelControl, parent: QWidget | None = None) -> None:
        super().__init__("How pictures are drawn", parent)
        self._control = control
        self._shown: DrawingChoice | None = None
        self._offered: tuple[ModelChoice, tuple[str, ...]] | None = None
        self._loads = False
        self.steps, self.seed, self.averaged = QSpinBox(), QSpinBox(), QSpinBox()
        self._refused = ""  # why what stands in the fields was not taken
        self.steps.setRange(-_BEYOND, _BEYOND)
        self.seed.setRange(-_LARGEST_SEED, _LARGEST_SEED)
        self.averaged.setRange(-_BEYOND, _BEYOND)
        self.averaged.setSuffix(" trial(s)")
        self.strength = QDoubleSpinBox()
        self.strength.setRange(-_BEYOND, _BEYOND)
        self.strength.setSingleStep(0.05)
        self.initial, self.free = QComboBox(), QCheckBox("another each time")
        for key, words in _INITIAL.items():
            self.initial.addItem(words, key)
        self.every = QDoubleSpinBox()
        self.every.setRange(0.0, _BEYOND)
        self.every.setSingleStep(0.5)
        self.every.setSuffix(" s")
        self.every.setSpecialValueText("only at markers")
        self.anytime = QCheckBox("guess early")
        self.forming = QCheckBox("show each step")
        self.forming.setChecked(True)
        self._ranges: tuple[tuple[str, QSpinBox | QDoubleSpinBox, float, float], ...] = (
            ("Steps", self.steps, 1, 50), ("Strength", self.strength, 0.05, 1), ("Seed", self.seed, 0, _LARGEST_SEED),
            ("Average up to", self.averaged, 1, MOST), ("A window every", self.every, 0, 10),
        )  # fmt: skip
        self.decoder, self.pipeline, self.device = QComboBox(), QComboBox(), QComboBox()
        for box in (self.decoder, self.pipeline):
            box.setEditable(True)
        self.load_button = QPushButton("Load, and begin anew")
        self.problem = theme.named_label("alarm")
        self.problem.setWordWrap(True)
        self._lay_out()
        self.show_models()
        self.show_drawing()
        for spin in (self.steps, self.seed, self.averaged, self.strength, self.every):
            spin.setKeyboardTracking(False)
            spin.valueChanged.connect(self._draw)
            _free_keys_on_enter(spin)
        typed = (self.steps, self.seed, self.averaged, self.strength, self.every, self.decoder, self.pipeline)
        for widget in typed:
            widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel gives none
        theme.leave_wheel(*typed, self.initial, self.device)
        theme.leave_keys(self.initial, self.device, self.free, self.anytime, self.forming, self.load_button)
        self.initial.activated.connect(self._draw)
        self.free.clicked.connect(self._draw)
        self.anytime.clicked.connect(self._draw)
        self.forming.toggled.connect(self.stepwise)
        self.load_button.clicked.connect(self._load)

    def show_drawing(self) -> None:
        """As it is now; called ten times a second, it changes what the user edits only when that was not taken."""
        self.problem.setText(self._refused or self._control.model_problem())
        choice = self._control.drawing()
        if choice == self._shown:
            return
        self._shown, self._refused = choice, ""
        widgets = (self.steps, self.seed, self.averaged, self.strength, self.every, self.initial, self.free)
        for widget in widgets:
            widget.blockSignals(True)
        self.steps.setValue(choice.diffusion.steps)
        self.seed.setValue(choice.diffusion.seed)
        self.averaged.setValue(choice.averaged)
        self.strength.setValue(choice.diffusion.strength)
        self.every.setValue(choice.every_s or 0.0)
        self.initial.setCurrentIndex(list(_INITIAL).index(choice.diffusion.initial))
        self.free.setChecked(choice.free_seed)
        self.anytime.setChecked(choice.anytime)
        self.seed.setEnabled(not choice.free_seed)
        for widget in widgets:
            widget.blockSignals(False)

    def show_models(self) -> None:
        """Those in use, with what else there is; called ten times a second, it leaves alone what the user chooses meanwhile."""
        loads, before = self._control.loading(), self._offered
        models, devices = self._control.models(), self._control.devices()
        self.load_button.setEnabled(not loads)
        self.load_button.setText("Loading …" if loads else "Load, and begin anew")
        # What was not taken is not in use: that it was is not shown any longer.
        anew = before is None or models != before[0] or (self._loads and not loads)
        if anew:
            self._offer(models)
        # Which devices there are is known only when torch is: until then somebody may have chosen already.
        if anew or before is None or devices != before[1]:
            device = models.device if anew else self.device.currentText()
            _fill(self.device, dict.fromkeys((*devices, models.device)), device)
        self._offered, self._loads = (models, devices), loads

    def _refuse(self, why: str) -> None:
        self._refused = why
        self.problem.setText(why)

    def _outside(self) -> str:
        """Which numbers are out of their range, a sentence each; empty where none is."""
        return " ".join(
            f"{name} {spin.value():.10g} is not taken: choose from {least:g} to {most:.10g}."
            for name, spin, least, most in self._ranges
            if not least <= spin.value() <= most
        )

    def _draw(self) -> None:
        if outside := self._outside():
            self._refuse(outside)
            return
        before = self._control.drawing().diffusion
        wanted = before.model_dump() | {
            "steps": self.steps.value(), "strength": round(self.strength.value(), 2),
            "seed": self.seed.value(), "initial": self.initial.currentData(),
        }  # fmt: skip
        try:
            diffusion = DiffusionConfig.model_validate(wanted)
        except ValidationError as error:
            self._refuse(f"{complaint(error)}.")
            return
        self._refuse("")
        self.seed.setEnabled(not self.free.isChecked())
        every_s = self.every.value() or None
        self._shown = DrawingChoice(
            diffusion, self.free.isChecked(), self.averaged.value(), every_s, self.anytime.isChecked()
        )
        self._control.draw_with(self._shown)

    def _load(self) -> None:
        decoder = Path(self.decoder.currentText())
        self._control.load(ModelChoice(decoder, self.pipeline.currentText(), self.device.currentText()))
        self._loads = True
        for box in (self.decoder, self.pipeline):
            if (line := box.lineEdit()) is not None:
                line.setModified(False)

    def _offer(self, models: ModelChoice) -> None:
        """What there is to choose from, the present choice selected; what was typed since the last load is left alone."""
        for box, names, present in (
            (self.decoder, map(str, known_decoders(models.decoder)), str(models.decoder)),
            (self.pipeline, known_pipelines(models.pipeline), models.pipeline),
        ):
            line = box.lineEdit()
            if line is None or not line.isModified():
                _fill(box, names, present)

    def _lay_out(self) -> None:
        drawing, models = QFormLayout(), QFormLayout()
        for box in (self.initial, self.decoder, self.pipeline):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
        for form, title, field in (
            (drawing, "Steps", self.steps), (drawing, "Strength", self.strength), (drawing, "Draw from", self.initial),
            (drawing, "Seed", self.seed), (drawing, "", self.free), (drawing, "Average up to", self.averaged),
            (drawing, "A window every", self.every), (drawing, "", self.anytime), (drawing, "", self.forming),
            (models, "Decoder", self.decoder), (models, "Pipeline", self.pipeline), (models, "Device", self.device),
            (models, "", self.load_button),
        ):  # fmt: skip
            form.addRow(title, field)
        tips = {
            self.steps: DRAWN_STEPS,
            self.strength: "How much of the initial image is drawn anew",
            self.initial: "The initial image, which is drawn over",
            self.seed: "Of the noise: the same seed and epoch give the same picture",
            self.free: "Another seed for each picture",
            self.averaged: "The decoder reads the mean of the last trials of one stimulus",
            self.every: "Cut and read windows without markers, too; decoders are trained on windows after markers",
            self.anytime: "Guess from a window's beginning while it still fills",
            self.forming: "A picture is seen forming; otherwise the finished one alone",
            self.decoder: "A folder of bci-live train: it reads the EEG",
            self.pipeline: "What draws: a folder, or a name on the hub",
            self.device: "Where both compute; auto takes a GPU where there is one",
            self.load_button: "End this session, and begin one with these models",
        }
        for _, spin, least, most in self._ranges:
            tips[spin] = f"{tips.get(spin, '')} ({least:g} to {most:.10g})".strip()
        for widget, tip in tips.items():
            widget.setToolTip(theme.wrapped(tip))
            for form in (drawing, models):
                if label := form.labelForField(widget):
                    label.setToolTip(theme.wrapped(tip))
        self.body.addLayout(drawing)
        self.body.addWidget(self.problem)
        self.body.addWidget(theme.named_label("section", "MODELS"))
        self.body.addLayout(models)
        self.body.addStretch(1)
