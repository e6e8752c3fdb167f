"""Scales that the user set come back: at the next start, and with the next stream."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from bci_live.window.example import RATE, ExampleSource, example_chunk, example_facts, example_snapshot
from bci_live.window.main_window import MainWindow
from bci_live.window.memory import WindowMemory, keep, kept
from bci_live.window.signal.channels import RowSettings
from bci_live.window.signal.conditioning import DisplayFilter
from bci_live.window.signal.view import SignalView
from tests.window.conftest import OpenWindow
from tests.window.signal.conftest import FACTS, noise, part


@pytest.fixture
def source() -> ExampleSource:
    return ExampleSource(example_snapshot(), example_chunk())


def again(qtbot: QtBot, source: ExampleSource) -> MainWindow:
    """The window at the next start."""
    window = MainWindow(source, "bci_live", kept())
    qtbot.addWidget(window)
    window.show()
    window.poll_snapshot()
    window.poll_signal()
    return window


def heights(signal: SignalView) -> dict[str, float]:
    assert signal.channels is not None
    return signal.channels.heights


def test_a_scale_that_was_set_comes_back_at_the_next_start(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    window.poll_signal()
    found = heights(window.live.signal)["eeg"]
    for _ in range(4):
        qtbot.keyClick(window, Qt.Key.Key_Minus)
    wanted = heights(window.live.signal)["eeg"]
    assert wanted > 2 * found
    keep(window.memory())
    window = again(qtbot, source)
    signal = window.live.signal
    assert heights(signal)["eeg"] == wanted
    assert not signal.toolbar.fit.isChecked()
    signal.fit()
    assert heights(signal)["eeg"] == found


def test_auto_comes_back_as_auto(open_window: OpenWindow, source: ExampleSource, qtbot: QtBot) -> None:
    window = open_window(source)
    window.poll_signal()
    assert (window.memory().automatic, window.memory().heights) == (True, {})
    keep(window.memory())
    window = again(qtbot, source)
    signal = window.live.signal
    assert signal.channels is not None
    assert signal.channels.automatic
    assert signal.toolbar.fit.isChecked()


def test_a_scale_that_was_set_holds_for_the_next_stream_and_types_it_has_not_are_remembered(view: SignalView) -> None:
    view.show_stream(replace(FACTS, types=("EEG", "EEG", "ECG")))
    view.show_part(part(noise()))
    view.zoom(5)
    before = dict(heights(view))
    view.show_stream(example_facts(8))
    view.show_part(part(noise(channels=8)))
    assert heights(view)["eeg"] == before["eeg"]
    assert not view.toolbar.fit.isChecked()
    assert view.settings.heights == before


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-50", "0", "1e300", '"large"', "null", "[1]"])
def test_a_scale_that_cannot_be_costs_no_other_setting(bad: str) -> None:
    keep(WindowMemory(subject="09", automatic=False, heights={"eeg": 77.0, "eog": 300.0}))
    file = Path(os.environ["XDG_CONFIG_HOME"]) / "bci_live" / "window.json"
    file.write_text(file.read_text().replace("77.0", bad))
    assert (kept().subject, kept().automatic, kept().heights) == ("09", False, {"eog": 300.0})
    file.write_text(f'{{"heights": {bad}, "subject": "09"}}')
    assert (kept().subject, kept().heights) == ("09", {})
    file.unlink()


def test_a_scale_that_is_not_known_is_found_though_auto_is_off(qtbot: QtBot, source: ExampleSource) -> None:
    keep(WindowMemory(automatic=False, heights={"eog": 300.0}))
    window = again(qtbot, source)
    assert 10 < heights(window.live.signal)["eeg"] < 1000
    assert window.memory().heights.keys() == {"eeg", "eog"}


@pytest.fixture
def hand_set(qtbot: QtBot) -> SignalView:
    """Auto is off and 50 µV a row were set for EEG; the stream has a channel of acceleration, too."""
    view = SignalView()
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.recall(DisplayFilter(), 10.0, False, RowSettings(automatic=False, heights={"eeg": 50.0}))
    view.show_stream(replace(FACTS, types=("EEG", "EEG", "ACC"), units=("microvolts", "microvolts", "g")))
    view.show()
    return view


def swinging(g: float) -> np.ndarray:
    """Four seconds of EEG, and of an acceleration that swings by ±`g`."""
    samples = noise(1000)
    samples[:, 2] = g * np.sin(2 * np.pi * np.arange(1000) / RATE)
    return samples


def show_in_chunks(view: SignalView, samples: np.ndarray) -> None:
    """Of 5 samples, as an amplifier sends them."""
    for start in range(0, len(samples), 5):
        view.show_part(part(samples[start : start + 5], start))


def test_a_scale_that_is_not_known_is_found_though_the_signal_comes_in_small_chunks(hand_set: SignalView) -> None:
    show_in_chunks(hand_set, swinging(0.5))
    assert heights(hand_set) == {"eeg": 50.0, "acc": 1.0}
    # From then on it stays, as Auto is off.
    hand_set.show_part(part(swinging(5.0), first=1000))
    assert heights(hand_set) == {"eeg": 50.0, "acc": 1.0}


def test_no_scale_is_found_while_a_signal_does_not_move(hand_set: SignalView) -> None:
    show_in_chunks(hand_set, swinging(0.0))
    assert heights(hand_set) == {"eeg": 50.0}
    assert [text.split()[0] for text, _, _ in hand_set.canvas.bars()] == ["EEG"]
    hand_set.follow()
    hand_set.show_part(part(swinging(0.5)))
    assert heights(hand_set) == {"eeg": 50.0, "acc": 1.0}


@pytest.mark.parametrize("hz", [1, 2, 10])
def test_a_slow_sensor_within_a_fast_stream_gets_its_scale_and_stays_in_its_row(hand_set: SignalView, hz: int) -> None:
    samples = noise(5000)
    every = round(RATE) // hz
    values = 36.5 + 0.2 * np.sin(np.arange(0, 5000, every) / 5)
    samples[:, 2] = np.nan
    samples[::every, 2] = values
    middles = set()
    for first in range(0, 5000, 125):
        hand_set.show_part(part(samples[first : first + 125], first))
        rows = hand_set.canvas.rows
        assert rows is not None
        middles.add(round(float(rows.middles[2]), 1))
    assert 0.05 < heights(hand_set)["acc"] < 2
    assert len(middles - {0.0}) <= 4  # it follows the sensor by a third of a row
    assert all(36 < it < 37 for it in middles - {0.0})
    assert heights(hand_set)["eeg"] == 50.0
