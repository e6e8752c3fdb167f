"""A headset that BrainFlow knows: its EEG, units and markers. Needs the extra `brainflow`."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bci_live.errors import StreamError
from bci_live.streams.clock import local_clock
from bci_live.types import FloatArray, StreamFacts, TimeArray

# What the driver holds while nobody reads: minutes, at any board's rate.
_HELD = 450_000
_SUFFIX = "_BOARD"
_NUMBERS = ("ip_port", "timeout")
# Plays what another board sent once, in that board's own form.
_PLAYBACK = "playback_file"


class Board:
    """A board that sends while the `with` block lasts.

    Parameters
    ----------
    name : as `board_names` lists it, in letters of any case
    settings : what the board needs to be found, under BrainFlow's names: `serial_port`, `mac_address`, `ip_address`, `ip_port`,
        `serial_number`, `timeout` (s), `other_info`; for `playback_file` the `file` and the name of its `master_board`

    Raises
    ------
    StreamError
        If BrainFlow is not installed, knows no such board, a playback lacks its file, or the board does not answer.
    """

    def __init__(self, name: str, settings: Mapping[str, str]) -> None:
        self._brainflow = _brainflow()
        known = _boards(self._brainflow)
        self.name, self._settings = name.lower(), settings
        if self.name == _PLAYBACK and not {"file", "master_board"} <= settings.keys():
            raise StreamError(
                "A playback needs --file, and with --master-board the board that the file was recorded from."
            )
        master = settings["master_board"].lower() if self.name == _PLAYBACK else self.name
        for asked in (self.name, master):
            if asked not in known:
                raise StreamError(f"BrainFlow knows no board '{asked}'. It knows: {', '.join(known)}.")
        self._id, self._master_id = known[self.name], known[master]
        self._described = self._brainflow.BoardShim.get_board_descr(self._master_id)
        if not self._described.get("eeg_channels"):
            raise StreamError(f"The board '{master}' has no EEG channels.")

    def __enter__(self) -> Self:
        parameters = self._brainflow.BrainFlowInputParams()
        for key, value in self._settings.items():
            setattr(parameters, key, int(value) if key in _NUMBERS else value)
        if self.name == _PLAYBACK:
            parameters.master_board = self._master_id
        self._shim = self._brainflow.BoardShim(self._id, parameters)
        try:
            self._shim.prepare_session()
            self._shim.start_stream(_HELD)
        except self._brainflow.BrainFlowError as error:
            self._release()
            raise StreamError(
                f"The board '{self.name}' does not answer ({error}). Is it switched on, and is its "
                "port or address right (--serial-port, --mac-address, --ip-address), or its --file?"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    @property
    def facts(self) -> StreamFacts:
        """What its stream says of itself."""
        names = self._described.get("eeg_names", "")
        count = len(self._described["eeg_channels"])
        labels = tuple(names.split(",")) if names else tuple(f"E{number}" for number in range(1, count + 1))
        return StreamFacts(
            name=str(self._described["name"]),
            kind="EEG",
            source_id="-".join(["brainflow", self.name, *(value for _, value in sorted(self._settings.items()))]),
            uid="",
            host="",
            rate=float(self._described["sampling_rate"]),
            channels=labels,
            units=("microvolts",) * count,
            simulated=self._described["name"] == "Synthetic",
            replay=self.name == _PLAYBACK,
        )

    def read(self) -> tuple[FloatArray, TimeArray, NDArray[np.float64]]:
        """What came since the last call: samples (n, channels), µV; their times (n,), s of the LSL clock; markers (n,), 0 for none.

        Raises
        ------
        StreamError
            If the board has broken off.
        """
        try:
            data = self._shim.get_board_data()
        except self._brainflow.BrainFlowError as error:
            raise StreamError(f"The board '{self.name}' has broken off ({error}).") from error
        # BrainFlow dates samples in Unix time, which may be set while it streams.
        to_lsl = local_clock() - time.time()
        samples = np.ascontiguousarray(data[self._described["eeg_channels"]].T, dtype=np.float32)
        return (
            samples,
            data[self._described["timestamp_channel"]] + to_lsl,
            data[self._described["marker_channel"]],
        )

    def insert_marker(self, value: float) -> None:
        """Mark the present sample."""
        self._shim.insert_marker(value)

    def _release(self) -> None:
        if self._shim.is_prepared():
            self._shim.release_session()


def board_names() -> tuple[str, ...]:
    """The boards that BrainFlow knows, in lower case: `synthetic`, `cyton`, `muse_2`, …

    Raises
    ------
    StreamError
        If it is not installed.
    """
    return tuple(_boards(_brainflow()))


def _boards(brainflow: Any) -> dict[str, int]:
    boards = {it.name.removesuffix(_SUFFIX).lower(): it.value for it in brainflow.BoardIds}
    return {name: number for name, number in sorted(boards.items()) if name not in ("no", "streaming")}


def _brainflow() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the way in which it finds its own library
            from brainflow import board_shim

            board_shim.BoardShim.disable_board_logger()
    except ImportError as error:
        raise StreamError(
            f"BrainFlow is not installed ({error}). Install it with: pip install 'bci_live[brainflow]'"
        ) from error
    return board_shim
