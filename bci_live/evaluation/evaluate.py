"""Judges a trained decoder on sessions that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bci_live.decoding.decoder import TrainedDecoder
from bci_live.errors import RecordingError
from bci_live.evaluation.conclusion import (
    FEWEST_TRIALS,
    HIGH_PASS_HZ,
    Findings,
    Tell,
    add_common_controls,
    check_enough,
    conclude,
    filter_from,
    scale_of,
    silent,
)
from bci_live.evaluation.controls import Control
from bci_live.evaluation.drawing import Drawing
from bci_live.evaluation.reading import (
    Cut,
    Preparation,
    Trials,
    check_known,
    cut_for,
    decode_all,
    indices_of,
    probabilities_of,
    read_alone,
    read_sessions,
)
from bci_live.evaluation.result import Evaluation
from bci_live.sessions.recording import Recording, digests


def evaluate_decoder(
    decoder: TrainedDecoder,
    sessions: Sequence[Path],
    *,
    drawing: Drawing,
    marker_labels: Mapping[str, str] | None = None,
    reject_uv: Mapping[str, float] | None = None,
    seed: int = 0,
    tell: Tell = silent,
) -> Evaluation:
    """Score a decoder through the live causal path, with its controls.

    Parameters
    ----------
    sessions : recordings with markers, none of which it was trained on
    drawing : how many pictures are drawn, by which pipeline, which has to fit the decoder (`live.fitting.check_fit`)
    marker_labels : what the markers mean; unless told, what the decoder remembers
    reject_uv : by type of channel the largest span of an epoch, µV; unless told, the decoder's own

    Raises
    ------
    RecordingError
        If it was trained on one of the sessions, or one cannot be read, or there are too few trials.
    LabelError, MontageError
        If markers or channels do not fit the decoder.
    """
    findings, card = Findings(), decoder.card
    recordings = read_sessions(sessions, card.marker_labels if marker_labels is None else marker_labels)
    check_unseen(decoder, recordings)
    check_known(recordings, card.labels)
    limits = card.epoch.reject_uv if reject_uv is None else dict(reject_uv)
    epoch_config = card.epoch.model_copy(update={"reject_uv": limits})
    tell("reading", 0.0)
    cut = cut_for(decoder, recordings, epoch_config=epoch_config)
    check_enough(cut)
    trials = _read(decoder, cut)
    add_common_controls(findings, trials, cut, decoder.captions, seed)
    tell("controls", 0.0)
    before = cut_for(decoder, recordings, epoch_config=epoch_config, before_onset=True)
    findings.add("pre_stimulus", _reread(decoder, before, "the same decoder, windows that end before the onset"))
    zero = _read(decoder, cut, np.zeros_like(cut.data))
    findings.add(
        "zeroed", scale_of(trials).of(zero.probabilities, "the same decoder, all samples zero", arithmetic=True)
    )
    _sweep(findings, decoder, recordings, cut, tell)
    return conclude(
        findings,
        trials,
        cut,
        recordings,
        Preparation(card.channels, card.rate, card.filter, epoch_config),
        decoder=f"a decoder that says of itself, when it was trained: {card.describe()}",
        split=_split(decoder),
        folds=(),
        drawing=drawing,
        seed=seed,
        tell=tell,
    )


def check_unseen(decoder: TrainedDecoder, recordings: Sequence[Recording]) -> None:
    """That neither the decoder nor one that it was made from was trained on any of the files.

    Raises
    ------
    RecordingError
        If it was; the sentence names the file.
    """
    for recording in recordings:
        name = decoder.card.trained_on(digests(recording))
        if name is not None:
            raise RecordingError(
                f"The decoder was trained on '{recording.path}' (as '{name}'): a score on it would say nothing. "
                "Evaluate on another session, or let --cross-validate train decoders that have not seen it."
            )


def _read(decoder: TrainedDecoder, cut: Cut, data: np.ndarray | None = None) -> Trials:
    decodings, names = decode_all(decoder, cut, data), decoder.card.labels
    labels = indices_of(cut.labels, names)
    read = probabilities_of(decodings, names)
    alone = read_alone(decoder, cut, names) if data is None else {}
    contrasts = decoder.contrasts(cut.data if data is None else data)
    everywhere = np.ones_like(read, dtype=bool)
    return Trials(names, read, labels, np.zeros_like(labels), cut, decodings, everywhere, contrasts, alone)


def _reread(decoder: TrainedDecoder, cut: Cut, note: str) -> Control | str:
    """The decoder on other epochs of the recordings; or why that says nothing."""
    if len(cut.markers) < FEWEST_TRIALS:
        return f"there are {len(cut.markers)} clean epochs of that kind"
    trials = _read(decoder, cut)
    return scale_of(trials).of(trials.probabilities, note)


def _sweep(findings: Findings, decoder: TrainedDecoder, recordings: Sequence[Recording], cut: Cut, tell: Tell) -> None:
    """The same decoder on the same trials, filtered from other frequencies up."""
    card = decoder.card
    unlimited = card.epoch.model_copy(update={"reject_uv": {}})
    for number, low_hz in enumerate(HIGH_PASS_HZ):
        tell("high-pass sweep", number / len(HIGH_PASS_HZ))
        if low_hz >= card.filter.high_hz:
            continue
        filtered = cut_for(decoder, recordings, filter_from(card.filter, low_hz), unlimited)
        same = filtered.take(filtered.indices_of(cut, np.arange(len(cut.markers))))
        found = _reread(decoder, same, f"the same decoder, not retrained, epochs filtered from {low_hz:g} Hz up")
        if isinstance(found, Control):
            findings.sweep[f"{low_hz:g}"] = found


def _split(decoder: TrainedDecoder) -> str:
    files = decoder.card.files
    if not files:
        return "sessions given; the decoder does not tell what it was trained on, so nobody can say that they are new to it"
    return f"whole sessions, none of them among the {len(files)} files that the decoder was trained on"
