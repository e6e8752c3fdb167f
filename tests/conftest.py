"""Keeps LSL on this machine: the configuration must stand before anything imports pylsl.

The ports are not LSL's usual ones, so that a window or a headset that runs beside the tests is neither heard nor in the
way: while an inlet waits for its sender to come back, liblsl looks for it from up to 28 ports, and there are usually 32.
Each of pytest-xdist's workers has ports of its own, so that no test hears the streams of the one beside it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

_folder = tempfile.mkdtemp(prefix="bci-live-tests-")
_file = Path(_folder) / "lsl_api.cfg"
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_port = 17571 + 200 * _worker
_file.write_text(
    f"[ports]\nIPv6 = disable\nMulticastPort = {_port}\nBasePort = {_port + 1}\nPortRange = 128\n"
    "[multicast]\nResolveScope = machine\n[lab]\nKnownPeers = {127.0.0.1}\n"
)
os.environ["LSLAPICFG"] = str(_file)
os.environ["XDG_CONFIG_HOME"] = _folder  # what the window remembers is not the tester's
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if "PYTEST_XDIST_WORKER" in os.environ:  # the workers' threads would wait for each other's
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that no worker is left with it at the end."""
    limits = {item: item.get_closest_marker("timeout") for item in items}
    items.sort(
        key=lambda item: (not item.get_closest_marker("system"), -(limit.args[0] if (limit := limits[item]) else 0))
    )
