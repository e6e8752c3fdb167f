"""Read everything that `mne.io.read_raw` reads: EDF, BDF, BrainVision, EEGLAB, FIF and many more."""

from __future__ import annotations

import configparser
import struct
import zlib
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
from scipy.io.matlab import MatReadError

from bci_live.errors import RecordingError
from bci_live.types import FloatArray, Marker, StreamFacts, TimeArray, channel_types

VOLTS_TO_MICROVOLTS = 1e6

_EEG = ("eeg", "seeg", "ecog", "dbs")

# What MNE's readers raise on files that are not as they should be: each reader stumbles in its own way.
_READER_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError, ParseError,
    RuntimeError, StopIteration, TypeError, ValueError,
    configparser.Error, struct.error, zlib.error, MatReadError,
)  # fmt: skip


def read_with_mne(path: Path) -> tuple[StreamFacts, FloatArray, TimeArray, tuple[Marker, ...]]:
    """Of the EEG, EOG, ECG and EMG channels the facts, samples (n, channels) in µV, stamps (n,) in s from the file's start, and markers.

    What electrodes in the brain or on it pick up (sEEG, ECoG, DBS) is EEG here, and is decoded as such.
    Annotations become markers. Those that MNE keeps for bad stretches and joints (`BAD…`, `EDGE…`) are no stimuli and
    are left out. A file without annotations but with a trigger channel has that one's events as markers.

    Raises
    ------
    RecordingError
        If MNE cannot read the file, or it holds no EEG channel.
    """
    import mne  # takes a second to load, which only such files need

    try:
        raw = mne.io.read_raw(path, preload=False, verbose="ERROR")
        markers = _annotations(raw) or _triggers(raw)
        picks = mne.pick_types(raw.info, eog=True, ecg=True, emg=True, exclude=(), **dict.fromkeys(_EEG, True))
        channels = tuple(raw.ch_names[pick] for pick in picks)
        own = raw.get_channel_types()
        types = ["eeg" if own[pick] in _EEG else own[pick] for pick in picks]
        samples = (raw.get_data(picks=picks).T * VOLTS_TO_MICROVOLTS).astype(np.float32) if "eeg" in types else None
    except _READER_ERRORS as error:
        reason = str(error).strip().split("\n")[0].split(". ")[0].rstrip(".") or type(error).__name__
        raise RecordingError(
            f"'{path}' is no recording that can be read: {reason}. Give an XDF file, or one of those that MNE reads."
        ) from error
    if samples is None or len(samples) == 0:
        raise RecordingError(f"'{path}' holds no EEG samples; its channels are {', '.join(raw.ch_names) or 'none'}.")
    facts = StreamFacts(
        name=path.stem,
        kind="EEG",
        source_id="",
        uid="",
        host="",
        rate=float(raw.info["sfreq"]),
        channels=channels,
        units=("microvolts",) * len(channels),
        types=channel_types("EEG", [type_.upper() for type_ in types]),
    )
    return facts, np.ascontiguousarray(samples), np.arange(len(samples)) / facts.rate, markers


def _annotations(raw: Any) -> tuple[Marker, ...]:
    found = raw.annotations
    return tuple(
        Marker(label=str(text), time=float(onset) - raw.first_time, stream="annotations")
        for onset, text in zip(found.onset, found.description, strict=True)
        if not str(text).upper().startswith(("BAD", "EDGE"))
    )


def _triggers(raw: Any) -> tuple[Marker, ...]:
    import mne

    if "stim" not in raw:
        return ()
    events = mne.find_events(raw, shortest_event=1, verbose="ERROR")
    return tuple(
        Marker(label=str(code), time=(sample - raw.first_samp) / raw.info["sfreq"], stream="triggers")
        for sample, _, code in events.tolist()
    )
