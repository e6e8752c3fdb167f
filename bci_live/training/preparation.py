"""Recordings → what a decoder learns from: epochs, labels, and the pictures that were shown."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bci_live.config import EpochConfig, FilterConfig
from bci_live.decoding.card import TrainingFile
from bci_live.errors import LabelError, MontageError, RecordingError, some_of
from bci_live.sessions.labels import named
from bci_live.sessions.naming import origin_of
from bci_live.sessions.recording import Recording, check_different, read_recording
from bci_live.signal.epoching import EpochPlan
from bci_live.signal.quality import dead_channels, in_words
from bci_live.signal.repair import ChannelRepair
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.truth import stimulus_of
from bci_live.streams.ring import RingBuffer
from bci_live.training.epochs import EpochSet, cut_recording, ring_of
from bci_live.training.folds import check_learnable
from bci_live.types import FloatArray, Marker, MissedReason, Picture, TimeArray

_log = logging.getLogger(__name__)

MIN_EPOCHS_PER_LABEL = 15
PIXELS = 64
_IN_WORDS = {
    MissedReason.TOO_OLD: "too_old (shown before there was signal enough for the filter)",
    MissedReason.LATE: "late (the recording ended before their window did)",
}


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What all heads are fitted to.

    `data`: (n, channels, times), µV. `labels`: (n,), index into `names`. `runs`: (n,), the number of each epoch's
    session. `subjects`: as the sessions' names tell them; `whose`: (n,), index into those. `onsets`: (n,), s on the session's
    clock. `marker_labels`: what the sessions' own markers mean.
    `pictures`: (m, 64, 64, 3), the different stimuli. `shown`: (n,), index into `pictures`. `rate`: Hz.
    `repair`: what filled in channels without EEG, fitted to the epochs in which there were none.
    """

    data: FloatArray
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    marker_labels: Mapping[str, str]
    runs: NDArray[np.int64]
    subjects: tuple[str, ...]
    whose: NDArray[np.int64]
    onsets: TimeArray
    pictures: Picture
    shown: NDArray[np.int64]
    channels: tuple[str, ...]
    rate: float
    repair: ChannelRepair | None
    simulated: bool
    files: tuple[TrainingFile, ...]


@dataclass(frozen=True, slots=True)
class LoadedSession:
    """A recording with its samples in a ring, ready to be cut. `dead`: its channels that carry no EEG for most of it.

    `digests`: of the file and of its samples.
    """

    recording: Recording
    digests: tuple[str, str]
    ring: RingBuffer
    dead: frozenset[str] = frozenset()


def prepare_sessions(
    sessions: Sequence[Path],
    bank_labels: Sequence[str],
    filter_config: FilterConfig,
    epoch_config: EpochConfig,
    marker_labels: Mapping[str, str],
) -> TrainingSet:
    """`load_sessions` and `cut_sessions` in one."""
    return cut_sessions(load_sessions(sessions, bank_labels, marker_labels), filter_config, epoch_config, marker_labels)


def load_sessions(
    sessions: Sequence[Path], bank_labels: Sequence[str], marker_labels: Mapping[str, str]
) -> tuple[LoadedSession, ...]:
    """Read the recordings; `marker_labels` names the markers that are no labels themselves.

    Raises
    ------
    RecordingError
        If there is no session, one cannot be read, or is there twice.
    MontageError
        If the sessions differ in channels or rate.
    LabelError
        If a marker has a label without caption.
    """
    if not sessions:
        raise RecordingError("There is no session to train on. Name at least one recording.")
    recordings = [named(read_recording(Path(path)), marker_labels) for path in sessions]
    for recording in recordings:
        _check_montage(recordings[0], recording)
        _check_labels(recording, bank_labels)
    found = check_different(recordings)
    return tuple(
        LoadedSession(recording, digests, ring_of(recording), _dead(recording))
        for recording, digests in zip(recordings, found, strict=True)
    )


def cut_sessions(
    sessions: Sequence[LoadedSession],
    filter_config: FilterConfig,
    epoch_config: EpochConfig,
    marker_labels: Mapping[str, str],
    channels: tuple[str, ...] | None = None,
    fewest: int = MIN_EPOCHS_PER_LABEL,
) -> TrainingSet:
    """Cut and label the recordings.

    Parameters
    ----------
    channels : in their order; all that carry EEG unless told
    fewest : so many clean epochs of each label there have to be

    Raises
    ------
    RecordingError
        If there are too few epochs.
    MontageError
        If there is no channel besides the reference.
    LabelError
        If a label has no picture, or if all are the same.
    """
    first = sessions[0].recording
    dead = frozenset[str]().union(*(session.dead for session in sessions)) if "eeg" in epoch_config.reject_uv else ()
    facts, channels = first.facts, channels or _decoded_channels(first, epoch_config, dead)
    plan = EpochPlan(facts.rate, facts.rate, filter_config, epoch_config)
    cuts = [cut_recording(session.recording, plan, channels, session.ring) for session in sessions]
    repair = ChannelRepair.fitted(np.concatenate([cut.data for cut in cuts]))
    if repair is not None and any(miss.reason == MissedReason.ARTEFACT for cut in cuts for miss in cut.missed):
        plan = EpochPlan(facts.rate, facts.rate, filter_config, epoch_config, repair)
        cuts = [cut_recording(session.recording, plan, channels, session.ring) for session in sessions]
    labels = [label for cut in cuts for label in cut.labels]
    names = _enough_of_each(labels, fewest, _rejected(cuts))
    numbers = np.array([names.index(label) for label in labels])
    runs = np.repeat(np.arange(len(cuts)), [len(cut.labels) for cut in cuts])
    check_learnable(numbers, names, runs)
    details = [detail for cut in cuts for detail in cut.details]
    pictures, shown = pictures_of(list(zip(labels, details, strict=True)))
    people = [origin_of(session.recording.path).subject or "" for session in sessions]
    subjects = tuple(dict.fromkeys(people))
    return TrainingSet(
        data=np.concatenate([cut.data for cut in cuts]),
        labels=numbers,
        names=names,
        marker_labels=marker_labels,
        runs=runs,
        subjects=subjects,
        whose=np.array([subjects.index(it) for it in people])[runs],
        onsets=np.concatenate([cut.onsets for cut in cuts]),
        pictures=pictures,
        shown=shown,
        channels=channels,
        rate=facts.rate,
        repair=repair,
        simulated=any(session.recording.facts.simulated for session in sessions),
        files=tuple(
            training_file(session, len(cut.labels), cut.filled) for session, cut in zip(sessions, cuts, strict=True)
        ),
    )


def training_file(session: LoadedSession, epochs: int, filled: int = 0) -> TrainingFile:
    """What a decoder remembers of a session that it was trained on."""
    of_file, of_samples = session.digests
    name = session.recording.path.name
    return TrainingFile(name=name, sha256=of_file, samples_sha256=of_samples, epochs=epochs, filled=filled)


def _decoded_channels(recording: Recording, config: EpochConfig, dead: Collection[str]) -> tuple[str, ...]:
    """The EEG channels, without those that the others are referenced to, and without the dead."""
    reference = {name.lower() for name in config.reference}
    channels = tuple(name for name in recording.facts.eeg_channels if name.lower() not in reference)
    if not channels:
        raise MontageError(
            f"'{recording.path}' has no EEG channel besides the reference {', '.join(config.reference)}. "
            "Name fewer with --reference."
        )
    alive = tuple(name for name in channels if name.lower() not in dead)
    if not alive:
        raise MontageError(
            f"'{recording.path}' has no EEG: {', '.join(channels)} are flat, railed or not numbers for most of the time. "
            "Check the electrodes and the unit that the stream tells."
        )
    return alive


def _dead(recording: Recording) -> frozenset[str]:
    """The EEG channels, in lower case, that would cost most epochs; said once, because the decoder will do without them."""
    facts = recording.facts
    places = [facts.channels.index(name) for name in facts.eeg_channels]
    dead = dead_channels(recording.samples[:, places], facts.eeg_channels, facts.rate)
    if dead:
        _log.warning(
            "'%s': %s for most of the time; the decoder does without, unless nothing is rejected (--reject none).",
            recording.path,
            in_words(dead),
        )
    return frozenset(name.lower() for name in dead)


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
        named = some_of([f"{label!r} ({count} times)" for label, count in unknown.most_common()])
        raise LabelError(
            f"'{recording.path}' has markers with labels that the pipeline has no caption for: {named}. "
            f"It knows: {', '.join(bank_labels)}. Say what the markers mean: --labels 1=house,2=face"
        )


def _rejected(cuts: Sequence[EpochSet]) -> str:
    """In words how many markers got no epoch and why, with an example of an artefact; empty when all did."""
    missed = [miss for cut in cuts for miss in cut.missed]
    reasons = Counter(miss.reason for miss in missed)
    if not missed:
        return ""
    example = next((f", for instance {miss.detail}" for miss in missed if miss.detail), "")
    told = ", ".join(f"{count} {_IN_WORDS.get(reason, reason)}" for reason, count in reasons.most_common())
    return f" Left out: {told}{example}; of {len(missed) + sum(len(cut.labels) for cut in cuts)} in all."


def _enough_of_each(labels: Sequence[str], fewest: int, rejected: str) -> tuple[str, ...]:
    counts = Counter(labels)
    if len(counts) < 2:
        raise LabelError(
            f"There are usable epochs of {', '.join(counts) or 'no label'} only: there is nothing to tell apart.{rejected} "
            f"Add sessions with at least two labels{_remedy(rejected)}."
        )
    rare = [f"{label!r} has {count}" for label, count in counts.items() if count < fewest]
    if rare:
        raise RecordingError(
            f"A decoder needs at least {fewest} clean epochs of each label, but {some_of(rare)}."
            f"{rejected} Record more{_remedy(rejected)}."
        )
    return tuple(sorted(counts))


def _remedy(rejected: str) -> str:
    return ", check the electrodes, or raise --reject" if MissedReason.ARTEFACT in rejected else ""


def pictures_of(stimuli: list[tuple[str, str]]) -> tuple[Picture, NDArray[np.int64]]:
    """Each different stimulus (label, detail of its marker) drawn once, and which of them each epoch saw.

    Raises
    ------
    LabelError
        If a label has no picture.
    """
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
