"""The simulated head: responses where and when a visual response is, in a background as real EEG has it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from bci_live.simulation.background import blink_topography
from bci_live.simulation.conduction import CHANNELS
from bci_live.simulation.head import SimulatedHead
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import Layout, random_layout, render


def pictures_of(n_labels: int, each: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    catalogue, rng = load_catalogue("objects"), np.random.default_rng(seed)
    classes = np.repeat(np.arange(n_labels), each)
    return np.stack([render(catalogue.picture(catalogue.labels[c]), random_layout(rng), 64) for c in classes]), classes


@pytest.fixture(scope="module")
def head() -> SimulatedHead:
    return SimulatedHead.build(*pictures_of(6, 12, 0))


def strongest(response: np.ndarray, rate: float, start_s: float, stop_s: float) -> tuple[str, float]:
    """Electrode and time of the largest value of (channels, times) between two times, s."""
    part = np.abs(response[:, round(start_s * rate) : round(stop_s * rate)])
    channel, time = np.unravel_index(part.argmax(), part.shape)
    return CHANNELS[channel], start_s + time / rate


def test_the_first_response_is_at_the_back_before_100_ms(head: SimulatedHead) -> None:
    mean = np.tensordot(np.ones(len(head.early)), head.early, 1)
    electrode, time = strongest(mean, head.rate, 0.0, 0.13)
    assert electrode in {"O1", "Oz", "O2", "PO7", "PO8", "PO3", "PO4"}
    assert 0.065 <= time <= 0.11


def test_the_c1_turns_its_sign_between_the_upper_and_the_lower_field(head: SimulatedHead) -> None:
    ball = load_catalogue("objects").picture("pool")
    upper, lower = head.respond(np.stack([render(ball, Layout(y=y, size=0.3), 64) for y in (0.2, 0.8)]))
    back, time = [CHANNELS.index(name) for name in ("Pz", "CP1", "CP2")], round(0.072 * head.rate)
    assert upper[back, time].mean() < 0 < lower[back, time].mean()


def test_where_the_object_is_changes_the_signal(head: SimulatedHead) -> None:
    ball = load_catalogue("objects").picture("pool")
    left, right = (render(ball, Layout(x=x, size=0.4), 64) for x in (0.25, 0.75))
    responses = head.respond(np.stack([left, right]))
    first = responses[:, :, round(0.09 * head.rate) : round(0.13 * head.rate)]
    left_back, right_back = CHANNELS.index("PO7"), CHANNELS.index("PO8")
    # Left field to the right hemisphere: the response moves across when the object does.
    side = np.abs(first[:, right_back]).max(axis=1) - np.abs(first[:, left_back]).max(axis=1)
    assert side[0] > side[1]


def test_the_response_is_some_microvolts_and_the_background_larger(head: SimulatedHead) -> None:
    pictures, _ = pictures_of(6, 20, 9)
    strength = np.sqrt((head.respond(pictures) ** 2).mean(axis=0)).max(axis=1)
    assert 4 < strength.max() < 6.5
    quiet = head.watch(pictures[:0], np.zeros(0), 60, np.random.default_rng(0))
    assert 6 < quiet.std(axis=0).mean() < 9
    assert quiet.std(axis=0)[strength.argmax()] > 6  # there, too, where the response is largest
    assert quiet.dtype == np.float32


def test_the_background_has_alpha_line_noise_and_a_spectrum_that_falls(head: SimulatedHead) -> None:
    samples = head.watch(np.zeros((0, 64, 64, 3), np.uint8), np.zeros(0), 60, np.random.default_rng(1))
    frequency, power = welch(samples[:, CHANNELS.index("Oz")], head.rate, nperseg=1000)

    def at(hertz: float) -> float:
        return float(power[np.abs(frequency - hertz) <= 0.5].mean())

    assert at(10) > 2 * at(16)
    assert at(50) > 3 * at(45)
    assert at(2) > 3 * at(20)


def test_blinks_are_frontal() -> None:
    strength = dict(zip(CHANNELS, np.abs(blink_topography()), strict=True))
    assert max(strength, key=lambda name: strength[name]) in {"Fp1", "Fp2"}
    assert strength["Oz"] < 0.35 * strength["Fp1"]


def test_the_same_seed_gives_the_same_eeg(head: SimulatedHead) -> None:
    pictures, _ = pictures_of(3, 1, 5)
    first, again, other = (
        head.watch(pictures, np.array([1.0, 2.0, 3.0]), 4, np.random.default_rng(s)) for s in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
