"""The signal panel as a user works with it: rows, scales, filter, bad channels, markers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PyQt6.QtGui import QColor, QPaintEvent
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from bci_live.live.snapshot import SignalPart
from bci_live.types import Chunk, Marker
from bci_live.window import theme
from bci_live.window.example import RATE, ExampleSource, example_chunk, example_facts
from bci_live.window.signal.canvas import EpochSpan
from bci_live.window.signal.channels import unit_text
from bci_live.window.signal.conditioning import DisplayFilter
from bci_live.window.signal.picture import EDGE
from bci_live.window.signal.surround import LEFT, TOP
from bci_live.window.signal.view import SignalView
from tests.window.signal.conftest import FACTS, noise, part


def rows_with(view: SignalView, colour: str) -> set[int]:
    """The rows of pixels of the traces' image that hold `colour`."""
    assert view.canvas.picture is not None
    return set(np.flatnonzero((view.canvas.picture.pixels == QColor(colour).rgb()).any(axis=1)).tolist())


def test_every_channel_is_drawn_in_its_own_row(view: SignalView) -> None:
    quiet = noise() * 0.01
    quiet += np.array([5000, -300, 0])  # offsets of an amplifier do not matter
    view.show_part(part(quiet))
    assert view.channels is not None
    view.channels.heights = {"eeg": 100.0}
    view.canvas.draw_all()
    assert view.canvas.picture is not None
    row = view.canvas.picture.height / (3 + 2 * EDGE)
    first, second = theme.now.traces
    assert rows_with(view, second) <= set(range(int((1 + EDGE) * row), int((2 + EDGE) * row) + 1))
    assert min(rows_with(view, first)) < (1 + EDGE) * row
    assert max(rows_with(view, first)) > (2 + EDGE) * row


def test_a_railed_channel_stays_near_its_row(view: SignalView) -> None:
    view.show_stream(example_facts(8))
    samples = noise(channels=8)
    samples[::2, 7] = 1e6
    view.show_part(part(samples))
    assert view.canvas.picture is not None
    row = view.canvas.picture.height / (8 + 2 * EDGE)
    # Row 7 reaches three rows up at most; the third colour-mate above it is row 5.
    assert view.canvas.rows is not None
    top = view.canvas.picture._pixels_of(np.full((8, 1), 1e9, np.float32), view.canvas.rows)
    assert top[7, 0] == pytest.approx((7.5 + EDGE - 3) * row, rel=1e-3)


def test_an_incomplete_picture_is_drawn_on_with_what_came_since(view: SignalView) -> None:
    samples = noise()
    whole = part(samples)
    view.show_part(whole)
    assert view.canvas.picture is not None
    assert view.channels is not None
    at_once, heights = view.canvas.picture.pixels.copy(), dict(view.channels.heights)
    view.follow()
    for start in range(0, 2500, 25):
        view.show_part(part(samples[start : start + 25], start))
    # Scales and middles remember what was before; here they begin as they did.
    view.channels.heights = heights
    view.channels.forget_middles()
    assert view.canvas.ring is not None
    view.channels.settle(view.canvas.ring)
    view.canvas.draw_all()
    assert view.canvas.picture is not None
    np.testing.assert_array_equal(view.canvas.picture.pixels, at_once)


def test_a_part_that_does_not_follow_begins_anew(view: SignalView) -> None:
    view.show_part(part(noise(2500)))
    view.show_part(part(noise(250), first=9000))
    assert view.canvas.ring is not None
    known = np.isfinite(view.canvas.ring.low[0]).sum() * view.canvas.ring.column_s
    assert known == pytest.approx(1.0, abs=0.05)


def test_gaps_are_gaps(view: SignalView) -> None:
    view.show_stream(example_facts())
    view.show_part(SignalPart(0, example_chunk(gap_s=0.5)))
    assert view.canvas.picture is not None
    empty = (view.canvas.picture.pixels == QColor(theme.now.background).rgb()).all(axis=0)
    assert empty.sum() / len(empty) * 10 == pytest.approx(0.5, abs=0.05)


def test_each_type_of_channel_has_its_scale_and_its_units(view: SignalView) -> None:
    facts = replace(FACTS, types=("EEG", "EEG", "ECG"), units=("microvolts", "microvolts", "millivolts"))
    view.show_stream(facts)
    samples = noise()
    samples[:, 2] *= 100
    view.show_part(part(samples))
    assert view.channels is not None
    assert view.channels.heights["ecg"] > 30 * view.channels.heights["eeg"]
    texts = [text for text, _, _ in view.canvas.bars()]
    assert [text.split()[0] for text in texts] == ["EEG", "ECG"]
    assert all(text.endswith("µV") for text in texts)
    assert [unit_text("eeg", ""), unit_text("acc", "g"), unit_text("eog", "volts")] == ["µV", "g", "µV"]


def test_the_scale_bar_is_as_long_as_it_says(view: SignalView) -> None:
    view.show_part(part(noise()))
    ((text, rows, _),) = view.canvas.bars()
    assert view.channels is not None
    assert text == f"{rows * view.channels.heights['eeg']:g} µV"


def test_what_scrolls_leaves_names_and_scale_bars_alone(view: SignalView, qtbot: QtBot) -> None:
    painted: list[QRect] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
            if isinstance(event, QPaintEvent):
                painted.append(event.rect())
            return False

    view.show_part(part(noise()))
    qtbot.waitUntil(lambda: not view.canvas.testAttribute(Qt.WidgetAttribute.WA_PendingUpdate), timeout=3000)
    QApplication.processEvents()
    watch = Watch()
    view.canvas.installEventFilter(watch)
    view.show_part(part(noise(50), first=2500))
    qtbot.waitUntil(lambda: bool(painted), timeout=3000)
    assert painted[-1].left() >= LEFT
    assert painted[-1].right() < view.canvas.plot.right() + 10  # the bars stand 12 pixels beside the plot


def test_plus_and_minus_scale_and_auto_takes_it_back(view: SignalView, qtbot: QtBot) -> None:
    view.show_part(part(noise()))
    assert view.channels is not None
    before = view.channels.heights["eeg"]
    qtbot.mouseClick(view.toolbar.larger, Qt.MouseButton.LeftButton)
    assert view.channels.heights["eeg"] < before
    assert not view.toolbar.fit.isChecked()
    for _ in range(6):
        qtbot.mouseClick(view.toolbar.smaller, Qt.MouseButton.LeftButton)
    assert view.channels.heights["eeg"] > 2 * before
    qtbot.mouseClick(view.toolbar.fit, Qt.MouseButton.LeftButton)
    assert view.channels.heights["eeg"] == before


def test_a_click_on_a_name_marks_the_channel_bad_and_it_sets_no_scale(view: SignalView, qtbot: QtBot) -> None:
    samples = noise()
    samples[:, 1:] *= 50
    view.show_part(part(samples))
    assert view.channels is not None
    wild = view.channels.heights["eeg"]
    row = view.canvas.plot.height() / (3 + 2 * EDGE)
    for place in (1, 2):
        where = QPoint(LEFT // 2, round(TOP + (place + 0.5 + EDGE) * row))
        qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=where)
    assert view.channels.bad == {"Cz", "Oz"}
    view.fit()
    assert view.channels.heights["eeg"] < wild / 10
    assert rows_with(view, theme.now.line)
    assert view.channels.averaged == [0]
    view.mark("Cz")
    assert view.channels.bad == {"Oz"}


def test_channels_can_be_picked_from_the_menu(view: SignalView) -> None:
    view.show_part(part(noise()))
    next(action for action in view.toolbar.menu.actions() if action.text() == "Cz").trigger()
    assert view.canvas.rows is not None
    assert view.canvas.rows.channels.tolist() == [0, 2]
    next(action for action in view.toolbar.menu.actions() if action.text() == "All").trigger()
    assert view.canvas.rows.channels.tolist() == [0, 1, 2]


def test_the_display_filter_takes_mains_out_and_leaves_the_data_alone(view: SignalView, qtbot: QtBot) -> None:
    times = np.arange(2500) / RATE
    samples = (200 * np.sin(2 * np.pi * 50 * times))[:, None] * np.ones(3) + noise()
    given = part(samples)
    source = ExampleSource(chunk=given.chunk)
    before = given.chunk.samples.copy()
    view.poll(source)
    assert view.channels is not None
    loud = view.channels.heights["eeg"]
    view.toolbar.notch.setCurrentText("50 Hz out")
    view.toolbar.notch.activated.emit(1)
    view.poll(source)
    view.fit()
    assert view.channels.heights["eeg"] < loud / 5
    assert view.heading.text().endswith("display filtered")
    view.resize(480, 300)  # no room for it in the heading
    assert view.filtered.isVisible()
    assert view.filtered.geometry().right() < LEFT
    assert view.filtered.geometry().bottom() <= TOP
    np.testing.assert_array_equal(given.chunk.samples, before)


def test_markers_are_labelled_lines_that_scroll_away(view: SignalView) -> None:
    view.show_part(part(noise()))  # until 110 s
    view.show_markers([(Marker("dog", 108.0), None), (Marker("cat", 102.0), "gap"), (Marker("old", 99.0), None)])
    assert view.visible_markers() == ["cat (gap)", "dog"]
    cat, dog = view.canvas.lines()
    assert (cat.missed, dog.missed) == (True, False)
    plot = view.canvas.plot
    assert dog.x == pytest.approx(plot.right() - plot.width() * 0.2, abs=2)
    view.show_part(part(noise(750), first=2500))
    assert view.visible_markers() == ["dog"]


def test_labels_that_would_overlap_are_shortened(view: SignalView) -> None:
    view.show_part(part(noise()))
    view.show_markers([(Marker("motorcycle", 106.0), None), (Marker("motorcycle", 106.8), None)])
    first, last = view.visible_markers()
    assert first.endswith("…")
    assert last == "motorcycle"


def test_the_epoch_is_shaded(view: SignalView) -> None:
    view.show_part(part(np.zeros((2500, 3))))
    view.show_epoch(EpochSpan(104.0, 106.0))
    image = view.canvas.grab().toImage()
    ratio = image.width() / view.canvas.width()
    y = round((TOP + 5) * ratio)
    inside, outside = (image.pixelColor(round(view.canvas.x_of(t) * ratio), y) for t in (105.0, 107.0))
    assert outside == QColor(theme.now.panel)
    assert inside.blue() > outside.blue() + 20


def test_a_longer_stretch_can_be_shown(view: SignalView) -> None:
    source = ExampleSource(chunk=example_chunk(3, seconds=60))
    view.poll(source)
    view.lengthen(1)
    view.poll(source)
    assert view.canvas.ring is not None
    assert view.canvas.ring.column_s * view.canvas.ring.width == pytest.approx(20)
    assert np.isfinite(view.canvas.ring.low).all()
    view.lengthen(99)
    assert view.canvas.seconds == 30


def test_a_view_of_another_size_is_filled_anew(view: SignalView) -> None:
    source = ExampleSource(chunk=example_chunk(3))
    view.poll(source)
    view.resize(500, 300)
    view.poll(source)
    assert view.canvas.picture is not None
    assert view.canvas.picture.width == round(view.canvas.plot.width() * view.devicePixelRatioF())
    assert np.isfinite(view.canvas.ring.low).mean() > 0.99  # type: ignore[union-attr]


def test_a_chunk_of_another_montage_is_not_drawn_in_wrong_rows(view: SignalView) -> None:
    view.show_part(part(np.ones((100, 5))))
    assert view.canvas.ring is not None
    assert view.canvas.ring.newest is None


@pytest.mark.parametrize("wanted", [DisplayFilter(), DisplayFilter((1.0, 30.0)), DisplayFilter(average=True)])
def test_a_channel_that_is_no_number_costs_the_others_nothing(view: SignalView, wanted: DisplayFilter) -> None:
    samples = noise(5000)
    view.show_filter(wanted)
    view.show_part(part(samples[:2500]))
    assert view.channels is not None
    before = view.channels.heights["eeg"]
    samples[2500:2600, 1], samples[2600:2700, 2] = np.nan, np.inf
    for start in range(2500, 5000, 100):
        view.show_part(part(samples[start : start + 100], start))
    view.fit()
    assert view.channels.heights["eeg"] == before
    assert view.canvas.ring is not None
    holes = np.isnan(view.canvas.ring.low).mean(axis=1)
    assert holes[0] == 0
    assert 0.02 < holes[1] < 0.1
    assert np.isfinite(view.canvas.ring.low[:, view.canvas.ring.order()[-20:]]).all()
    samples[:, 0] = np.nan
    view.follow()
    view.show_part(part(samples[:2500]))
    assert view.channels.heights["eeg"] == before


def test_an_empty_part_draws_nothing(view: SignalView) -> None:
    view.show_part(part(np.zeros((0, 3))))
    view.grab()


def test_the_filter_is_made_anew_for_a_stream_of_another_rate(view: SignalView) -> None:
    view.show_filter(DisplayFilter(notch_hz=50.0))
    view.show_stream(replace(FACTS, rate=500.0))
    hum = np.repeat(np.sin(2 * np.pi * 50 * np.arange(5000) / 500)[:, None], 3, axis=1).astype(np.float32)
    view.show_part(SignalPart(0, Chunk(hum, 100 + np.arange(5000) / 500, 0.0)))
    ring = view.canvas.ring
    assert ring is not None
    assert np.abs(ring.low[:, ring.order()[-100:]]).max() < 0.01
