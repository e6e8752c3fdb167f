"""The XML in an XDF file: what the file, a stream's header and its footer say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from bci_live.types import StreamFacts

# XML 1.0 has no way to write these, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def file_header() -> ET.Element:
    """The version of the format, and now."""
    info = ET.Element("info")
    _child(info, "version", "1.0")
    _child(info, "datetime", datetime.now(UTC).astimezone().isoformat(timespec="seconds"))
    return info


def _child(parent: ET.Element, tag: str, text: str = "") -> ET.Element:
    element = ET.SubElement(parent, tag)
    element.text = _NOT_XML.sub("", text)
    return element


def xml(element: ET.Element) -> bytes:
    """The bytes that go into a chunk."""
    text: bytes = ET.tostring(element, encoding="utf-8", xml_declaration=True)
    return text


def stream_header(facts: StreamFacts, channel_format: str) -> ET.Element:
    """The stream's description, under the names that LSL gives them."""
    info = ET.Element("info")
    _child(info, "name", facts.name)
    _child(info, "type", facts.kind)
    _child(info, "channel_count", str(len(facts.channels)))
    _child(info, "nominal_srate", repr(float(facts.rate)))
    _child(info, "channel_format", channel_format)
    _child(info, "source_id", facts.source_id)
    _child(info, "hostname", facts.host)
    _child(info, "uid", facts.uid)
    desc = _child(info, "desc")
    channels = _child(desc, "channels")
    for label, unit, type_ in zip(facts.channels, facts.units, facts.channel_types, strict=True):
        channel = _child(channels, "channel")
        _child(channel, "label", label)
        _child(channel, "unit", unit)
        _child(channel, "type", type_.upper())
    for flag in ("replay", "simulated"):
        if getattr(facts, flag):
            _child(desc, flag, "true")
    if facts.head:
        _child(desc, "head", facts.head)
    return info


def stream_footer(count: int, first: float | None, last: float | None) -> ET.Element:
    """What a stream has become: how many samples, the stamps of the first and the last.

    The clock offsets stand in chunks of their own, from which every reader takes them. Told here again, as the format
    allows, they would make the footer grow by the hour, beyond the room that is kept for it on the disk.
    """
    info = ET.Element("info")
    if first is not None and last is not None:
        _child(info, "first_timestamp", repr(first))
        _child(info, "last_timestamp", repr(last))
    _child(info, "sample_count", str(count))
    return info
