"""The head map and the check before a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from bci_live.signal.electrodes import Electrode, Light
from bci_live.types import Chunk
from bci_live.window import theme
from bci_live.window.example import NOW, RATE, ExampleSource, example_facts
from bci_live.window.quality.head_map import HeadMap
from bci_live.window.quality.panel import QualityPanel

FACTS = replace(example_facts(4), channels=("Fz", "Pz", "Oz", "E9"))


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def panel(qtbot: QtBot, clock: Clock) -> QualityPanel:
    panel = QualityPanel(clock=clock)
    qtbot.addWidget(panel)
    panel.resize(340, 520)
    panel.show()
    return panel


def chunk(alpha_uv: float, breaks: tuple[int, ...] = ()) -> Chunk:
    times = NOW + np.arange(int(13 * RATE)) / RATE
    rng = np.random.default_rng(round(alpha_uv))
    samples = rng.normal(0, 6, (len(times), 1)) + rng.normal(0, 4, (len(times), 4))
    samples[:, 1:3] += alpha_uv * np.sin(2 * np.pi * 10 * times)[:, None]
    return Chunk(samples.astype(np.float32), times, NOW, breaks)


NOTHING = Chunk(np.zeros((0, 4), np.float32), np.zeros(0), NOW)


def joined(first: Chunk, second: Chunk) -> Chunk:
    return Chunk(np.concatenate((first.samples, second.samples)), np.concatenate((first.times, second.times + 13)), NOW)


def test_electrodes_have_lights_and_words(panel: QualityPanel) -> None:
    bad = chunk(0)
    bad.samples[:, 0] = 0
    panel.poll(ExampleSource(chunk=bad), FACTS)
    assert panel.head.electrodes[0] == Electrode("Fz", Light.RED, ("flat",))
    assert panel.told.text().startswith("Fz: flat")
    place = panel.head.places()[0]
    assert panel.head.describe(place) == "Fz: flat"
    assert panel.head.describe(place * 3) == ""
    panel.grab()


def test_an_electrode_that_is_clicked_or_gone_to_by_the_arrows_is_told_of_first(
    panel: QualityPanel, clock: Clock, qtbot: QtBot
) -> None:
    bad = chunk(0)
    bad.samples[:, 0] = 0
    panel.poll(ExampleSource(chunk=bad), FACTS)
    qtbot.keyClick(panel.head, Qt.Key.Key_Right)
    assert panel.told.text() == "▸ Fz: flat\nAll others sound."
    qtbot.keyClick(panel.head, Qt.Key.Key_Down)
    assert panel.told.text() == "▸ Pz: sound\nFz: flat"
    clock.now = 1.1
    panel.poll(ExampleSource(chunk=bad), FACTS)
    assert panel.told.text().startswith("▸ Pz: sound")  # it stays when they are judged anew
    qtbot.mouseClick(panel.head, Qt.MouseButton.LeftButton, pos=panel.head.places()[2].toPoint())
    assert panel.told.text().startswith("▸ Oz: ")
    qtbot.keyClick(panel.head, Qt.Key.Key_Right)
    qtbot.keyClick(panel.head, Qt.Key.Key_Right)  # from the last to the first
    assert panel.told.text().startswith("▸ Fz: ")
    qtbot.mouseClick(panel.head, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))  # beside the head
    assert panel.told.text() == "Fz: flat"
    clock.now = 2.2
    panel.poll(ExampleSource(chunk=bad), FACTS, silent_s=9.0)
    qtbot.keyClick(panel.head, Qt.Key.Key_Right)
    assert panel.told.text().startswith("Nothing has come for 9 s")


def test_an_impedance_is_told_where_the_stream_carries_it(panel: QualityPanel) -> None:
    facts = replace(
        FACTS,
        channels=("Fz", "Pz", "Oz", "Fz_imp"),
        types=("EEG", "EEG", "EEG", "IMPEDANCE"),
        units=("uV",) * 3 + ("ohm",),
    )
    measured = chunk(0)
    measured.samples[:, 3] = 12_500
    panel.poll(ExampleSource(chunk=measured), facts)
    assert panel.head.describe(panel.head.places()[0]) == "Fz: impedance 12.5 kΩ"
    assert len(panel.head.electrodes) == 3


def test_they_are_judged_anew_once_a_second(panel: QualityPanel, clock: Clock) -> None:
    bad = chunk(0)
    bad.samples[:, 0] = 0
    panel.poll(ExampleSource(chunk=bad), FACTS)
    sound = ExampleSource(chunk=chunk(0))
    panel.poll(sound, FACTS)
    assert panel.head.electrodes[0].light == Light.RED
    clock.now = 1.1
    panel.poll(sound, FACTS)
    assert panel.head.electrodes[0].light == Light.GREEN
    assert panel.told.text() == "All sound."


def test_an_electrode_of_no_known_place_stands_below_the_head(qtbot: QtBot) -> None:
    head = HeadMap()
    qtbot.addWidget(head)
    head.resize(300, 330)
    head.show_electrodes([Electrode("Cz", Light.GREEN), Electrode("E9", Light.YELLOW, ("?",))])
    known, strange = head.places()
    assert strange.y() > known.y() + 100
    assert strange.y() < 330


@pytest.mark.parametrize(("side", "most_hidden"), [(290, 0), (260, 0), (244, 0), (232, 0), (220, 0), (200, 8)])
def test_names_stand_on_no_light_and_on_no_other_name(qtbot: QtBot, side: int, most_hidden: int) -> None:
    head = HeadMap()
    qtbot.addWidget(head)
    head.resize(side + 40, side)
    head.show_electrodes([Electrode(name, Light.GREEN) for name in example_facts(32).channels])
    rooms = head.label_rooms()
    written = [room for room in rooms if room is not None]
    assert len(written) >= 32 - most_hidden
    assert not any(room.contains(place) for room in written for place in head.places())
    assert not any(room.intersects(other) for room, other in combinations(written, 2))
    head.grab()


@pytest.mark.parametrize(("alpha_uv", "said"), [(15.0, "Alpha seen"), (0.0, "Alpha not seen")])
def test_half_a_minute_tells_whether_alpha_is_there(
    panel: QualityPanel, clock: Clock, qtbot: QtBot, alpha_uv: float, said: str
) -> None:
    source = ExampleSource(chunk=NOTHING)
    qtbot.mouseClick(panel.check.button, Qt.MouseButton.LeftButton)
    panel.poll(source, FACTS)
    assert panel.check.said.text() == "Eyes open, look at one point: 15 s"
    clock.now, source.chunk = 15.1, chunk(0)
    panel.poll(source, FACTS)
    source.chunk = joined(chunk(0), chunk(alpha_uv))
    clock.now = 20.1
    panel.poll(source, FACTS)
    assert panel.check.said.text() == "Eyes closed, until the tone: 10 s"
    clock.now = 30.3
    panel.poll(source, FACTS)
    assert panel.check.said.text().startswith(said)
    assert "a simulated head has no eyes to close" in panel.check.said.text()
    assert not panel.check.running


def test_a_check_over_a_gap_says_so_and_can_be_stopped(panel: QualityPanel, clock: Clock, qtbot: QtBot) -> None:
    source = ExampleSource(chunk=NOTHING)
    qtbot.mouseClick(panel.check.button, Qt.MouseButton.LeftButton)
    panel.poll(source, FACTS)
    clock.now, source.chunk = 15.1, chunk(0, breaks=(3000,))
    panel.poll(source, FACTS)
    assert panel.check.said.text().startswith("Samples were lost")
    qtbot.mouseClick(panel.check.button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.check.button, Qt.MouseButton.LeftButton)
    assert panel.check.said.text() == "The check was stopped."


def test_of_a_stream_that_stopped_no_electrode_is_sound(panel: QualityPanel, clock: Clock) -> None:
    source = ExampleSource(chunk=chunk(0))
    panel.poll(source, FACTS)
    clock.now = 61.0
    panel.poll(source, FACTS, silent_s=60.2)
    assert panel.told.text().startswith("Nothing has come for 60 s")
    assert panel.head.describe(panel.head.places()[0]) == "Fz: not known now"
    assert theme.now.green not in colours_of(panel.head)
    clock.now = 62.1
    panel.poll(source, FACTS)
    assert panel.told.text() == "All sound."
    assert theme.now.green in colours_of(panel.head)


def colours_of(head: HeadMap) -> set[str]:
    image = head.grab().toImage()
    return {image.pixelColor(round(place.x()), round(place.y())).name() for place in head.places()}


def test_the_check_ends_with_a_stream_that_stops_or_is_another(panel: QualityPanel, clock: Clock, qtbot: QtBot) -> None:
    source, check = ExampleSource(chunk=chunk(0)), panel.check
    qtbot.mouseClick(check.button, Qt.MouseButton.LeftButton)
    panel.poll(source, FACTS)
    panel.poll(source, FACTS, silent_s=1.2)
    assert (check.running, check.said.text()[:28]) == (False, "Nothing has come for 1 s, so")
    qtbot.mouseClick(check.button, Qt.MouseButton.LeftButton)
    panel.poll(source, FACTS)
    panel.poll(source, replace(FACTS, name="another"))
    assert (check.running, check.said.text()[:14]) == (False, "Another stream")


def test_the_check_is_of_what_came_since_its_phase_began(panel: QualityPanel, clock: Clock, qtbot: QtBot) -> None:
    source = ExampleSource(chunk=chunk(0))
    qtbot.mouseClick(panel.check.button, Qt.MouseButton.LeftButton)
    panel.poll(source, FACTS)
    clock.now = 15.1
    panel.poll(source, FACTS)
    assert panel.check.said.text().startswith("Samples were lost")


def test_what_the_user_marked_bad_is_not_called_sound(panel: QualityPanel, clock: Clock) -> None:
    source = ExampleSource(chunk=chunk(0))
    panel.poll(source, FACTS, marked=frozenset({"Oz", "elsewhere"}))
    assert panel.told.text() == "✗ 1 marked bad, for the display alone: Oz\nAll others sound."
    oz = panel.head.places()[2]
    assert panel.head.describe(oz) == "Oz: marked bad; sound"
    image = panel.head.grab().toImage()
    assert image.pixelColor(round(oz.x()), round(oz.y())).name() == theme.now.vermillion
