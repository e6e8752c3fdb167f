"""The demo: the bundled session of a simulated head, shown in the window or, without a display, written to files."""

from __future__ import annotations

import os
import sys
from datetime import datetime

from bci_live.config import bundled

DEMO_RECORDING, DEMO_DECODER = "recordings/demo.xdf", "models/decoder-demo"
# Platform plugins of Qt that draw without an X or Wayland display.
_WITHOUT_DISPLAY = ("offscreen", "vnc", "eglfs", "linuxfb", "minimal")


def has_display() -> bool:
    """Whether a window can be opened: on Linux an X or Wayland display is needed, or a Qt platform that needs none."""
    if not sys.platform.startswith("linux"):
        return True
    platform = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    return platform in _WITHOUT_DISPLAY or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def demo_arguments() -> list[str]:
    """What `bci-live live` is called with for the demo; says so on stderr when there is no display."""
    replay = ["--replay", str(bundled(DEMO_RECORDING)), "--decoder", str(bundled(DEMO_DECODER))]
    if has_display():
        return [*replay, "--loop"]
    out = f"live-output/demo-{datetime.now():%Y%m%d-%H%M%S}"
    said = f"No display (DISPLAY and WAYLAND_DISPLAY are not set): running headless to the session's end, into {out}\n"
    sys.stderr.write(said)
    return [*replay, "--headless", "--out", out]
