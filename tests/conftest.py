"""Keeps LSL on this machine: the configuration must stand before anything imports pylsl."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_folder = tempfile.mkdtemp(prefix="bci-live-tests-")
_file = Path(_folder) / "lsl_api.cfg"
_file.write_text("[ports]\nIPv6 = disable\n[multicast]\nResolveScope = machine\n[lab]\nKnownPeers = {127.0.0.1}\n")
os.environ["LSLAPICFG"] = str(_file)
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
