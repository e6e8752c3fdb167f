"""A replay in a process of its own: the fake headset, as separate from the program as a real one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bci_live.live.snapshot import ReplayStatus
from bci_live.sessions.replay import outlet_source_ids

if TYPE_CHECKING:
    from bci_live.live.remembered import StreamChoice
    from bci_live.streams.survey import StreamReport

_ENDING_S = 5.0


class ReplayProcess:
    """Runs `bci-live replay` while the `with` block lasts; it ends with this program, even if that is killed."""

    def __init__(
        self, file: Path, *, loop: bool, start_s: float, wait_for_consumers_s: float, lead_s: float = 0.0
    ) -> None:
        source_id = f"bci-live-{uuid.uuid4()}"
        self.eeg_source_id, self.marker_source_id = outlet_source_ids(file, source_id)
        self._paused, self._loop, self._at, self._end = False, loop, start_s, 0.0
        self._command = [
            sys.executable, "-m", "bci_live", "replay", str(file), "--source-id", source_id, "--control",
            "--start", str(start_s), "--lead", str(lead_s), "--wait", str(wait_for_consumers_s),
            *(["--loop"] if loop else []),
        ]  # fmt: skip

    def __enter__(self) -> Self:
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True
        )
        self._reader = Thread(target=self._read_places, name="replay-place", daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.ended:
            self._process.terminate()
            try:
                self._process.wait(_ENDING_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(_ENDING_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not sent any more
                    pipe.close()
        self._said.close()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the recording is over, or the process died."""
        return self._process.poll() is not None

    def status(self) -> ReplayStatus:
        """Where it is now."""
        return ReplayStatus(self._at, self._end, self._paused, self._loop, self.ended)

    def is_meant(self, choice: StreamChoice, there: Sequence[StreamReport]) -> bool:
        """Whether `choice` names a stream of this replay, or leaves open which, and no other EEG stream is `there`."""
        own = (self.eeg_source_id, self.marker_source_id)
        if choice.stream_id in own or choice.markers_id in own:
            return True
        others = [it for it in there if it.kind.lower() == "eeg" and it.rate > 0 and it.source_id not in own]
        return choice.stream is choice.stream_id is None and not others

    def pause(self, paused: bool = True) -> None:
        """Send nothing, or go on."""
        self._paused = paused
        self._tell("pause" if paused else "go")

    def seek(self, at_s: float) -> None:
        """Go on at so many seconds from the recording's beginning."""
        self._tell(f"seek {max(0.0, at_s):.3f}")

    def loop(self, loop: bool) -> None:
        """Whether it begins anew at its end."""
        self._loop = loop
        self._tell(f"loop {'on' if loop else 'off'}")

    def problem(self) -> str | None:
        """What the process said when it failed; None while it runs or when it ended well."""
        if not self._process.poll():
            return None
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        # Ended by a signal it said nothing of that: its last line is of something else.
        if said and self._process.returncode > 0:
            return said.splitlines()[-1]
        return (
            f"The replay's process was ended from outside (exit code {self._process.returncode}). Start the program again, or "
            "press 'Play again' in its window."
        )

    def _tell(self, command: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended, which `ended` and `problem` tell
            self._process.stdin.write(f"{command}\n")
            self._process.stdin.flush()

    def _read_places(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with suppress(ValueError):
                at, end = map(float, line.split())
                self._at, self._end = at, end
