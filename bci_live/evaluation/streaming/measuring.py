"""A part of a benchmark in a process of its own, so that nothing else shares its interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from bci_live.errors import BciError


def measured_by(module: str, arguments: Sequence[str], timeout_s: float, who: str) -> dict[str, Any]:
    """Run a module of ours; the last line that it prints is its figures, in JSON.

    Raises
    ------
    BciError
        If `who` it is fails, or takes longer than `timeout_s`.
    """
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise BciError(f"{who} did not end within {timeout_s:g} s. Is the machine busy?") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BciError(f"{who} failed: {reason}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures
