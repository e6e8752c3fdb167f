"""Recordings → trials, cut and decoded by the very path that the live program takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bci_live.config import EpochConfig, FilterConfig
from bci_live.decoding.decoder import TrainedDecoder
from bci_live.errors import LabelError, RecordingError, some_of
from bci_live.evaluation.scores import Array, Indices
from bci_live.sessions.labels import named
from bci_live.sessions.naming import origin_of
from bci_live.sessions.recording import Recording, check_different, read_recording
from bci_live.signal.epoching import EpochPlan
from bci_live.signal.repair import ChannelRepair
from bci_live.training.epochs import cut_recording
from bci_live.types import Decoding, Epoch, FloatArray, Marker, TimeArray

# So many samples more than the window's end: resampling looks two ahead, and the onset is rounded to a sample.
_SPARE_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class Preparation:
    """How epochs are made: of which channels, at which rate, Hz, filtered and cut how."""

    channels: tuple[str, ...]
    rate: float
    filter: FilterConfig
    epoch: EpochConfig


@dataclass(frozen=True, slots=True)
class Cut:
    """Trials of several recordings.

    `data`: (n, channels, times), µV. `markers`: of each trial, as recorded. `runs`, `orders`: (n,), which recording and
    which of its markers. `onsets`: (n,), s on the recording's clock. `missed`: how many markers gave no epoch, by reason.
    """

    data: FloatArray
    markers: tuple[Marker, ...]
    runs: Indices
    orders: Indices
    onsets: TimeArray
    missed: Mapping[str, int]

    @property
    def labels(self) -> tuple[str, ...]:
        """What was shown."""
        return tuple(marker.label for marker in self.markers)

    @property
    def stimuli(self) -> tuple[str, ...]:
        """What tells one stimulus from another."""
        return tuple(f"{marker.label}\n{marker.detail}" for marker in self.markers)

    def take(self, chosen: Indices) -> Cut:
        """Some of the trials, in the order asked for."""
        markers = tuple(self.markers[i] for i in chosen)
        return Cut(self.data[chosen], markers, self.runs[chosen], self.orders[chosen], self.onsets[chosen], self.missed)

    def indices_of(self, other: Cut, chosen: Indices) -> Indices:
        """Where the chosen trials of `other`, a cut of the same recordings, are here; those that are absent are left out."""
        places = {(run, order): i for i, (run, order) in enumerate(zip(self.runs, self.orders, strict=True))}
        found = [places.get((other.runs[i], other.orders[i])) for i in chosen]
        return np.array([it for it in found if it is not None], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Trials:
    """What a decoder reads of trials that it had not seen.

    `probabilities`: (n, names). `labels`: (n,), index into `names`. `folds`: (n,), which decoder read it. `decodings`:
    what else it read, the trials in the order of `cut`. `candidates`: (n, names), which labels it was read among: all, or
    equally many that its decoder never learnt. `contrasts`: (n, side, side), what the ridge read of the contrast maps.
    `alone`: (n, names) each, what its label heads and first guesses read by themselves.
    """

    names: tuple[str, ...]
    probabilities: Array
    labels: Indices
    folds: Indices
    cut: Cut
    decodings: tuple[Decoding, ...]
    candidates: NDArray[np.bool_]
    contrasts: FloatArray
    alone: Mapping[str, Array] = field(default_factory=dict)

    @property
    def n_way(self) -> int:
        """Among how many labels each trial was read."""
        return int(self.candidates[0].sum())

    def among_candidates(self, evidence: Array) -> Array:
        """Other evidence of the same trials, (n, names), with none for what was no candidate."""
        return np.where(self.candidates, evidence, -np.inf)


def read_sessions(paths: Sequence[Path], marker_labels: Mapping[str, str]) -> list[Recording]:
    """The recordings with their markers named.

    Raises
    ------
    RecordingError
        If there is none, one cannot be read, one is named twice, or one has no markers.
    LabelError
        If `marker_labels` names none of a recording's markers.
    """
    if not paths:
        raise RecordingError("There is no recording to evaluate on. Name at least one session.")
    recordings = [named(read_recording(Path(path)), marker_labels) for path in paths]
    for recording in recordings:
        if not recording.markers:
            raise RecordingError(f"'{recording.path}' has no markers, so nothing tells what was seen.")
    check_different(recordings)
    return recordings


def check_known(recordings: Sequence[Recording], names: Sequence[str]) -> None:
    """That every marker's label is one that the decoder tells apart.

    Raises
    ------
    LabelError
        If one is not; the sentence names it and the remedy.
    """
    for recording in recordings:
        unknown = Counter(marker.label for marker in recording.markers if marker.label not in names)
        if unknown:
            told = some_of([f"{label!r} ({count} times)" for label, count in unknown.most_common()])
            raise LabelError(
                f"'{recording.path}' has markers that the decoder has no label for: {told}. It knows: "
                f"{', '.join(names)}. Say what the markers mean: --labels 1={names[0]},2={names[1]}"
            )


def cut_all(
    recordings: Sequence[Recording],
    filter_config: FilterConfig,
    epoch_config: EpochConfig,
    channels: Sequence[str],
    rate: float,
    before_onset: bool = False,
    runs: Collection[int] | None = None,
    repair: ChannelRepair | None = None,
) -> Cut:
    """Every epoch, filtered causally as live.

    Parameters
    ----------
    rate : of the decoder, Hz
    before_onset : move every window, its baseline with it, so far back that it ends before the onset
    runs : which of the recordings; all unless told
    repair : what fills in channels without EEG
    """
    shift_s = epoch_config.stop_s + _SPARE_SAMPLES / rate if before_onset else 0.0
    cuts = []
    for run, recording in enumerate(recordings):
        if runs is not None and run not in runs:
            continue
        markers = tuple(replace(marker, time=marker.time - shift_s) for marker in recording.markers)
        plan = EpochPlan(recording.facts.rate, rate, filter_config, epoch_config, repair)
        epochs = cut_recording(replace(recording, markers=markers), plan, channels)
        order_of = {marker: order for order, marker in enumerate(markers)}
        orders = np.array([order_of[marker] for marker in epochs.markers], dtype=np.int64)
        cuts.append(
            Cut(
                data=epochs.data,
                markers=tuple(recording.markers[order] for order in orders),
                runs=np.full(len(orders), run, dtype=np.int64),
                orders=orders,
                onsets=np.array(epochs.onsets, dtype=np.float64) + shift_s,
                missed=Counter(str(it.reason) for it in epochs.missed),
            )
        )
    return joined(cuts)


def cut_for(
    decoder: TrainedDecoder,
    recordings: Sequence[Recording],
    filter_config: FilterConfig | None = None,
    epoch_config: EpochConfig | None = None,
    before_onset: bool = False,
    runs: Collection[int] | None = None,
) -> Cut:
    """As the decoder's card wants its epochs, unless other settings are given."""
    card = decoder.card
    return cut_all(
        recordings,
        filter_config or card.filter,
        epoch_config or card.epoch,
        card.channels,
        card.rate,
        before_onset,
        runs,
        decoder.repair,
    )


def joined(cuts: Sequence[Cut]) -> Cut:
    """The trials of several cuts of the same recordings, one after the other."""
    missed: Counter[str] = Counter()
    for cut in cuts:
        missed.update(cut.missed)
    return Cut(
        data=np.concatenate([cut.data for cut in cuts]),
        markers=tuple(marker for cut in cuts for marker in cut.markers),
        runs=np.concatenate([cut.runs for cut in cuts]),
        orders=np.concatenate([cut.orders for cut in cuts]),
        onsets=np.concatenate([cut.onsets for cut in cuts]),
        missed=dict(missed),
    )


def decode_all(decoder: TrainedDecoder, cut: Cut, data: FloatArray | None = None) -> tuple[Decoding, ...]:
    """One decoding a trial; of other `data` (n, channels, times) where a control wants it."""
    signals = cut.data if data is None else data
    return tuple(
        decoder.decode(Epoch(signal, onset, marker, onset, onset))
        for signal, marker, onset in zip(signals, cut.markers, cut.onsets.tolist(), strict=True)
    )


def decode_as_their_own(decoder: TrainedDecoder, recordings: Sequence[Recording], cut: Cut) -> tuple[Decoding, ...]:
    """`decode_all` with each trial read by the layer of its subject, where the decoder has that, else by the mean layer."""
    decodings: list[Decoding] = []
    for run, trials in groupby(range(len(cut.runs)), lambda trial: int(cut.runs[trial])):
        subject = origin_of(recordings[run].path).subject
        decoder.read_as(subject if subject in decoder.card.subjects else None)
        decodings += decode_all(decoder, cut.take(np.array(list(trials))))
    decoder.read_as(None)
    return tuple(decodings)


def read_alone(decoder: TrainedDecoder, cut: Cut, names: Sequence[str]) -> dict[str, Array]:
    """(n, names) of each label head and of each first guess by itself; 0 for a label that the decoder did not learn.

    Nothing of a decoder with a layer per subject: its encoder reads by whose layer it is told to.
    """
    if decoder.card.subjects:
        return {}
    own = [names.index(label) for label in decoder.card.labels]
    told = {}
    for name, read in decoder.read_alone(cut.data).items():
        told[name] = np.zeros((len(read), len(names)))
        told[name][:, own] = read
    return told


def probabilities_of(decodings: Sequence[Decoding], names: Sequence[str]) -> Array:
    """(n, names); 0 for a label that the decoder did not learn."""
    rows = [[decoding.scores.get(name, 0.0) for name in names] for decoding in decodings]
    return np.array(rows, dtype=np.float64).reshape(len(decodings), len(names))


def indices_of(labels: Sequence[str], names: Sequence[str]) -> Indices:
    """(n,) places of the labels in `names`."""
    place = {name: index for index, name in enumerate(names)}
    return np.array([place[label] for label in labels], dtype=np.int64)
