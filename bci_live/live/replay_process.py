"""A replay in a process of its own: the fake headset, as separate from the program as a real one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from bci_live.sessions.replay import outlet_source_ids

_ENDING_S = 5.0


class ReplayProcess:
    """Runs `bci-live replay` while the `with` block lasts."""

    def __init__(
        self, file: Path, *, loop: bool, start_s: float, wait_for_consumers_s: float, lead_s: float = 0.0
    ) -> None:
        source_id = f"bci-live-{uuid.uuid4()}"
        self.eeg_source_id, self.marker_source_id = outlet_source_ids(file, source_id)
        self._command = [
            sys.executable, "-m", "bci_live", "replay", str(file), "--source-id", source_id,
            "--start", str(start_s), "--lead", str(lead_s), "--wait", str(wait_for_consumers_s),
            "--parent", str(os.getpid()), *(["--loop"] if loop else []),
        ]  # fmt: skip

    def __enter__(self) -> Self:
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._said
        )
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
        self._said.close()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the recording is over, or the process died."""
        return self._process.poll() is not None

    def problem(self) -> str | None:
        """What the process said when it failed; None while it runs or when it ended well."""
        if not self._process.poll():
            return None
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        if said:
            return said.splitlines()[-1]
        return f"The replay's process was ended from outside (exit code {self._process.returncode}). Start the program again."
