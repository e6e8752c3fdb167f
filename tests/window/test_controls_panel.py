"""How pictures are drawn, chosen in the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from bci_live.config import DiffusionConfig
from bci_live.live.controls import DrawingChoice, ModelChoice, known_decoders, known_pipelines
from bci_live.window.example import NOW, ExampleSource, example_decoding, example_reconstruction
from tests.window.conftest import OpenWindow

NAMES = ("Steps", "Strength", "Draw from", "Seed", "Average up to", "A window every", "Decoder", "Pipeline", "Device")


def test_each_change_is_commanded_at_once(open_window: OpenWindow, source: ExampleSource, qtbot: QtBot) -> None:
    window = open_window(source)
    panel = window.live.controls
    panel.steps.setValue(8)
    panel.strength.setValue(0.5)
    panel.averaged.setValue(3)
    panel.every.setValue(1.5)
    panel.free.click()
    panel.anytime.click()
    assert not panel.seed.isEnabled()
    panel.initial.setFocus()
    qtbot.keyClick(panel.initial, Qt.Key.Key_End)
    panel.initial.activated.emit(2)
    expected = DrawingChoice(
        DiffusionConfig(steps=8, strength=0.5, initial="grey"), free_seed=True, averaged=3, every_s=1.5, anytime=False
    )
    assert source.commands[-1] == ("draw", expected)


def test_who_has_typed_a_number_has_the_keys_of_the_window_again(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    panel = window.live.controls
    window.live.desk.raise_panel("controls")
    window.activateWindow()
    qtbot.waitUntil(lambda: panel.steps.setFocus() or panel.steps.hasFocus(), timeout=3000)
    panel.steps.selectAll()
    qtbot.keyClicks(panel.steps, "6")
    qtbot.keyClick(panel.steps, Qt.Key.Key_Return)
    assert source.drawn.diffusion.steps == 6
    assert not panel.steps.hasFocus()
    qtbot.waitUntil(lambda: panel.forming.isVisible(), timeout=3000)
    qtbot.mouseClick(panel.forming, Qt.MouseButton.LeftButton)
    assert not panel.forming.hasFocus()


def test_the_wheel_changes_nothing_that_it_passes_over(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    panel, mains, electrode = window.live.controls, window.live.quality.mains, window.live.spectrum.channel
    electrode.show_names(("Cz", "Oz"))
    # The boxes of choices are at their first: only a turn down could change them.
    turns = (
        (panel.steps, 120), (panel.strength, 120), (panel.initial, -120), (mains, -120), (electrode, -120),
        (window.live.response.channel, -120), (window.live.response.label, -120),
    )  # fmt: skip
    window.live.response.channel.show_names(("Cz", "Oz"))
    window.live.response.label.show_names(("dog", "cat"))
    for box, turn in turns:
        point = QPointF(box.rect().center())
        turned = QWheelEvent(
            point, box.mapToGlobal(point), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(box, turned)
        assert not turned.isAccepted()  # what it lies in is scrolled
    assert (panel.steps.value(), panel.strength.value(), panel.initial.currentIndex()) == (4, 0.75, 0)
    assert (mains.currentIndex(), electrode.name) == (0, "Cz")
    assert (window.live.response.channel.name, window.live.response.label.name) == ("", "")
    assert source.commands == []


def test_less_than_one_step_is_refused_with_a_sentence(open_window: OpenWindow, source: ExampleSource) -> None:
    window = open_window(source)
    window.live.controls.strength.setValue(0.2)
    assert source.commands == []
    assert window.live.controls.problem.text().startswith("4 steps × strength 0.2 is less than one step")


def test_a_number_out_of_its_range_is_refused_with_a_sentence_and_not_changed_in_silence(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    panel = window.live.controls
    for spin, typed, told in (
        (panel.steps, "99", "Steps 99 is not taken: choose from 1 to 50."),
        (panel.strength, "7", "Strength 7 is not taken: choose from 0.05 to 1."),
        (panel.strength, "0", "Strength 0 is not taken: choose from 0.05 to 1."),
        (panel.seed, "-5", "Seed -5 is not taken: choose from 0 to 2147483647."),
    ):
        before = spin.text()
        spin.selectAll()
        qtbot.keyClicks(spin, typed)
        qtbot.keyClick(spin, Qt.Key.Key_Return)
        window.poll_snapshot()
        assert panel.problem.text() == told
        assert source.commands == []
        spin.setValue(spin.valueFromText(before))
        window.poll_snapshot()
        assert panel.problem.text() == ""
        source.commands.clear()
    assert "1 to 50" in panel.steps.toolTip()


def test_what_was_not_taken_is_told_and_shown_as_before(open_window: OpenWindow, source: ExampleSource) -> None:
    window = open_window(source)
    panel = window.live.controls
    panel.steps.setValue(8)
    source.drawn, source.model_trouble = DrawingChoice(), "This decoder predicts no latent."
    window.poll_snapshot()
    assert panel.steps.value() == 4
    assert panel.problem.text() == source.model_trouble


def test_every_control_and_its_name_say_what_they_do_when_hovered(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window = open_window(source)
    panel = window.live.controls
    labels = [label for label in panel.findChildren(QLabel) if label.text() in NAMES]
    assert len(labels) == len(NAMES)
    for widget in (*labels, panel.free, panel.anytime, panel.forming, panel.load_button, panel.seed, panel.initial):
        assert widget.toolTip()
    assert "4 × 0.75 are 3" in panel.steps.toolTip()


def test_models_are_offered_and_loaded(open_window: OpenWindow, source: ExampleSource, qtbot: QtBot) -> None:
    window = open_window(source)
    panel = window.live.controls
    assert panel.decoder.currentText() == str(Path("models/decoder-demo"))
    panel.device.setCurrentText("cpu")
    qtbot.mouseClick(panel.load_button, Qt.MouseButton.LeftButton)
    assert source.commands == [("load", ModelChoice(Path("models/decoder-demo"), "models/diffusion-demo", "cpu"))]


def test_what_is_shown_of_the_models_follows_those_in_use(open_window: OpenWindow, source: ExampleSource) -> None:
    window = open_window(source)
    panel = window.live.controls
    assert [panel.device.itemText(k) for k in range(panel.device.count())] == ["auto", "cpu"]
    panel.pipeline.setEditText("sd-tu")  # half typed
    window.poll_snapshot()
    assert panel.pipeline.currentText() == "sd-tu"
    source.used, source.at_hand = ModelChoice(Path("my-decoder"), "sd-turbo", "cuda"), ("auto", "cuda", "cpu")
    window.poll_snapshot()
    chosen = panel.decoder.currentText(), panel.pipeline.currentText(), panel.device.currentText()
    assert chosen == ("my-decoder", "sd-turbo", "cuda")
    assert [panel.device.itemText(k) for k in range(panel.device.count())] == ["auto", "cuda", "cpu"]


def test_what_is_typed_or_chosen_stays_when_the_devices_become_known(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    panel = window.live.controls
    line = panel.decoder.lineEdit()
    assert line is not None
    line.selectAll()
    qtbot.keyClicks(panel.decoder, "my-dec")
    panel.pipeline.setCurrentIndex(panel.pipeline.findText("stabilityai/sd-turbo"))
    chosen = panel.pipeline.currentText()
    panel.device.setCurrentText("cpu")
    source.at_hand = ("auto", "cuda", "cpu")
    window.poll_snapshot()
    assert [panel.device.itemText(k) for k in range(panel.device.count())] == ["auto", "cuda", "cpu"]
    assert (panel.decoder.currentText(), panel.pipeline.currentText(), panel.device.currentText()) == (
        "my-dec", chosen, "cpu"
    )  # fmt: skip
    assert chosen != source.used.pipeline
    qtbot.keyClicks(panel.decoder, "oder")
    source.loads = True
    qtbot.mouseClick(panel.load_button, Qt.MouseButton.LeftButton)
    window.poll_snapshot()
    qtbot.keyClick(panel.pipeline, Qt.Key.Key_X)  # another is typed while the first loads
    source.loads = False
    window.poll_snapshot()
    # The decoder was not taken; the pipeline is not asked for yet.
    assert (panel.decoder.currentText(), panel.pipeline.currentText()) == (
        str(source.used.decoder), f"{chosen}x"
    )  # fmt: skip


def test_models_that_were_not_taken_are_not_shown_as_if_they_were(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    panel = window.live.controls
    panel.decoder.setEditText("damaged")
    source.loads = True
    qtbot.mouseClick(panel.load_button, Qt.MouseButton.LeftButton)
    window.poll_snapshot()
    assert (panel.load_button.text(), panel.load_button.isEnabled()) == ("Loading …", False)
    assert panel.decoder.currentText() == "damaged"
    source.loads, source.model_trouble = False, "'damaged' is no decoder."
    window.poll_snapshot()
    assert panel.load_button.isEnabled()
    assert panel.decoder.currentText() == str(Path("models/decoder-demo"))
    assert window.errors.text.text() == "'damaged' is no decoder."
    assert source.state is not None
    source.state = replace(source.state, present_errors=("The stream is gone.",))
    window.poll_snapshot()
    assert window.errors.text.text() == "The stream is gone."


def test_what_lies_in_the_models_folder_is_known() -> None:
    assert known_decoders(Path("models/decoder-demo"))[0] == Path("models/decoder-demo")
    assert "models/diffusion-demo" in known_pipelines("stabilityai/sd-turbo")
    assert known_pipelines("stabilityai/sd-turbo")[0] == "stabilityai/sd-turbo"


def test_without_steps_only_the_finished_picture_is_shown(open_window: OpenWindow, source: ExampleSource) -> None:
    window = open_window(source)
    window.live.controls.forming.setChecked(False)
    decoding = example_decoding("camera", NOW)
    assert source.state is not None
    for step, drawn in ((2, False), (4, True)):
        source.state = replace(source.state, decoding=decoding, reconstruction=example_reconstruction(decoding, step))
        window.poll_snapshot()
        assert (window.live.pictures.reconstruction.pixmap is not None) == drawn


def test_a_mean_of_trials_is_said_to_be_one(open_window: OpenWindow, source: ExampleSource) -> None:
    window = open_window(source)
    decoding = example_decoding("camera", NOW)
    assert source.state is not None
    source.state = replace(source.state, decoding=replace(decoding, epoch=replace(decoding.epoch, trials=3)))
    window.poll_snapshot()
    assert window.live.pictures.saliency.caption.text() == "from 32 channels, mean of 3 trials"
