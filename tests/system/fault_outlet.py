"""Run as a program: a headset in trouble. `NAME SCENARIO`; EEG whose first channel counts, a marker on every 125th sample.

Each marker tells the count of its sample. Stamps are of the device's clock, which is this machine's unless it steps.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pylsl

RATE, EVERY, BLOCK = 250.0, 125, 12
# When the trouble begins, s.
FROM_S = 5.0
# A burst comes at once; a flood, 5,000 a second, comes for so long, s.
BURST, FLOOD_S, A_SAMPLE = 5000, 3.0, 20
FLOOD = round(FLOOD_S * RATE) * A_SAMPLE


def sent(scenario: str, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Which of the samples arrive at all."""
    seconds = counts / RATE
    if scenario == "one second is lost":
        return (seconds < FROM_S) | (seconds >= FROM_S + 1)
    if scenario == "ten seconds are lost":
        return (seconds < FROM_S) | (seconds >= FROM_S + 10)
    if scenario == "every fifth packet is lost":
        lucky = np.random.default_rng(7).random(100_000) >= 0.2
        return (seconds < FROM_S) | lucky[counts // BLOCK]
    return np.ones(len(counts), dtype=bool)


def stamp_of(scenario: str, counts: np.ndarray, begin: float) -> np.ndarray:
    """What the device's clock says, s."""
    seconds = counts / RATE
    steps = {"the clock goes on 10 s": 10.0, "the clock goes back 10 s": -10.0, "the clock goes back 2 s": -2.0}
    step = steps.get(scenario, 0.0)
    drift = 1.0001 if scenario == "the clock drifts by 100 ppm" else 1.0
    return begin + seconds * drift + np.where(seconds >= FROM_S, step, 0.0)


def flood_until(scenario: str, sent: int) -> int:
    """How many markers of a flood, or of a burst, are to come before sample number `sent`."""
    since = sent - round(FROM_S * RATE)
    if scenario == "a flood of markers":
        return min(FLOOD, max(0, since) * A_SAMPLE)
    return BURST if scenario == "a burst of markers" and since > 0 else 0


def marker_outlet(name: str) -> pylsl.StreamOutlet:
    """Of strings."""
    return pylsl.StreamOutlet(pylsl.StreamInfo(f"{name}-m", "Markers", 1, 0, pylsl.cf_string, f"{name}-m"))


def main() -> None:
    """The command line."""
    name, scenario = sys.argv[1:]
    rng = np.random.default_rng(1)
    eeg = pylsl.StreamOutlet(pylsl.StreamInfo(name, "EEG", 2, RATE, pylsl.cf_float32, name))
    late = scenario == "the markers come late"
    markers = None if late else marker_outlet(name)
    while not (eeg.have_consumers() and (late or (markers and markers.have_consumers()))):
        time.sleep(0.01)
    begin, first, flooded = pylsl.local_clock(), 0, 0
    while True:
        until = int((pylsl.local_clock() - begin) * RATE) // BLOCK * BLOCK
        counts = np.arange(first, until)
        first = max(first, until)
        samples = np.stack([counts, rng.normal(0, 10, len(counts))], axis=1).astype(np.float32)
        if scenario == "a burst of NaN":
            samples[(counts / RATE > FROM_S) & (counts / RATE < FROM_S + 0.2), 1] = np.nan
        arrives, stamps = sent(scenario, counts, rng), stamp_of(scenario, counts, begin)
        for start in range(0, len(counts), BLOCK):
            part = np.flatnonzero(arrives[start : start + BLOCK]) + start
            if len(part):
                eeg.push_chunk(np.ascontiguousarray(samples[part]), stamps[part].tolist())
        if markers is None and first / RATE > FROM_S:
            markers = marker_outlet(name)
        for count, stamp in zip(counts.tolist(), stamps.tolist(), strict=True):
            if count % EVERY == 0 and markers is not None:
                markers.push_sample([json.dumps({"label": "dog", "count": count})], stamp)
        if markers is not None:
            for number in range(flooded, flood_until(scenario, first)):
                count = round(FROM_S * RATE) + (number // A_SAMPLE if scenario == "a flood of markers" else 0)
                markers.push_sample(
                    [json.dumps({"label": "dog", "count": count, "flood": number})],
                    begin + count / RATE + number % A_SAMPLE * 1e-5 + number * 1e-8,
                )
                flooded = number + 1
        time.sleep(0.01)


if __name__ == "__main__":
    main()
