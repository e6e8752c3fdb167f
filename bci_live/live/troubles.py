"""What a user should see to while a session without a window runs."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from rich.console import Console

from bci_live.live.replay_process import ReplayProcess
from bci_live.live.snapshot import LiveSnapshot, RecordingStatus

# A trouble that was away for so long is said again; one that comes and goes would fill the screen.
_AGAIN_S = 60.0
# Nothing came for so long: no hiccup of the network, no pause between two stimuli.
_SILENT_S = 3.0
_UNMARKED_S = 30.0
# In a trouble's sentence, what changes as long as it lasts.
_FIGURES = re.compile(r" \(\d+ times\)|[\d,]+ (?=(s|were|could)\b)")


def present_troubles(snapshot: LiveSnapshot, replay: ReplayProcess | None, seconds: float) -> tuple[str, ...]:
    """What a user should see to now, `seconds` after the begin; a replay that is over is none."""
    status, facts = snapshot.status, snapshot.facts
    if status is None or facts is None or (replay is not None and replay.ended):
        return snapshot.present_errors
    told = [*snapshot.present_errors, *filter(None, [silence(snapshot, seconds)])]
    if not snapshot.counts.markers and seconds > _UNMARKED_S:
        told.append(
            f"For {seconds:.0f} s no marker has come, so nothing tells when a picture is shown. Does the stimulus program "
            "send them, on the stream that --markers names?"
        )
    return tuple(told)


def silence(snapshot: LiveSnapshot, seconds: float = 0.0) -> str:
    """That nothing comes, since when, and what to do; empty while something does. `seconds`: since the begin."""
    status, facts = snapshot.status, snapshot.facts
    if status is None or facts is None or not status.stale or status.error:
        return ""
    silent_s = seconds if status.age_s is None else status.age_s
    if silent_s <= _SILENT_S:
        return ""
    return (
        f"The stream '{facts.name}' has sent nothing for {silent_s:.0f} s. Is the headset switched on, near, and its program "
        "streaming?"
    )


def newest_error(snapshot: LiveSnapshot | None, rests: bool) -> str | None:
    """The newest of the session's errors, with how many others there were. Of a replay that `rests` no stream is missed."""
    present = () if snapshot is None else snapshot.present_errors
    errors = [it for it in present if snapshot is None or not (rests and it in snapshot.stream_errors)]
    if not errors:
        return None
    others = len(errors) - 1
    return errors[0] + (f" (and {others} other{'s' * (others > 1)} before)" if others else "")


def beside_streams(recording: RecordingStatus) -> str:
    """What is wrong with the recording, but for what its streams lack."""
    return recording.problem.removesuffix(" ".join(it.problem for it in recording.streams if it.problem)).strip()


class TroubleTeller:
    """Says each trouble once, and again when it comes back after a while."""

    def __init__(self, console: Console) -> None:
        self._console = console
        # By what stays of a sentence as long as it lasts: its newest wording, and when it was last there.
        self._newest: dict[str, str] = {}
        self._there: dict[str, float] = {}

    def tell(self, troubles: Sequence[str]) -> None:
        """Say those that are new."""
        now = time.monotonic()
        for trouble in troubles:
            lasting = _lasting(trouble)
            if now - self._there.get(lasting, -_AGAIN_S) >= _AGAIN_S:
                self._console.print(trouble, style="red", markup=False)
            self._newest[lasting], self._there[lasting] = trouble, now

    def told_beside(self, errors: Sequence[str]) -> list[str]:
        """What was said and is none of these."""
        known = set(map(_lasting, errors))
        return [trouble for lasting, trouble in self._newest.items() if lasting not in known]


def _lasting(trouble: str) -> str:
    return _FIGURES.sub("", trouble)
