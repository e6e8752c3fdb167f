"""Finds streams: asks continuously, because single passes of liblsl's resolving miss streams, some of them every time."""

from __future__ import annotations

import time
from collections.abc import Callable

import pylsl

from bci_live.errors import AbsentStreamError, StreamError
from bci_live.streams.kinds import why_no_eeg, why_no_markers
from bci_live.types import StreamFacts, channel_types

_POLL_S = 0.1
_ALL_S = 3.0
_SAME_NAME_S = 0.5
# Where what has the name does not fit, so long is waited for another one that has it, too.
_UNFIT_S = 2.0


def _never(_: list[pylsl.StreamInfo]) -> bool:
    return False


def find_streams(
    wait_s: float, enough: Callable[[list[pylsl.StreamInfo]], bool] = _never, settle_s: float = 0.0
) -> list[pylsl.StreamInfo]:
    """Every stream that answers within `wait_s`, or until those found have been `enough` for `settle_s`."""
    resolver = pylsl.ContinuousResolver()
    deadline = time.monotonic() + wait_s
    while True:
        time.sleep(_POLL_S)
        streams = list(resolver.results())
        now = time.monotonic()
        if enough(streams):
            # Others may be a moment slower to answer, but nobody waits longer for them than that.
            deadline, enough = now + settle_s, _never
        if now >= deadline:
            return streams


def find_eeg(name: str | None, wait_s: float, source_id: str | None = None) -> pylsl.StreamInfo:
    """The EEG stream called `name` (any, when there is only one), with `source_id` when that is given.

    Raises
    ------
    StreamError
        If there is no such stream, if it is not EEG, or if several answer; the sentence lists what there is.
    """
    return _find("EEG stream", "--stream", name, source_id, wait_s, _is_eeg)


def find_markers(name: str | None, wait_s: float, source_id: str | None = None) -> pylsl.StreamInfo:
    """The marker stream; like `find_eeg`. An `AbsentStreamError` says that it may still come."""
    return _find("marker stream", "--markers", name, source_id, wait_s, _is_markers)


def facts(info: pylsl.StreamInfo) -> StreamFacts:
    """What the stream says of itself. The description is only there once an inlet has fetched it (`inlet.info()`)."""
    labels, units, types = [], [], []
    channel = info.desc().child("channels").child("channel")
    for index in range(info.channel_count()):
        labels.append(channel.child_value("label") or f"ch{index + 1}")
        units.append(channel.child_value("unit"))
        types.append(channel.child_value("type"))
        channel = channel.next_sibling("channel")
    return StreamFacts(
        name=info.name(),
        kind=info.type(),
        source_id=info.source_id(),
        uid=info.uid(),
        host=info.hostname(),
        rate=info.nominal_srate(),
        channels=tuple(labels),
        units=tuple(units),
        replay=info.desc().child_value("replay") == "true",
        simulated=info.desc().child_value("simulated") == "true",
        head=info.desc().child_value("head"),
        types=channel_types(info.type(), types),
    )


def carries_eeg(info: pylsl.StreamInfo) -> bool:
    """Whether it is an EEG stream."""
    return _is_eeg(info) is None


def tells_markers(info: pylsl.StreamInfo) -> bool:
    """Whether it is a marker stream."""
    return _is_markers(info) is None


def _find(
    what: str,
    option: str,
    name: str | None,
    source_id: str | None,
    wait_s: float,
    fits: Callable[[pylsl.StreamInfo], str | None],
) -> pylsl.StreamInfo:
    def called(info: pylsl.StreamInfo) -> bool:
        return name in (None, info.name()) and source_id in (None, info.source_id())

    def fitting(streams: list[pylsl.StreamInfo]) -> list[pylsl.StreamInfo]:
        # Of those called so, too: a Muse sends four streams of one name and one source id.
        return [info for info in streams if called(info) and fits(info) is None]

    precise = name is not None or source_id is not None
    # Without a name all candidates must show up, or the first to answer would be taken for the only one.
    streams = find_streams(
        wait_s if precise else min(wait_s, _ALL_S),
        lambda seen: precise and any(map(called, seen)),
        settle_s=0.0 if source_id is not None else _SAME_NAME_S,
    )
    if not fitting(streams) and (not precise or any(map(called, streams))):
        streams = find_streams(_UNFIT_S if precise else wait_s, lambda seen: bool(fitting(seen)))
    candidates = fitting(streams) or [info for info in streams if precise and called(info)]
    there = (
        f"There are: {_listed(streams)}."
        if streams
        else "There is no LSL stream at all: is the headset's program streaming?"
    )
    if not candidates:
        which = f" named '{name}'" if name else f" of the source '{source_id}'" if source_id else ""
        raise AbsentStreamError(f"No {what}{which} was found within {wait_s:g} s. {there}")
    if len(candidates) > 1:
        alike = len({info.name() for info in candidates}) < len(candidates)
        raise StreamError(
            f"Several streams could be the {what}: {_listed(candidates, alike)}. {_way_out(candidates, option)}"
        )
    unfit = fits(candidates[0])
    if unfit:
        raise StreamError(f"The stream '{candidates[0].name()}' is no {what}: {unfit}. {there}")
    return candidates[0]


def _way_out(candidates: list[pylsl.StreamInfo], option: str) -> str:
    """How one of several is chosen, if there is a way."""
    if len({info.name() for info in candidates}) == len(candidates):
        return f"Name one with {option}."
    if len({(info.name(), info.source_id()) for info in candidates}) > 1:
        return f"Name one with {option}-id SOURCE."
    return (
        "They have the same name and the same source id, so that none of them can be named: end all but one, or start it "
        "with another source id (a replay with --source-id)."
    )


def _is_eeg(info: pylsl.StreamInfo) -> str | None:
    text = info.channel_format() == pylsl.cf_string
    return why_no_eeg(info.type(), info.nominal_srate(), info.channel_count(), text=text)


def _is_markers(info: pylsl.StreamInfo) -> str | None:
    return why_no_markers(info.type(), info.nominal_srate(), text=info.channel_format() == pylsl.cf_string)


def _listed(streams: list[pylsl.StreamInfo], with_source: bool = False) -> str:
    return ", ".join(
        f"'{info.name()}' ({info.type()}, {info.channel_count()} channels, {info.nominal_srate():g} Hz) on {info.hostname()}"
        + (f" from the source '{info.source_id()}'" if with_source else "")
        for info in streams
    )
