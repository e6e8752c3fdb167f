"""How much a recorder that is killed has lost: `kill -9` at random moments of a recording.

`python benchmarks/kills.py [--times 20]` prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pylsl
import pyxdf

from bci_live.evaluation.streaming.sender import SenderPlan
from bci_live.streams.lsl_config import configure_lsl

RATE = 500.0


def lost_after_a_kill(plan: SenderPlan, after_s: float) -> tuple[float, int]:
    """Kill a recording of the sender's stream `after_s` s after its file has samples; s lost, and samples missing in the file."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bci_live", "record", "--out", folder, "--stream", plan.eeg_name()]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while not any(path.stat().st_size > 10_000 for path in Path(folder).rglob("*.xdf")):
            time.sleep(0.01)
        time.sleep(after_s)
        killed = pylsl.local_clock()
        process.kill()
        process.wait()
        (path,) = Path(folder).rglob("*.xdf")
        (stream,), _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
        counts = stream["time_series"][:, 0]
        return killed - stream["time_stamps"][-1], int(counts[-1] - counts[0]) + 1 - len(counts)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    arguments = parser.parse_args()
    configure_lsl()
    plan = SenderPlan(f"kills-{uuid.uuid4()}", 32, RATE, 10, 10_000, 1, pylsl.local_clock() + 1)
    sender = subprocess.Popen(plan.arguments())
    moments = random.Random(0)
    try:
        results = [lost_after_a_kill(plan, moments.uniform(0, 2)) for _ in range(arguments.times)]
    finally:
        sender.kill()
    lost = sorted(seconds for seconds, _ in results)
    print(
        json.dumps(
            {
                "kills": len(lost),
                "lost_s_median": round(lost[len(lost) // 2], 3),
                "lost_s_max": round(lost[-1], 3),
                "samples_missing_before": sum(missing for _, missing in results),
            }
        )
    )


if __name__ == "__main__":
    main()
