"""Average response, accuracy and spectrum as they stand in the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from bci_live.live.averages import Averages
from bci_live.types import Marker, Missed, MissedReason
from bci_live.window.example import (
    CAP,
    NOW,
    RATE,
    ExampleSource,
    example_chunk,
    example_decoding,
    example_facts,
    example_snapshot,
)
from bci_live.window.plots.accuracy_panel import AccuracyPanel
from bci_live.window.plots.line_plot import ticks
from bci_live.window.plots.response_panel import ResponsePanel
from bci_live.window.plots.spectrum_panel import SpectrumPanel, density
from bci_live.window.plots.topography import Topography, interpolated


@pytest.fixture
def averages() -> Averages:
    snapshot, averages = example_snapshot(), Averages()
    averages.add(snapshot.history, snapshot.labels)
    return averages


def test_the_response_has_a_curve_for_all_and_for_the_commonest_classes(
    qtbot: QtBot, averages: Averages, tmp_path: Path
) -> None:
    panel, snapshot = ResponsePanel(lambda: tmp_path), example_snapshot()
    qtbot.addWidget(panel)
    panel.resize(360, 420)
    panel.show()
    panel.show_averages(averages, snapshot)
    assert [line.name for line in panel.plot.graph.lines] == ["all, 8 trials"]  # one of each class is noise
    again = tuple(
        replace(it, decoding=example_decoding(it.decoding.epoch.marker.label, NOW + 10 * more + place))
        for more in range(5)
        for place, it in enumerate(snapshot.history)
    )
    averages.add(again, snapshot.labels)
    panel.show_averages(averages, snapshot)
    names = [line.name for line in panel.plot.graph.lines]
    assert names[0] == "all, 48 trials"
    assert sorted(names[1:]) == sorted(f"{it.decoding.epoch.marker.label}, 6" for it in snapshot.history[:4])
    assert panel.plot.graph.lines[0].x[[0, -1]] == pytest.approx([-0.1, 0.8 - 0.9 / 225])
    curves, legend = panel.plot.rooms()
    assert legend.width() > 0
    assert not curves.intersects(legend)
    assert legend.right() <= panel.plot.width()
    panel.channel.setCurrentText("Oz")
    panel.show_averages(averages, snapshot)
    assert panel.plot.graph.y_title == "µV at Oz"
    assert [panel.channel.itemText(k) for k in range(1, 33)] == list(CAP)
    assert 1 <= sum(head.isVisible() for head in panel.heads) <= 3
    assert all(head.image is not None for head in panel.heads if head.isVisible())
    panel.grab()


def test_the_response_is_saved_as_mne_reads_it(qtbot: QtBot, averages: Averages, tmp_path: Path) -> None:
    panel, snapshot = ResponsePanel(lambda: tmp_path / "pictures"), example_snapshot()
    qtbot.addWidget(panel)
    panel.show()

    def save(averages: Averages) -> str:
        panel.save_button.click()
        panel.show_averages(averages, snapshot)
        qtbot.waitUntil(
            lambda: panel.show_averages(averages, snapshot) or "Saving" not in panel.said.text(), timeout=30_000
        )
        return panel.said.text()

    narrow = panel.minimumSizeHint().width()
    assert "nothing to save" in save(Averages())
    panel.show_averages(averages, snapshot)
    assert save(averages).startswith("Saved: ")
    assert panel.said.isVisible()
    assert panel.minimumSizeHint().width() == narrow  # a path does not widen the dock
    (file,) = (tmp_path / "pictures").iterdir()
    evokeds = mne.read_evokeds(file, verbose="error")
    assert (evokeds[0].comment, evokeds[0].nave, len(evokeds)) == ("all", 8, 1 + len(averages.counts))
    assert evokeds[0].ch_names == list(CAP)
    assert evokeds[0].times[[0, -1]] == pytest.approx([-0.1, 0.8 - 0.9 / 225], abs=1e-3)
    together = averages.average()
    assert together is not None
    np.testing.assert_allclose(evokeds[0].data * 1e6, together, rtol=1e-4, atol=1e-3)


def test_what_begins_anew_is_no_longer_shown_nor_saved(qtbot: QtBot, averages: Averages, tmp_path: Path) -> None:
    response, accuracy, snapshot = ResponsePanel(lambda: tmp_path), AccuracyPanel(), example_snapshot()
    for panel in (response, accuracy):
        qtbot.addWidget(panel)

    def show() -> None:
        response.show_averages(averages, snapshot)
        accuracy.show_averages(averages, 40)

    show()
    averages.restart()
    show()
    assert response.plot.graph.lines == accuracy.plot.graph.lines == ()
    assert accuracy.said.text() == ""
    response.save()
    qtbot.waitUntil(lambda: show() or "nothing to save" in response.said.text(), timeout=30_000)
    # As many again as before, of other pictures: they are drawn, too.
    again = tuple(
        replace(it, decoding=example_decoding(it.decoding.epoch.marker.label, NOW + place))
        for place, it in enumerate(snapshot.history)
    )
    averages.add(again, snapshot.labels)
    show()
    assert response.plot.graph.lines[0].name == "all, 8 trials"
    assert accuracy.said.text()


def test_accuracy_stands_against_chance_with_its_interval(qtbot: QtBot, averages: Averages) -> None:
    panel = AccuracyPanel()
    qtbot.addWidget(panel)
    panel.show()
    panel.show_averages(averages, 40)
    assert panel.said.text() == (
        "7 of 8 drawn = 88 %, 95 % interval 53 to 98 %: above chance (2.5 %). Nothing abstained or was interrupted."
    )
    right, chance = panel.plot.graph.lines
    assert right.y[-1] == pytest.approx(87.5)
    assert set(chance.y) == {2.5}
    panel.grab()
    missed = [Missed(Marker("dog", NOW + place), MissedReason.UNSURE) for place in range(12)]
    missed += [
        Missed(Marker("cat", NOW + 20), MissedReason.INTERRUPTED),
        Missed(Marker("cat", NOW + 21), MissedReason.GAP),
    ]
    averages.add_missed(tuple(missed), example_snapshot().labels)
    panel.show_averages(averages, 40)
    assert panel.said.text().endswith("above chance (2.5 %). 12 abstained, 1 interrupted: not judged.")
    averages.right = [True, False, True, False, True]
    panel.show_averages(averages, 2)
    assert "chance is within it" in panel.said.text()
    averages.right = [True]  # its interval leaves 2.5 % out, and one trial says nothing
    panel.show_averages(averages, 40)
    assert "95 % interval 21 to 100 %: too few to tell it from chance (2.5 %)" in panel.said.text()


def test_where_all_abstain_the_accuracy_says_so_instead_of_nothing(qtbot: QtBot) -> None:
    panel, averages = AccuracyPanel(), Averages()
    qtbot.addWidget(panel)
    averages.add_missed((Missed(Marker("dog", NOW), MissedReason.UNSURE),), ("dog", "cat"))
    panel.show_averages(averages, 2)
    assert panel.said.text() == "1 abstained: not judged."


def test_the_spectrum_shows_ten_hertz_where_it_is(qtbot: QtBot) -> None:
    panel = SpectrumPanel()
    qtbot.addWidget(panel)
    panel.resize(360, 300)
    panel.show()
    panel.channel.show_names(CAP)
    panel.channel.setCurrentText("O2")
    panel.poll(ExampleSource(chunk=example_chunk()), example_facts())
    _, electrode = panel.plot.graph.lines
    assert electrode.name == "O2"
    above = electrode.x > 4
    assert electrode.x[above][electrode.y[above].argmax()] == pytest.approx(10.0, abs=0.5)
    assert panel.heading.text() == "Spectrum of the last 8 s"
    panel.grab()


def test_the_spectrum_of_a_stream_that_stopped_says_so(qtbot: QtBot) -> None:
    panel = SpectrumPanel()
    qtbot.addWidget(panel)
    panel.show()
    panel.poll(ExampleSource(chunk=example_chunk()), example_facts(), silent_s=42.4)
    assert panel.heading.text() == "Spectrum of the last 8 s that came; nothing has come for 42 s"


def test_a_channel_without_numbers_leaves_the_median_of_the_others_and_is_said_to_have_none(qtbot: QtBot) -> None:
    def shown(silent: slice) -> SpectrumPanel:
        panel, chunk = SpectrumPanel(), example_chunk()
        qtbot.addWidget(panel)
        panel.show()
        chunk.samples[-500:, silent] = np.nan
        panel.channel.show_names(CAP)
        panel.channel.setCurrentText("F7")
        panel.poll(ExampleSource(chunk=chunk), example_facts())
        return panel

    whole, broken, empty = shown(slice(0)), shown(slice(2, 3)), shown(slice(None))
    assert [line.name for line in whole.plot.graph.lines] == ["median of all", "F7"]
    (median,) = broken.plot.graph.lines
    assert median.name == "median of all"
    np.testing.assert_allclose(median.y, whole.plot.graph.lines[0].y, atol=1.0)  # dB: one channel of 32 is left out
    assert broken.heading.text() == "Spectrum of the last 8 s; F7 has samples that are no numbers"
    assert empty.plot.graph.lines == ()
    broken.grab()
    empty.grab()


def test_the_density_is_in_microvolts_squared_per_hertz() -> None:
    """White noise of variance s² has the density 2 s² / rate."""
    noise = np.random.default_rng(0).normal(0, 10, (100_000, 1)).astype(np.float32)
    hz, power = density(noise, RATE)
    assert power[(hz > 5) & (hz < 100)].mean() == pytest.approx(2 * 100 / RATE, rel=0.02)


def test_a_field_takes_the_electrodes_values_at_their_places(qtbot: QtBot) -> None:
    places = np.array([[0, 0.8], [0, -0.8], [0.8, 0], [-0.8, 0], [0, 0]])
    field = interpolated(places, np.array([5.0, -5.0, 0.0, 0.0, 1.0]))
    assert field[5, 24] == pytest.approx(5, abs=0.5)  # the nose is on top
    assert field[-6, 24] == pytest.approx(-5, abs=0.5)
    head = Topography()
    qtbot.addWidget(head)
    head.show_values(("E1", "E2"), np.zeros(2), 1.0, "")
    assert head.image is None  # places are not known


def test_ticks_are_round() -> None:
    assert ticks(-0.1, 0.8) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])
    assert ticks(1, 65) == [20.0, 40.0, 60.0]
    assert len(ticks(0, 100)) <= 7


@pytest.mark.parametrize("about", [1, 2, 3, 5])
def test_a_low_plot_has_fewer_figures_beside_its_axis(about: int) -> None:
    for low, high in ((-17.3, 4.1), (0.0, 100.0), (-2e-3, 9e-3), (3.0, 3.9)):
        assert len(ticks(low, high, about)) <= about + 2
