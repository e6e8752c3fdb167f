"""How punctual a replay is: by how much each push came after its moment, and whether that grows.

`python benchmarks/replay.py [--file recordings/demo.xdf] [--minutes 10]` prints one JSON line. Deadlines are absolute, so that a drift
would show as lateness that grows.
"""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path

import numpy as np
import pylsl

from bci_live.sessions.recording import read_recording
from bci_live.sessions.replay import OnProgress, Replay
from bci_live.sessions.transport import Transport


class TimedReplay(Replay):
    """Notes the lateness of every push, s."""

    late: list[float]

    def _wait_until(self, due: float, stop: threading.Event, on_progress: OnProgress | None) -> bool:
        came = super()._wait_until(due, stop, on_progress)
        if came:
            self.late.append(pylsl.local_clock() - self._begin - due)
        return came


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=Path("recordings/demo.xdf"))
    parser.add_argument("--minutes", type=float, default=10.0)
    arguments = parser.parse_args()
    replay = TimedReplay(read_recording(arguments.file), transport=Transport(loop=True), source_id="bench-replay")
    replay.late = []
    stop = threading.Event()
    threading.Timer(60 * arguments.minutes, stop.set).start()
    replay.run(stop)
    late = 1e3 * np.array(replay.late)
    tenth = max(1, len(late) // 10)
    print(
        json.dumps(
            {
                "pushes": len(late),
                "late_ms_median": round(float(np.median(late)), 3),
                "late_ms_p95": round(float(np.percentile(late, 95)), 3),
                "late_ms_p999": round(float(np.percentile(late, 99.9)), 3),
                "late_ms_max": round(float(late.max()), 3),
                "beyond_2_ms": int((late > 2).sum()),
                "drift_ms": round(float(np.median(late[-tenth:]) - np.median(late[:tenth])), 3),
            }
        )
    )


if __name__ == "__main__":
    main()
