"""Pinning a picture of the filmstrip, what is told of it, saving it; and pictures that are not drawn."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QHelpEvent, QWheelEvent
from PyQt6.QtWidgets import QApplication, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from bci_live.live.snapshot import Counts, ReplayStatus
from bci_live.types import Decoding, Marker, Picture
from bci_live.window import details_panel, filmstrip, main_window
from bci_live.window.details_panel import held_text
from bci_live.window.example import NOW, ExampleSource, example_decoding, example_reconstruction
from bci_live.window.filmstrip import caption
from bci_live.window.main_window import MainWindow
from bci_live.window.picture_panel import to_pixmap
from tests.window.conftest import OpenWindow, pixels_of

LEFT = Qt.MouseButton.LeftButton


def at(decoding: Decoding, time: float) -> Decoding:
    """The same, of a marker at another time."""
    return replace(decoding, epoch=replace(decoding.epoch, marker=Marker(decoding.epoch.marker.label, time)))


def pin_first(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.mouseClick(window.live.filmstrip.strip, LEFT, pos=QPoint(20, 20))
    window.poll_snapshot()


def test_a_click_pins_a_picture_and_tells_all_of_it_while_new_ones_come(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    pin_first(window, qtbot)
    strip, details = window.live.filmstrip.strip, window.live.details
    first = strip.fitting()[0]
    assert strip.pinned == first.marker
    assert details.isVisible()
    assert details.heading.text() == "The pinned picture"
    np.testing.assert_array_equal(pixels_of(details.picture.pixmap), first.reconstruction)
    for told in (
        f"marker {first.marker.label}",
        "seed 0",
        "step 4 of 4",
        "diffusion-demo",
        "SIMULATED",
        "62 %",
        "picture 220",
    ):
        assert told in details.text.text()
    assert len(details.plot.graph.lines) == 32
    assert source.state is not None
    newer = example_reconstruction(example_decoding("tent", NOW + 1))
    source.state = replace(source.state, history=(*source.state.history, newer))
    window.poll_snapshot()
    np.testing.assert_array_equal(pixels_of(details.picture.pixmap), first.reconstruction)
    qtbot.keyClick(strip, Qt.Key.Key_Delete)
    window.poll_snapshot()
    np.testing.assert_array_equal(pixels_of(details.picture.pixmap), newer.image)


def test_arrows_go_from_picture_to_picture(open_window: OpenWindow, source: ExampleSource, qtbot: QtBot) -> None:
    window = open_window(source)
    strip = window.live.filmstrip.strip
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert strip.pinned == strip.pairs[-1].marker
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert strip.pinned == strip.pairs[-2].marker
    for _ in range(3):
        qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert strip.pinned == strip.pairs[-1].marker


def test_older_pictures_are_reached_by_the_bar_the_wheel_and_the_arrows(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    assert source.state is not None
    many = tuple(example_reconstruction(example_decoding("dog", NOW + index)) for index in range(20))
    source.state = replace(source.state, history=many)
    window = open_window(source)
    window.poll_snapshot()
    strip = window.live.filmstrip.strip
    qtbot.waitUntil(strip.bar.isVisible, timeout=3000)
    qtbot.waitUntil(lambda: strip.fitting()[-1] is strip.pairs[-1], timeout=3000)
    for _ in range(20):
        qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert strip.pinned == strip.pairs[0].marker
    assert strip.fitting()[0] is strip.pairs[0]
    turned = QWheelEvent(
        QPointF(5, 5), strip.mapToGlobal(QPointF(5, 5)), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(strip, turned)
    first, second = strip.fitting()[:2]  # the pinned one stays at the old end, the others move on below it
    assert first is strip.pairs[0]
    assert second is strip.pairs[2]
    # A new one comes while older ones are looked at: they stay.
    newer = example_reconstruction(example_decoding("tent", NOW + 30))
    source.state = replace(source.state, history=(*many, newer))
    looked_at = strip.fitting()[0].marker
    window.poll_snapshot()
    assert strip.fitting()[0].marker == looked_at
    strip.bar.setValue(strip.bar.maximum())
    assert strip.fitting()[-1].marker == newer.decoding.epoch.marker


def test_all_pictures_that_the_session_keeps_are_reached_but_only_those_in_sight_are_drawn(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Picture] = []
    monkeypatch.setattr(filmstrip, "to_pixmap", lambda picture: drawn.append(picture) or to_pixmap(picture))
    assert source.state is not None
    dog = example_reconstruction(example_decoding("dog", NOW))
    many = tuple(replace(dog, decoding=at(dog.decoding, NOW + place)) for place in range(200))
    source.state = replace(source.state, history=many)
    window = open_window(source)
    strip = window.live.filmstrip.strip

    def in_sight(place: int) -> bool:
        return strip.pairs[place].marker in strip.pixmaps

    qtbot.waitUntil(lambda: len(strip.pairs) == 200 and in_sight(-1), timeout=3000)
    drawn.clear()
    strip.bar.setValue(0)
    qtbot.waitUntil(lambda: in_sight(0), timeout=3000)
    assert set(strip.pixmaps) == {pair.marker for pair in strip.fitting()}
    assert len(drawn) == 2 * len(strip.fitting())
    assert 2 * len(strip.fitting()) < 40
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert strip.pinned == strip.pairs[-1].marker


def test_nothing_is_done_for_the_filmstrip_while_no_picture_comes(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    panel, state = window.live.filmstrip, source.state
    assert state is not None
    pairs = panel.strip.pairs
    panel.show_history((*state.history,), state.labels)  # each snapshot has a tuple of its own
    assert panel.strip.pairs is pairs
    panel.show_history(state.history[1:], state.labels)
    assert panel.strip.pairs == pairs[1:]


def test_who_looks_at_older_pictures_stays_there_when_a_pinned_one_is_elsewhere(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    assert source.state is not None
    dog = example_reconstruction(example_decoding("dog", NOW))
    many = tuple(replace(dog, decoding=at(dog.decoding, NOW + place)) for place in range(60))
    source.state = replace(source.state, history=many)
    window = open_window(source)
    strip = window.live.filmstrip.strip
    qtbot.waitUntil(strip.bar.isVisible, timeout=3000)
    strip.pin(strip.pairs[0].marker)
    strip.bar.setValue(30)
    looked_at = strip.fitting()[1].marker
    source.state = replace(source.state, history=(*many, replace(dog, decoding=at(dog.decoding, NOW + 60))))
    window.poll_snapshot()
    assert strip.fitting()[1].marker == looked_at


def test_in_a_low_window_the_words_and_buttons_of_a_pinned_picture_are_seen(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    source.played = ReplayStatus(75.0, 400.0, paused=False, loop=True, ended=False)
    window = open_window(source)
    pin_first(window, qtbot)
    details = window.live.details
    for widget in (details.text, details.save_button, details.gif_button):
        qtbot.waitUntil(lambda it=widget: it.visibleRegion().boundingRect() == it.rect(), timeout=3000)


def pinned_window(open_window: OpenWindow, source: ExampleSource, qtbot: QtBot, folder: Path) -> tuple[MainWindow, str]:
    """A window that saves into `folder`, its oldest picture pinned, and that picture's label."""
    window = open_window(source)
    window.streams.folder.setText(str(folder))
    pin_first(window, qtbot)
    return window, window.live.filmstrip.strip.fitting()[0].marker.label


def plain(widget: QWidget) -> str:
    """What it says when hovered, on one line."""
    return widget.toolTip().replace("\n", " ")


def saved_label(folder: Path, label: str) -> str:
    """What the file beside the first picture that was saved says of it."""
    told = json.loads((folder / "pictures" / f"0001-{label}.json").read_text(encoding="utf-8"))
    return str(told["marker"]["label"])


def test_what_stands_in_short_below_a_picture_is_said_in_full_when_hovered(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    strip = window.live.filmstrip.strip
    pair = strip.pair_at(5)
    assert pair is not None
    where = QPoint(5, 5)
    QApplication.sendEvent(strip, QHelpEvent(QEvent.Type.ToolTip, where, strip.mapToGlobal(where)))
    qtbot.waitUntil(lambda: QToolTip.text() == caption(pair), timeout=3000)
    assert strip.pair_at(strip.width() * 3) is None


def test_a_pinned_picture_stays_when_the_session_has_forgotten_it(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot, tmp_path: Path
) -> None:
    window, label = pinned_window(open_window, source, qtbot, tmp_path)
    details = window.live.details
    assert source.state is not None
    source.state = replace(source.state, history=source.state.history[-2:], decoding=None)
    window.poll_snapshot()
    assert details.heading.text() == "The pinned picture"
    details.save()
    assert saved_label(tmp_path, label) == label


def test_a_pinned_picture_stays_in_the_strip_with_words_on_how_to_let_it_go(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot
) -> None:
    window = open_window(source)
    pin_first(window, qtbot)
    filmstrip = window.live.filmstrip
    strip, pinned = filmstrip.strip, filmstrip.strip.pinned
    assert "press Delete, to let it go" in filmstrip.heading.text()
    shown = len(strip.fitting())
    many = [example_reconstruction(example_decoding("tent", NOW + place)) for place in range(40)]
    assert source.state is not None
    source.state = replace(source.state, history=tuple(many))
    window.poll_snapshot()
    assert (strip.fitting()[0].marker, len(strip.fitting())) == (pinned, shown)
    assert strip.fitting()[-1].marker == many[-1].decoding.epoch.marker
    pin_first(window, qtbot)
    assert strip.pinned is None
    assert pinned not in [pair.marker for pair in strip.pairs]
    assert filmstrip.heading.text().endswith("click one to pin it")


def test_a_picture_is_saved_copied_and_the_session_animated(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot, tmp_path: Path
) -> None:
    window, label = pinned_window(open_window, source, qtbot, tmp_path)
    details = window.live.details
    qtbot.mouseClick(details.save_button, LEFT)
    assert saved_label(tmp_path, label) == label
    qtbot.mouseClick(details.gif_button, LEFT)
    qtbot.waitUntil(
        lambda: (
            f"Saved: {tmp_path / 'pictures' / '0002-session.gif'} (the last 8 of 55 pictures)" == details.said.text()
        ),
        timeout=20_000,
    )
    assert (tmp_path / "pictures" / "0002-session.gif").is_file()
    qtbot.mouseClick(details.copy_button, LEFT)
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert clipboard.pixmap().width() == 64
    (tmp_path / "file").write_text("")
    window.streams.folder.setText(str(tmp_path / "file"))
    qtbot.mouseClick(details.save_button, LEFT)
    assert "cannot be written" in details.said.text()


@pytest.mark.parametrize(
    ("held", "drawn", "told"),
    [
        (0, 0, "there is none yet"), (1, 1, "its only picture"), (12, 12, "all 12 pictures"),
        (200, 350, "the last 200 of 350 pictures"),
    ],
)  # fmt: skip
def test_it_is_said_how_many_of_the_session_s_pictures_an_animation_holds(held: int, drawn: int, told: str) -> None:
    assert held_text(held, drawn) == told


def test_the_button_says_before_it_is_pressed_that_pictures_are_left_out(
    open_window: OpenWindow, source: ExampleSource
) -> None:
    window = open_window(source)
    button = window.live.details.gif_button
    assert plain(button).endswith("beside what was shown: the last 8 of 55 pictures")
    assert source.state is not None
    source.state = replace(source.state, counts=Counts(10, 8))
    window.poll_snapshot()
    assert plain(button).endswith("beside what was shown: all 8 pictures")


def test_a_window_that_is_closed_stays_until_all_is_saved_and_says_so(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(folder: Path, *_: object) -> Path:
        assert go_on.wait(20)
        return folder / "saved.gif"

    go_on = threading.Event()
    monkeypatch.setattr(details_panel, "save_animation", save)
    for press_again in (False, True):
        go_on.clear()
        window = open_window(source)
        window.live.details.save_gif()
        assert not window.close()
        window.poll_snapshot()
        assert window.isVisible()
        assert "still being written" in window.errors.text.text()
        if press_again:
            assert window.close()
        go_on.set()
        qtbot.waitUntil(lambda window=window: not window.isVisible(), timeout=5000)


def test_what_is_saved_for_too_long_holds_up_no_closing(
    open_window: OpenWindow, source: ExampleSource, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(details_panel, "save_animation", lambda folder, *_: go_on.wait(20) and folder)
    monkeypatch.setattr(main_window, "SAVING_S", 0.0)
    window = open_window(source)
    window.live.details.save_gif()
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=5000)
    go_on.set()


def test_an_abstention_is_seen_and_is_no_picture(open_window: OpenWindow, source: ExampleSource) -> None:
    window = open_window(source)
    abstained = replace(example_decoding("dog", NOW, confidence=0.04), abstained=True)
    assert source.state is not None
    source.state = replace(source.state, decoding=abstained)  # the last picture is of another decoding
    window.poll_snapshot()
    assert window.live.pictures.reconstruction.pixmap is None
    assert "does not tell enough" in window.live.pictures.reconstruction.view.placeholder
    assert window.live.scores.top.text() == "Not told"
    assert window.live.scores.confidence.text().startswith("Abstained")
