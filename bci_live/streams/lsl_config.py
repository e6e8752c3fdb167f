"""Makes streams on this very machine findable where multicast is not: in containers, on planes, behind firewalls."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

# The places that liblsl reads its configuration from, besides the variable.
_PLACES = (Path("lsl_api.cfg"), Path.home() / "lsl_api" / "lsl_api.cfg", Path("/etc/lsl_api/lsl_api.cfg"))
# liblsl writes "ERR Stream transmission broke off" whenever an outlet closes, as at every replay's end. What matters of it
# comes back as an exception or shows as a stale stream, so that of its own log only what is fatal (-3) is let through.
# An inlet whose sender is gone asks for it again and again, each time from a port of its own, kept open for 3 to 5 s: with
# EEG and markers 28 of the 32 ports in which outlets are looked for. One second is long for an answer, and takes 8.
_CONFIGURATION = (
    "[lab]\nKnownPeers = {127.0.0.1}\n[tuning]\nMulticastMaxRTT = 1.0\nUnicastMaxRTT = 1.0\n[log]\nlevel = -3\n"
)


def configure_lsl() -> None:
    """Name this machine as a peer, unless the user has an LSL configuration. Must run before pylsl is imported."""
    if os.environ.get("LSLAPICFG") or any(place.is_file() for place in _PLACES):
        return
    try:
        file = user_cache_path("bci_live", ensure_exists=True) / "lsl_api.cfg"
        if not file.is_file() or file.read_text() != _CONFIGURATION:
            file.write_text(_CONFIGURATION)
    except OSError:
        return  # without a place to write to, liblsl's own defaults hold: multicast alone
    os.environ["LSLAPICFG"] = str(file)
