"""Runs the benchmark: starts the sender, then one listener after the other on its outlets."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from bci_live.errors import BciError
from bci_live.evaluation.streaming.measuring import measured_by
from bci_live.evaluation.streaming.score import ListenerPlan
from bci_live.evaluation.streaming.sender import SenderPlan
from bci_live.streams.clock import local_clock

MARKER_EVERY_S = 0.7
# The sender is up by then.
_START_AFTER_S = 2.0
_START_S = 90.0
PEERS = ("mne-lsl",)


def bench_streaming(
    *,
    channels: int,
    rate: float,
    chunk: int,
    seconds: float,
    streams: int = 1,
    hog_s: float = 0.0,
    peer: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Overhead of epochs in ms, samples lost, processor share: `{"ours": …}`, and `"peer"` when one is asked for.

    Raises
    ------
    BciError
        If the peer is unknown or not installed, or a listener failed.
    """
    if channels < 2:
        raise BciError(f"{channels} channel is too few: the first two carry the counters. Take --channels 2 or more.")
    if peer is not None and peer not in PEERS:
        raise BciError(f"'{peer}' is no peer of this benchmark. Choose from: {', '.join(PEERS)}.")
    plan = SenderPlan(
        f"bench-{uuid.uuid4()}",
        channels,
        rate,
        chunk,
        round(MARKER_EVERY_S * rate),
        streams,
        local_clock() + _START_AFTER_S,
    )
    listen = ListenerPlan(plan, seconds, hog_s).to_json()
    with ExitStack() as stack:
        sender = stack.enter_context(subprocess.Popen(plan.arguments()))
        stack.callback(sender.kill)
        tell(f"Our listener, {seconds:g} s …")
        figures = {"ours": _listener("listener", listen, seconds)}
        if peer is not None:
            tell(f"{peer}, {seconds:g} s …")
            figures["peer"] = {"name": peer} | _listener("peer", listen, seconds)
    return figures


def _listener(module: str, plan: str, seconds: float) -> dict[str, Any]:
    name = f"bci_live.evaluation.streaming.{module}"
    return measured_by(name, [plan], seconds + _START_S, f"The listener '{module}'")
