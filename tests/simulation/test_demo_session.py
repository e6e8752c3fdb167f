"""The session that ships."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import pyxdf
from scipy.signal import butter, sosfiltfilt

from bci_live.sessions.recording import read_recording
from bci_live.simulation.head import SimulatedHead
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import Layout, layout_to_dict
from bci_live.stimuli.truth import stimulus_of
from bci_live.training.demo import DEMO_SEED, TRAINING_SEED, TRAINING_STIMULI, demo_head, draw_stimuli, make_session

DEMO = Path(__file__).resolve().parents[2] / "recordings" / "demo.xdf"


@pytest.fixture(scope="module")
def head() -> SimulatedHead:
    return demo_head(load_catalogue("objects"))


def test_it_has_100_stimuli_of_40_labels_with_layouts_and_says_that_it_is_simulated() -> None:
    recording = read_recording(DEMO)
    catalogue = load_catalogue("objects")
    assert DEMO.stat().st_size <= 10_000_000
    assert recording.facts.simulated
    assert len(recording.markers) == 100
    assert {marker.label for marker in recording.markers} == set(catalogue.labels)
    assert all('"layout"' in marker.detail for marker in recording.markers)
    pictures = [stimulus_of(marker, catalogue, 64) for marker in recording.markers]
    assert all(picture is not None and picture.shape == (64, 64, 3) for picture in pictures)


def test_pyxdf_reads_it_without_a_warning_and_both_streams_are_on_one_clock(caplog: pytest.LogCaptureFixture) -> None:
    streams, _ = pyxdf.load_xdf(DEMO)
    assert not caplog.records
    assert [stream["clock_values"] for stream in streams] == [[0.0], [0.0]]


def test_its_stimuli_are_held_out_of_the_training_sessions() -> None:
    shown = {marker.detail for marker in read_recording(DEMO).markers}
    catalogue = load_catalogue("objects")
    _, again = draw_stimuli(catalogue, 100, np.random.default_rng(DEMO_SEED))
    assert shown == {told(layout) for layout in again}
    for index in range(12):  # the twelve sessions that the decoder is trained on
        _, layouts = draw_stimuli(catalogue, TRAINING_STIMULI, np.random.default_rng(TRAINING_SEED + index))
        assert not shown & {told(layout) for layout in layouts}


def told(layout: Layout) -> str:
    return json.dumps({"layout": layout_to_dict(layout)})


def test_the_code_makes_the_session_that_ships(head: SimulatedHead, tmp_path: Path) -> None:
    shipped = read_recording(DEMO)
    made = make_session(tmp_path / "again.xdf", head, load_catalogue("objects"), 100, 1.5, DEMO_SEED)
    assert read_recording(tmp_path / "again.xdf").markers == shipped.markers
    # Another machine's linear algebra may round differently, hence not bit by bit: 0.9999 means the very same session.
    assert np.corrcoef(made.samples.ravel(), shipped.samples.ravel())[0, 1] > 0.9999


def test_its_largest_slow_deflections_are_blinks_above_the_eyes() -> None:
    recording = read_recording(DEMO)
    slow = sosfiltfilt(
        butter(2, (0.5, 5), "bandpass", fs=recording.facts.rate, output="sos"), recording.samples, axis=0
    )
    largest = [recording.facts.channels[channel] for channel in np.argsort(slow.max(axis=0))[-2:]]
    assert set(largest) == {"Fp1", "Fp2"}
