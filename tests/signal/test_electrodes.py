"""What is said of electrodes, where they lie, and whether alpha waves were there."""

from __future__ import annotations

import mne
import numpy as np

from bci_live.signal.alpha import AlphaVerdict, alpha_verdict
from bci_live.signal.electrodes import Light, judge
from bci_live.signal.positions import position

RATE, NAMES = 250.0, ("Fz", "Cz", "Pz", "Oz", "C3", "C4")
TIMES = np.arange(1000) / RATE


def head(seed: int = 0) -> np.ndarray:
    """Six electrodes that share half of what they see, (1000, 6), µV."""
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 8, (1000, 1)) + rng.normal(0, 5, (1000, 6))).astype(np.float32)


def lights(samples: np.ndarray) -> dict[str, tuple[Light, str]]:
    return {it.name: (it.light, "; ".join(it.why)) for it in judge(samples, RATE, NAMES)}


def test_sound_electrodes_are_green() -> None:
    assert set(lights(head()).values()) == {(Light.GREEN, "")}


def test_each_fault_is_named_and_the_others_stay_green() -> None:
    samples = head()
    samples[:, 0] = 3.0
    samples[:, 1] = np.where(np.arange(1000) % 2, 1e5, -1e5)
    samples[:, 2] += 40 * np.sin(2 * np.pi * 50 * TIMES)
    samples[:, 3] *= 20
    told = lights(samples)
    assert told["Fz"] == (Light.RED, "flat")
    assert told["Cz"] == (Light.RED, "railed")
    assert told["Pz"][0] >= Light.YELLOW
    assert "line noise" in told["Pz"][1]
    assert "at 50 Hz" in told["Pz"][1]
    assert "variance" in told["Oz"][1]
    assert told["C3"] == told["C4"] == (Light.GREEN, "")


def test_an_electrode_that_sees_nothing_of_the_head_or_is_joined_to_another_is_doubtful() -> None:
    samples = head()
    samples[:, 0] = np.random.default_rng(5).normal(0, 9, 1000)
    samples[:, 5] = samples[:, 4]
    told = lights(samples)
    assert told["Fz"][0] == Light.YELLOW
    assert "correlation" in told["Fz"][1]
    assert "bridged with C3" in told["C4"][1]


def test_60_hz_is_looked_for_where_it_is_mains() -> None:
    samples = head()
    samples[:, 2] += 60 * np.sin(2 * np.pi * 60 * TIMES)
    assert judge(samples, RATE, NAMES)[2].light == Light.GREEN
    assert "at 60 Hz" in judge(samples, RATE, NAMES, mains_hz=60.0)[2].why[0]


def test_nothing_is_said_of_less_than_a_second() -> None:
    assert judge(head()[:200], RATE, NAMES) == ()


def test_places_are_those_of_the_10_10_system() -> None:
    """In the directions, from Cz, in which MNE has them on a real head, and in the order of their distances."""
    measured = mne.channels.make_standard_montage("colin27_1020").get_positions()["ch_pos"]
    names = ("Fp1", "F7", "F3", "Fz", "FC5", "T7", "C3", "CP2", "P8", "PO4", "O2", "Oz")
    known = np.array([measured[name][:2] - measured["Cz"][:2] for name in names])
    ours = np.array([position(name) for name in names])
    turned = np.angle((ours @ [1, 1j]) / (known @ [1, 1j]), deg=True)
    assert np.abs(turned).max() < 20
    assert np.corrcoef(np.hypot(*ours.T), np.hypot(*known.T))[0, 1] > 0.85


def test_names_are_read_in_any_spelling_and_strange_ones_have_no_place() -> None:
    assert position("cz") == position("EEG Cz-REF") == (0.0, 0.0)
    assert position("T3") == position("T7")
    assert position("TP9") == position("M1")
    for name in ("E17", "", "../x", "C99", "Right AUX"):
        assert position(name) is None


def waves(alpha_uv: float, seed: int) -> np.ndarray:
    times = np.arange(int(13 * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(0, 10, (len(times), 6))
    at_back = np.array([0, 0, 1, 1, 0, 0])
    return (noise + alpha_uv * np.sin(2 * np.pi * 10 * times)[:, None] * at_back).astype(np.float32)


def test_alpha_is_seen_where_closing_the_eyes_makes_it() -> None:
    verdict = alpha_verdict(waves(1, 0), waves(8, 1), RATE, NAMES)
    assert verdict.seen
    assert verdict.channels == ("Pz", "Oz")
    assert verdict.describe().startswith("Alpha seen")


def test_noise_alone_is_no_alpha_and_louder_noise_neither() -> None:
    for scale in (1.0, 5.0):
        verdict = alpha_verdict(waves(0, 0), scale * waves(0, 1), RATE, NAMES)
        assert not verdict.seen
        assert "reference" in verdict.describe()


def test_a_ratio_below_the_limit_is_not_rounded_up_to_it() -> None:
    assert "1.49 × with closed eyes, less than 1.5" in AlphaVerdict(1.4996, 3.0, ("Oz",)).describe()
