"""Runs the benchmark: starts the sender, then our window and the peer's on it, one after the other."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable
from typing import Any

from bci_live.errors import BciError
from bci_live.evaluation.streaming.measuring import measured_by
from bci_live.window.display import check_display

# The decoder that runs meanwhile wants so many channels.
FEWEST = 32
_START_S = 180.0
_SCREEN = "bci_live.window.bench.screen"


def bench_window(
    *, channels: int, rate: float, seconds: float, peer: bool, tell: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Frames a second, ms from frame to frame, age of what is drawn, processor share: `{"ours": …, "peer": …}`.

    Raises
    ------
    BciError
        If there are too few channels for the decoder, no display, or a window failed.
    """
    if channels < FEWEST:
        raise BciError(
            f"{channels} channels are too few: the demo's decoder, which runs meanwhile, reads {FEWEST}. "
            f"Take --channels {FEWEST} or more."
        )
    check_display()
    source = f"bench-{uuid.uuid4()}"
    sender = [sys.executable, "-m", "bci_live.window.bench.sender", source, str(channels), str(rate)]
    figures: dict[str, Any] = {}
    with subprocess.Popen(sender) as process:
        try:
            for which in ("ours", "peer") if peer else ("ours",):
                tell(f"{'Our window' if which == 'ours' else 'Plain items'}, {seconds:g} s after loading …")
                arguments = [which, source, str(channels), str(seconds)]
                figures[which] = measured_by(_SCREEN, arguments, seconds + _START_S, f"The window '{which}'")
        finally:
            process.kill()
    return figures
