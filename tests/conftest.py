"""Keeps LSL on this machine: the configuration must stand before anything imports pylsl.

The ports are not LSL's usual ones, so that a window or a headset that runs beside the tests is neither heard nor in the
way: while an inlet waits for its sender to come back, liblsl looks for it from up to 28 ports, and there are usually 32.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_folder = tempfile.mkdtemp(prefix="bci-live-tests-")
_file = Path(_folder) / "lsl_api.cfg"
_file.write_text(
    "[ports]\nIPv6 = disable\nMulticastPort = 17571\nBasePort = 17572\nPortRange = 128\n"
    "[multicast]\nResolveScope = machine\n[lab]\nKnownPeers = {127.0.0.1}\n"
)
os.environ["LSLAPICFG"] = str(_file)
os.environ["XDG_CONFIG_HOME"] = _folder  # what the window remembers is not the tester's
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
