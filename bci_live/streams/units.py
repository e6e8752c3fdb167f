"""The units that senders write beside their channels."""

from __future__ import annotations

_MICROVOLTS = {"v": 1e6, "volt": 1e6, "volts": 1e6, "mv": 1e3, "millivolt": 1e3, "millivolts": 1e3}


def microvolts_per(unit: str) -> float:
    """What makes µV of a value in `unit`; EEG without a unit, or with one that is not known, is taken for µV."""
    return _MICROVOLTS.get(unit.lower(), 1.0)
