"""One class picked in the panel of average responses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from bci_live.live.averages import Averages, peaks
from bci_live.window.example import CAP, NOW, RATE, example_decoding, example_reconstruction, example_snapshot
from bci_live.window.plots.response_panel import ResponsePanel
from bci_live.window.plots.topography import Topography

SNAPSHOT = example_snapshot()


@pytest.fixture
def averages() -> Averages:
    """One trial of each of eight classes, three of pizza."""
    averages = Averages()
    again = tuple(example_reconstruction(example_decoding("pizza", NOW + place)) for place in range(2))
    averages.add((*SNAPSHOT.history, *again), SNAPSHOT.labels)
    return averages


@pytest.fixture
def panel(qtbot: QtBot, averages: Averages, tmp_path: Path) -> ResponsePanel:
    panel = ResponsePanel(lambda: tmp_path)
    qtbot.addWidget(panel)
    panel.resize(900, 240)
    panel.show()
    panel.show_averages(averages, SNAPSHOT)
    return panel


def entries(panel: ResponsePanel) -> list[str]:
    return [panel.label.itemText(k) for k in range(panel.label.count())]


def pick(panel: ResponsePanel, averages: Averages, label: str) -> None:
    panel.label.setCurrentIndex(panel.label.findData(label))
    panel.show_averages(averages, SNAPSHOT)


def names(panel: ResponsePanel) -> list[str]:
    return [line.name for line in panel.plot.graph.lines]


def test_all_trials_stand_first_then_each_class_by_name_with_its_trials(panel: ResponsePanel) -> None:
    others = "car, 1", "dog, 1", "guitar, 1", "house, 1", "mushroom, 1", "panda, 1", "pizza, 3", "rocket, 1"
    assert entries(panel) == ["all trials", *others]
    assert panel.label.currentText() == "all trials"
    assert names(panel) == ["all, 10 trials", "pizza, 3"]
    assert panel.heading.text().startswith("Average response; heads: ±")


def test_a_class_that_is_picked_is_drawn_beside_all_trials_though_it_has_but_one(
    panel: ResponsePanel, averages: Averages
) -> None:
    panel.channel.setCurrentText("Oz")
    pick(panel, averages, "dog")
    assert names(panel) == ["all, 10 trials", "dog, 1"]
    of_dog = averages.average("dog")
    assert of_dog is not None
    np.testing.assert_array_equal(panel.plot.graph.lines[1].y, of_dog[CAP.index("Oz")])
    assert panel.heading.text().startswith("Average response of dog, 1 trial; heads: ±")
    panel.grab()


def test_the_heads_are_those_of_the_class_at_its_own_peaks(
    panel: ResponsePanel, averages: Averages, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[np.ndarray] = []
    monkeypatch.setattr(Topography, "show_values", lambda head, names, values, limit, caption: told.append(values))
    pick(panel, averages, "pizza")
    of_pizza = averages.average("pizza")
    assert of_pizza is not None
    times = -0.1 + np.arange(of_pizza.shape[1]) / RATE
    tops = peaks(of_pizza, times)
    assert panel.plot.graph.marks[1:] == pytest.approx([times[top] for top in tops])
    np.testing.assert_array_equal(told, of_pizza[:, tops].T)


def test_the_picked_class_stays_while_trials_and_classes_come(panel: ResponsePanel, averages: Averages) -> None:
    pick(panel, averages, "pizza")
    more = tuple(
        example_reconstruction(example_decoding(label, NOW + 10 + place))
        for place, label in enumerate(("pizza", "banana"))
    )
    averages.add(more, SNAPSHOT.labels)
    panel.show_averages(averages, SNAPSHOT)
    assert (panel.label.currentText(), entries(panel)[1]) == ("pizza, 4", "banana, 1")
    assert names(panel) == ["all, 12 trials", "pizza, 4"]
    pick(panel, averages, "")
    assert names(panel) == ["all, 12 trials", "pizza, 4"]  # the one class with two trials or more
    assert panel.heading.text().startswith("Average response; heads")


def test_where_averages_begin_anew_a_class_that_is_gone_gives_way_to_all_trials(
    panel: ResponsePanel, averages: Averages
) -> None:
    pick(panel, averages, "pizza")
    averages.restart()
    panel.show_averages(averages, SNAPSHOT)
    assert entries(panel) == ["all trials"]
    assert panel.heading.text() == "Average response"
    other = example_reconstruction(example_decoding("tent", NOW + 20))
    averages.add((other,), SNAPSHOT.labels)
    panel.show_averages(averages, replace(SNAPSHOT, began=1.0))
    assert (panel.label.currentText(), names(panel)) == ("all trials", ["all, 1 trials"])
    assert panel.heading.text().startswith("Average response; heads")
