"""Whether what comes back under a stream's name is the stream that went."""

from __future__ import annotations

import pylsl

_LOOK_S = 0.5


class ReturnWatch:
    """Knows a stream, and looks at what answers under its name after a silence.

    liblsl takes a restarted outlet back by its source id, also when it has another rate by now: every stamp and filter
    would be wrong then. Another number of channels it does not take back, and does not say so.
    """

    def __init__(self, info: pylsl.StreamInfo) -> None:
        self._info = info

    def refusal(self) -> str:
        """Why what is there now is not the stream that was there, in a sentence; empty when it is, or nothing answers."""
        wanted = self._info
        there = [it for it in pylsl.resolve_byprop("name", wanted.name(), 1, _LOOK_S) if it.type() == wanted.type()]
        if not there or any(_alike(it, wanted) for it in there):
            return ""
        found = there[0]
        if found.source_id() != wanted.source_id():
            what = f"from another source ('{found.source_id()}', not '{wanted.source_id()}')"
        else:
            what = f"as {_shape(found)} instead of {_shape(wanted)}"
        return (
            f"The stream '{wanted.name()}' has come back {what}. It is not taken, because it would be misread: start the "
            "program again to use it, or the sender as it was."
        )


def _alike(one: pylsl.StreamInfo, other: pylsl.StreamInfo) -> bool:
    return _key(one) == _key(other)


def _key(info: pylsl.StreamInfo) -> tuple[str, int, float, int]:
    return info.source_id(), info.channel_count(), info.nominal_srate(), info.channel_format()


def _shape(info: pylsl.StreamInfo) -> str:
    return f"{info.channel_count()} channels at {info.nominal_srate():g} Hz"
