"""Recordings → what a decoder learns from: epochs, labels, and the pictures that were shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bci_live.config import EpochConfig, FilterConfig
from bci_live.decoding.card import TrainingFile
from bci_live.errors import LabelError, MontageError, RecordingError
from bci_live.sessions.labels import named
from bci_live.sessions.recording import Recording, digest, read_recording
from bci_live.signal.epoching import EpochPlan
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.truth import stimulus_of
from bci_live.training.epochs import cut_recording
from bci_live.types import FloatArray, Marker, Picture

MIN_EPOCHS_PER_LABEL = 15
PIXELS = 64


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What all heads are fitted to.

    `data`: (n, channels, times), µV. `labels`: (n,), index into `names`. `runs`: (n,), the number of each epoch's
    session. `marker_labels`: what the sessions' own markers mean. `pictures`: (m, 64, 64, 3), the different stimuli.
    `shown`: (n,), index into `pictures`. `rate`: Hz.
    """

    data: FloatArray
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    marker_labels: Mapping[str, str]
    runs: NDArray[np.int64]
    pictures: Picture
    shown: NDArray[np.int64]
    channels: tuple[str, ...]
    rate: float
    simulated: bool
    files: tuple[TrainingFile, ...]


def prepare_sessions(
    sessions: Sequence[Path],
    bank_labels: Sequence[str],
    filter_config: FilterConfig,
    epoch_config: EpochConfig,
    marker_labels: Mapping[str, str],
) -> TrainingSet:
    """Read, cut and label the recordings; `marker_labels` names the markers that are no labels themselves.

    Raises
    ------
    RecordingError
        If there is no session, one cannot be read, or there are too few epochs.
    MontageError
        If the sessions differ in channels or rate.
    LabelError
        If a marker has a label without caption or picture, or if all have the same.
    """
    if not sessions:
        raise RecordingError("There is no session to train on. Name at least one recording.")
    recordings = [named(read_recording(Path(path)), marker_labels) for path in sessions]
    for recording in recordings:
        _check_montage(recordings[0], recording)
        _check_labels(recording, bank_labels)
    facts = recordings[0].facts
    channels = _decoded_channels(recordings[0], epoch_config)
    plan = EpochPlan(facts.rate, facts.rate, filter_config, epoch_config)
    cuts = [cut_recording(recording, plan, channels) for recording in recordings]
    labels = [label for cut in cuts for label in cut.labels]
    names = _enough_of_each(labels)
    details = [detail for cut in cuts for detail in cut.details]
    pictures, shown = _pictures(list(zip(labels, details, strict=True)))
    return TrainingSet(
        data=np.concatenate([cut.data for cut in cuts]),
        labels=np.array([names.index(label) for label in labels]),
        names=names,
        marker_labels=marker_labels,
        runs=np.repeat(np.arange(len(cuts)), [len(cut.labels) for cut in cuts]),
        pictures=pictures,
        shown=shown,
        channels=channels,
        rate=facts.rate,
        simulated=any(recording.facts.simulated for recording in recordings),
        files=tuple(
            TrainingFile(name=recording.path.name, sha256=digest(recording.path), epochs=len(cut.labels))
            for recording, cut in zip(recordings, cuts, strict=True)
        ),
    )


def _decoded_channels(recording: Recording, config: EpochConfig) -> tuple[str, ...]:
    """The EEG channels, without those that the others are referenced to."""
    reference = {name.lower() for name in config.reference}
    channels = tuple(name for name in recording.facts.eeg_channels if name.lower() not in reference)
    if not channels:
        raise MontageError(
            f"'{recording.path}' has no EEG channel besides the reference {', '.join(config.reference)}. "
            "Name fewer with --reference."
        )
    return channels


def _check_montage(first: Recording, other: Recording) -> None:
    missing = {name.lower() for name in first.facts.eeg_channels} - {name.lower() for name in other.facts.channels}
    if missing or other.facts.rate != first.facts.rate:
        raise MontageError(
            f"'{other.path}' has {len(other.facts.channels)} channels ({', '.join(other.facts.channels)}) at "
            f"{other.facts.rate:g} Hz, but '{first.path}' has {', '.join(first.facts.channels)} at "
            f"{first.facts.rate:g} Hz. Train on sessions of one headset with the same settings."
        )


def _check_labels(recording: Recording, bank_labels: Sequence[str]) -> None:
    if not recording.markers:
        raise RecordingError(
            f"'{recording.path}' has no markers, so nothing tells what was seen. Record the marker stream, too."
        )
    unknown = Counter(marker.label for marker in recording.markers if marker.label not in bank_labels)
    if unknown:
        named = ", ".join(f"{label!r} ({count} times)" for label, count in unknown.most_common(5))
        raise LabelError(
            f"'{recording.path}' has markers with labels that the pipeline has no caption for: {named}. "
            f"It knows: {', '.join(bank_labels)}. Say what the markers mean: --labels 1=house,2=face"
        )


def _enough_of_each(labels: Sequence[str]) -> tuple[str, ...]:
    counts = Counter(labels)
    if len(counts) < 2:
        raise LabelError(
            f"There are usable epochs of {len(counts)} label(s) only ({', '.join(counts) or 'none'}): there is nothing "
            "to tell apart. Add sessions with at least two labels."
        )
    rare = [f"{label!r} has {count}" for label, count in counts.items() if count < MIN_EPOCHS_PER_LABEL]
    if rare:
        raise RecordingError(
            f"A decoder needs at least {MIN_EPOCHS_PER_LABEL} clean epochs of each label, but {', '.join(rare[:5])}. "
            "Record more, or check the electrodes: epochs with too large amplitudes are not used."
        )
    return tuple(sorted(counts))


def _pictures(stimuli: list[tuple[str, str]]) -> tuple[Picture, NDArray[np.int64]]:
    """Each different stimulus drawn once, and which of them each epoch saw."""
    catalogue = load_catalogue()
    different = {stimulus: index for index, stimulus in enumerate(dict.fromkeys(stimuli))}
    drawn = []
    for label, detail in different:
        picture = stimulus_of(Marker(label=label, time=0.0, detail=detail), catalogue, PIXELS)
        if picture is None:
            raise LabelError(
                f"The stimulus catalogue has no picture for {label!r}. It has: {', '.join(catalogue.labels)}."
            )
        drawn.append(picture)
    return np.stack(drawn), np.array([different[stimulus] for stimulus in stimuli])
