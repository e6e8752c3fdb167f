"""Whether what comes back under a stream's name is the stream that went, and whether it is there at all."""

from __future__ import annotations

import time

import pylsl

_LOOK_S = 0.5
# After so long a silence it may be another stream that speaks; while it lasts, that is looked at so often.
_SILENCE_S = 0.5
_LOOK_EVERY_S = 2.0


class ReturnWatch:
    """Knows a stream, and looks at what answers under its name after a silence.

    liblsl takes a restarted outlet back by its source id, also when it has another rate by now: every stamp and filter
    would be wrong then. Another number of channels it does not take back, and does not say so.

    `error`: why what comes is not to be taken, in a sentence; empty while it is. `gone`: how many looks in a row nothing
    answered.
    """

    def __init__(self, info: pylsl.StreamInfo) -> None:
        self._info = info
        self._heard = self._looked = time.monotonic()
        self.error = ""
        self.gone = 0

    def heed(self, came: bool, looks_in_silence_s: float = 2 * _SILENCE_S) -> None:
        """Call after every pull; `came`: whether it brought something. Looks only when there is reason to; half a second at most."""
        now = time.monotonic()
        silent_s, unlooked_s = now - self._heard, now - self._looked
        doubted = came and (silent_s > _SILENCE_S or (bool(self.error) and unlooked_s > _LOOK_EVERY_S))
        if doubted or (not came and silent_s > looks_in_silence_s and unlooked_s > _LOOK_EVERY_S):
            self.error = self._refusal(came)
            self._looked = time.monotonic()
        if came:
            self._heard = now

    @property
    def silent_s(self) -> float:
        """For how long nothing has come."""
        return time.monotonic() - self._heard

    def _refusal(self, came: bool) -> str:
        wanted = self._info
        query = f"name={_quoted(wanted.name())} and type={_quoted(wanted.type())}"
        own = pylsl.resolve_bypred(f"{query} and source_id={_quoted(wanted.source_id())}", 1, _LOOK_S)
        self.gone = 0 if own else self.gone + 1
        if any(_shape(it) == _shape(wanted) for it in own):
            return ""
        if own:
            return _sentence(wanted, f"as {_described(own[0])} instead of {_described(wanted)}")
        if came:  # liblsl takes nothing else back than this source, but it does not say what it is now
            return f"The stream '{wanted.name()}' has come back, but does not say as what. It is asked again."
        others = pylsl.resolve_bypred(query, 1, _LOOK_S)
        if not others:
            return ""
        return _sentence(wanted, f"from another source ('{others[0].source_id()}', not '{wanted.source_id()}')")


def _sentence(wanted: pylsl.StreamInfo, how: str) -> str:
    return (
        f"The stream '{wanted.name()}' has come back {how}. It is not taken, because it would be misread: start the "
        "program again to use it, or the sender as it was."
    )


def _shape(info: pylsl.StreamInfo) -> tuple[int, float, int]:
    return info.channel_count(), info.nominal_srate(), info.channel_format()


def _described(info: pylsl.StreamInfo) -> str:
    return f"{info.channel_count()} channels at {info.nominal_srate():g} Hz"


def _quoted(text: str) -> str:
    return f"'{text}'" if "'" not in text else f'"{text}"'
