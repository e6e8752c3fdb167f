"""Outlets that say what they send: channel names, units, and whether it is a replay or a simulation."""

from __future__ import annotations

import pylsl

from bci_live.types import StreamFacts


def open_eeg_outlet(facts: StreamFacts, chunk: int = 0) -> pylsl.StreamOutlet:
    """An outlet of float32 samples; `chunk` is the preferred samples a push (0: the sender's own)."""
    return pylsl.StreamOutlet(_described(facts, pylsl.cf_float32), chunk)


def open_marker_outlet(facts: StreamFacts) -> pylsl.StreamOutlet:
    """An outlet of strings at no regular rate."""
    return pylsl.StreamOutlet(_described(facts, pylsl.cf_string))


def _described(facts: StreamFacts, value_format: int) -> pylsl.StreamInfo:
    rate = facts.rate or pylsl.IRREGULAR_RATE
    info = pylsl.StreamInfo(facts.name, facts.kind, len(facts.channels), rate, value_format, facts.source_id)
    description = info.desc()
    channels = description.append_child("channels")
    for label, unit, type_ in zip(facts.channels, facts.units, facts.channel_types, strict=True):
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit)
        channel.append_child_value("type", type_.upper())
    for flag in ("replay", "simulated"):
        if getattr(facts, flag):
            description.append_child_value(flag, "true")
    if facts.head:
        description.append_child_value("head", facts.head)
    return info
