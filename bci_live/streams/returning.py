"""Whether what comes back under a stream's name is the stream that went, and whether it is there at all."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pylsl

from bci_live.streams.discovery import facts
from bci_live.types import StreamFacts

# A sender that has just come back answers well within it, also on a busy machine; liblsl holds its samples meanwhile.
_LOOK_S = 4.0
_LOOK_EVERY_S = 2.0
_SILENCE_S = 1.0
_MOST_LISTED = 8


class ReturnWatch:
    """Knows a stream, and looks at what answers under its name when it has come back, and while nothing comes.

    liblsl takes a restarted outlet back by its source id, also when it has another rate by now: every stamp and filter
    would be wrong then. Another number of channels it does not take back, and does not say so. A sender that only paused
    is the same one still: `was_clock_reset` tells the two apart, at the first sample that comes of a new outlet.
    """

    def __init__(self, info: pylsl.StreamInfo, inlet: pylsl.StreamInlet, known: StreamFacts) -> None:
        self._info, self._inlet, self._known = info, inlet, known
        self._heard = self._looked = time.monotonic()
        self._refused = ""
        self._instead = ""
        self._asking: pylsl.ContinuousResolver | None = None
        self.gone = 0

    @property
    def refused(self) -> str:
        """Why what comes is not to be taken, in a sentence; empty while it is."""
        return self._refused

    @property
    def error(self) -> str:
        """Why it is not taken, or what is there in its stead while nothing comes; empty while all is well."""
        return self._refused or self._instead

    @property
    def silent_s(self) -> float:
        """For how long nothing has come."""
        return time.monotonic() - self._heard

    def heed(self, came: bool, looks_in_silence_s: float = _SILENCE_S) -> bool:
        """Call after every pull; `came`: whether it brought something. Whether that is of an outlet that was started anew.

        What comes of a new outlet waits until it is known what it is. In silence nothing waits: liblsl asks on its own.
        """
        now = time.monotonic()
        returned = came and self._inlet.was_clock_reset()
        if returned or (came and self._refused and now - self._looked > _LOOK_EVERY_S):
            self._refused = self._refusal()
            self._looked = time.monotonic()
        if came:
            self._heard, self._instead, self.gone = time.monotonic(), "", 0
            self._asking = None
        elif self._asking is None and now - self._heard > looks_in_silence_s:
            self._asking, self._looked = pylsl.ContinuousResolver(pred=_of_its_name(self._info)), now
        elif self._asking is not None and now - self._looked > _LOOK_EVERY_S:
            self._judge_silence(self._asking.results())
            self._looked = now
        return returned

    def close(self) -> None:
        """Ask no more."""
        self._asking = None

    def _refusal(self) -> str:
        wanted = self._info
        query = f"{_of_its_name(wanted)} and source_id={_quoted(wanted.source_id())}"
        own = pylsl.resolve_bypred(query, 1, _LOOK_S)
        alike = next((it for it in own if _shape(it) == _shape(wanted)), None)
        if own and alike is None:
            return _other_shape(wanted, own[0])
        described = self._described(alike) if alike else None
        if described is None:  # liblsl takes nothing else back than this source, but it does not say what it is now
            return f"The stream '{wanted.name()}' has come back, but does not say as what. It is asked again."
        for what, now, before in (
            ("the channels", described.channels, self._known.channels),
            ("the units", described.units, self._known.units),
            ("the types of channel", described.types, self._known.types),
        ):
            if now != before:
                return _sentence(wanted, f"with {what} {_listed(now)} instead of {_listed(before)}")
        return ""

    def _described(self, info: pylsl.StreamInfo) -> StreamFacts | None:
        """What an outlet that answered tells of its channels; None when it does not answer any more."""
        inlet = pylsl.StreamInlet(info, max_buflen=1, recover=False)
        try:
            return facts(inlet.info(timeout=_LOOK_S))
        except (TimeoutError, pylsl.util.TimeoutError, pylsl.util.LostError):
            return None

    def _judge_silence(self, found: Sequence[pylsl.StreamInfo]) -> None:
        """Who answers while nothing comes: the stream itself, in another shape, a stranger of its name, or nobody."""
        wanted = self._info
        own = [it for it in found if it.source_id() == wanted.source_id()]
        self.gone = 0 if own else self.gone + 1
        if own:
            alike = any(_shape(it) == _shape(wanted) for it in own)
            self._instead = "" if alike else _other_shape(wanted, own[0])
        elif found:
            how = f"from another source ('{found[0].source_id()}', not '{wanted.source_id()}')"
            self._instead = _sentence(wanted, how)
        else:
            self._instead = ""


def _other_shape(wanted: pylsl.StreamInfo, found: pylsl.StreamInfo) -> str:
    return _sentence(wanted, f"as {_described(found)} instead of {_described(wanted)}")


def _sentence(wanted: pylsl.StreamInfo, how: str) -> str:
    return (
        f"The stream '{wanted.name()}' has come back {how}. It is not taken, because it would be misread: start the "
        "program again to use it, or the sender as it was."
    )


def _of_its_name(info: pylsl.StreamInfo) -> str:
    return f"name={_quoted(info.name())} and type={_quoted(info.type())}"


def _shape(info: pylsl.StreamInfo) -> tuple[int, float, int]:
    return info.channel_count(), info.nominal_srate(), info.channel_format()


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(word or "(none)" for word in words[:_MOST_LISTED]) + (", …" if len(words) > _MOST_LISTED else "")


def _described(info: pylsl.StreamInfo) -> str:
    return f"{info.channel_count()} channels at {info.nominal_srate():g} Hz"


def _quoted(text: str) -> str:
    return f"'{text}'" if "'" not in text else f'"{text}"'
