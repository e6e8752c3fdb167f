"""Which of the recorded streams sent nothing so far, for the line that stands beside REC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bci_live.sessions.recorder import StreamProgress

# A stream's first sample may take so long; then it is told that none came.
_GRACE_S = 1.0
# A longer name would push what else the line tells off the screen.
_LONGEST = 24


def silence_text(streams: Sequence[StreamProgress], seconds: float) -> str:
    """ "no sample yet from 'Muse' and 1 more", `seconds` after the beginning; empty where each sent something."""
    silent = [it.name for it in streams if not it.samples] if seconds > _GRACE_S else []
    if not silent:
        return ""
    name = silent[0] if len(silent[0]) <= _LONGEST else f"{silent[0][: _LONGEST - 1]}…"
    return f"no sample yet from '{name}'" + (f" and {len(silent) - 1} more" if len(silent) > 1 else "")
