"""A session without a window: the same pipeline, written to a folder."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bci_live.live.protocol_writer import ProtocolWriter
from bci_live.live.replay_process import ReplayProcess
from bci_live.live.session import LiveSession
from bci_live.live.snapshot import LiveSnapshot, badge
from bci_live.live.troubles import TroubleTeller, present_troubles
from bci_live.streams.interruptions import interruptions
from bci_live.types import MissedReason

_POLL_S = 0.05
# After the replay's last sample, for what is under way.
_SETTLE_S = 2.0
_FINISH_S = 30.0
_SAY_EVERY_S = 20.0


def run_headless(
    session: LiveSession,
    replay: ReplayProcess | None,
    *,
    seconds: float | None,
    out: Path,
    console: Console,
    device: str,
) -> dict[str, Any]:
    """Write every outcome into `out` until the replay is over, `seconds` have passed, or Ctrl-C. Returns the summary."""
    labels = session.snapshot().labels
    begin = time.monotonic()
    with ProtocolWriter(out, labels) as writer, interruptions() as interrupted:
        if session.note:
            console.print(session.note)
        with _progress(console) as progress:
            task, said = progress.add_task("Live", total=seconds), 0.0
            troubles = TroubleTeller(console)
            while not interrupted and not _over(session, replay, begin, seconds):
                for outcome in session.drain():
                    writer.write(outcome)
                progress.update(task, completed=time.monotonic() - begin, description=f"{writer.shown} shown")
                said = _say_sometimes(console, writer.shown, time.monotonic() - begin, said)
                troubles.tell(present_troubles(session.snapshot(), replay, time.monotonic() - begin))
                time.sleep(_POLL_S)
        session.finish(_FINISH_S)
        for outcome in session.drain():
            writer.write(outcome)
        snapshot = session.snapshot()
        return writer.finish(
            markers=snapshot.counts.markers,
            unwritten=snapshot.counts.unread,
            badge=badge(
                snapshot.facts,
                stale=not (snapshot.status and snapshot.status.samples),
                simulated_decoder=snapshot.simulated_decoder,
            ),
            seconds=round(time.monotonic() - begin, 1),
            stream=snapshot.facts.name if snapshot.facts else None,
            breaks=snapshot.status.breaks if snapshot.status else 0,
            stream_health=asdict(snapshot.status.health) if snapshot.status else None,
            channel_faults=dict(snapshot.faults),
            channel_fault_seconds={
                name: {fault: round(seconds, 1) for fault, seconds in it.seconds.items()}
                for name, it in snapshot.fault_times.items()
            },
            filled_epochs=snapshot.counts.filled_epochs,
            filled_channels=dict(snapshot.counts.filled),
            device=device,
            errors=[*snapshot.errors, *troubles.told_beside(snapshot.errors)],
            problem=(replay.problem() if replay else None) or what_failed(snapshot),
        )


def what_failed(snapshot: LiveSnapshot) -> str | None:
    """Why a session could not show anything, when the user can mend that; None when it could."""
    name = snapshot.facts.name if snapshot.facts else ""
    if not (snapshot.status and snapshot.status.samples):
        return f"The stream '{name}' sent no sample. Is the headset's program still streaming?"
    missed, counts = snapshot.missed, snapshot.counts
    if not counts.markers:
        return (
            "No marker came, so nothing tells when a picture was shown. Does the stimulus program send them, on the "
            "stream that --markers names?"
        )
    if counts.missed.get(MissedReason.ARTEFACT, 0) == counts.markers:
        return f"None of the {counts.markers} markers could be shown: {missed[-1].detail}. Check the electrodes."
    if counts.missed.get(MissedReason.UNKNOWN_LABEL, 0) == counts.markers:
        return (
            f"None of the {counts.markers} markers could be shown: {missed[-1].detail}. "
            "Send labels that the decoder knows, or train one on these: bci-live train SESSION… --out DIR --labels 1=house,2=face"
        )
    return None


def _over(session: LiveSession, replay: ReplayProcess | None, begin: float, seconds: float | None) -> bool:
    if seconds is not None and time.monotonic() - begin >= seconds:
        return True
    if replay is None or not replay.ended:
        return False
    status = session.snapshot().status
    quiet = status is None or status.age_s is None or status.age_s > _SETTLE_S
    return (quiet and session.idle) or (
        status is not None and status.age_s is not None and status.age_s > 2 * _SETTLE_S
    )


def _say_sometimes(console: Console, shown: int, seconds: float, said: float) -> float:
    """Where no bar can be drawn, a line now and then; returns when the last one was said."""
    if console.is_terminal or seconds - said < _SAY_EVERY_S:
        return said
    console.print(f"{shown} shown after {seconds:.0f} s")
    return seconds


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
