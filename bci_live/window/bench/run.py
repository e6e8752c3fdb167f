"""Runs the benchmark: starts the sender, then our window and the peer's on it, one after the other."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from typing import Any

from bci_live.errors import BciError
from bci_live.window.display import check_display

# The decoder that runs meanwhile wants so many channels.
FEWEST = 32
_START_S = 180.0


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
                figures[which] = _screen([which, source, str(channels), str(seconds)], seconds)
        finally:
            process.kill()
    return figures


def _screen(arguments: list[str], seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "bci_live.window.bench.screen", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + _START_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise BciError(f"The window did not end within {seconds + _START_S:g} s. Is the machine busy?") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BciError(f"The window '{arguments[0]}' failed: {reason}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures
