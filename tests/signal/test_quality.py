"""Channels without EEG are told from those with some."""

from __future__ import annotations

import numpy as np

from bci_live.signal.quality import FaultMeter, dead_channels, faults, in_words


def test_flat_railed_and_broken_channels_are_named_and_sound_ones_are_not() -> None:
    noise = np.random.default_rng(0).normal(0, 15, (250, 5)).astype(np.float32)
    noise[:, 1] = 3.0
    noise[:, 2] = (40 * noise[:, 2]).clip(-500, 500)
    noise[100, 3] = np.nan
    found = faults(noise, ("Cz", "loose", "saturated", "broken", "Oz"))
    assert found == {"loose": "flat", "saturated": "railed", "broken": "NaN"}
    assert faults(noise[:0], ("Cz", "loose", "saturated", "broken", "Oz")) == {}


def test_coarse_steps_of_a_converter_are_no_rail() -> None:
    coarse = np.round(np.random.default_rng(1).normal(0, 8, (256, 1)) / 0.488).astype(np.float32) * 0.488
    assert faults(coarse, ("TP9",)) == {}


def test_neither_the_crests_of_a_coarse_sine_nor_a_slow_stream_are_a_rail() -> None:
    seconds = np.arange(500) / 500
    sine = np.round(np.sin(2 * np.pi * 10 * seconds)[:, None] * 5 / 0.488).astype(np.float32) * 0.488
    assert (sine == sine.max()).mean() > 0.05  # what a rail is suspected of
    assert faults(sine, ("O1",)) == {}
    assert faults(np.float32([[3], [-2], [9], [4], [1]]), ("O1",)) == {}


def test_a_signal_between_two_limits_is_railed() -> None:
    square = np.where(np.arange(200) // 20 % 2, 999.512, -1000.0).astype(np.float32)[:, None]
    assert faults(square, ("TP9",)) == {"TP9": "railed"}


def test_faults_are_told_in_words() -> None:
    assert in_words({"Oz": "flat", "Fz": "railed"}) == "Oz is flat, Fz is at its amplifier's limit"
    five: dict[str, str] = dict.fromkeys("ABCDE", "flat")
    assert in_words(five) == "A is flat, B is flat, C is flat and 2 others"  # type: ignore[arg-type]


def test_it_is_added_up_for_how_long_a_channel_was_at_fault() -> None:
    meter, noise = FaultMeter(("Fz", "Oz"), 100.0), np.random.default_rng(0).normal(0, 10, (100, 2)).astype(np.float32)
    flat, broken = noise.copy(), noise.copy()
    flat[:, 1], broken[50, 1] = 7.0, np.nan
    for block in (noise, flat, noise, flat, flat, broken):
        meter.add(block)
    assert meter.times.keys() == {"Oz"}
    oz = meter.times["Oz"]
    assert (oz.seconds, oz.now, oz.lasting_s) == ({"flat": 3.0, "NaN": 1.0}, "NaN", 3.0)
    assert (oz.total_s, oz.mostly, meter.watched_s) == (4.0, "flat", 6.0)
    meter.add(noise)
    assert (meter.times["Oz"].now, meter.times["Oz"].lasting_s) == (None, 0.0)


def test_dead_is_what_is_at_fault_for_most_of_a_recording() -> None:
    samples = np.random.default_rng(0).normal(0, 10, (1000, 3)).astype(np.float32)
    samples[:450, 1], samples[300:, 2] = 0.0, 0.0
    assert dead_channels(samples, ("Fz", "Cz", "Oz"), 100.0) == {"Oz": "flat"}
    assert dead_channels(samples[:40], ("Fz", "Cz", "Oz"), 100.0) == {"Cz": "flat"}
