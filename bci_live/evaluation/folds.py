"""A fold of a cross-validation: a decoder trained on files, as a user's is, and what it reads of the trials left out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bci_live.config import EpochConfig, FilterConfig
from bci_live.decoding.decoder import TrainedDecoder, load_decoder
from bci_live.errors import BciError, LabelError, RecordingError
from bci_live.evaluation.controls import Control, Scale, shuffled_within_runs
from bci_live.evaluation.drawing import Drawing
from bci_live.evaluation.identification import identify
from bci_live.evaluation.reading import (
    Cut,
    Trials,
    cut_for,
    decode_as_their_own,
    indices_of,
    probabilities_of,
    read_alone,
)
from bci_live.evaluation.result import FoldScore
from bci_live.evaluation.scores import Array, label_score
from bci_live.evaluation.splits import Split
from bci_live.sessions.naming import origin_of
from bci_live.sessions.recording import Recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.stimuli.captions import CaptionBank
from bci_live.training.adversarial import SaliencyTraining
from bci_live.training.decoder import train_decoder
from bci_live.training.encoder import EncoderTraining
from bci_live.types import Decoding, Epoch

# Label scores do not need the saliency generator.
_NO_SALIENCY = SaliencyTraining(steps=2, batch=4)


@dataclass(frozen=True, slots=True)
class Training:
    """How the decoder of each fold is trained; its saliency generator only where pictures are drawn.

    `filter`: the band of the controls, and of the decoders unless each of them chooses its own (`chooses_band`). `captions`: by
    label, in place of the pipeline's own.
    """

    filter: FilterConfig
    epoch: EpochConfig
    marker_labels: Mapping[str, str]
    seed: int = 0
    device: str = "cpu"
    encoder: EncoderTraining | None = None
    saliency: SaliencyTraining | None = None
    chooses_band: bool = False
    captions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fold:
    """What one decoder read of what was held out of its training."""

    trials: Trials
    zeroed: Array
    score: FoldScore


@dataclass(frozen=True, slots=True)
class Folds:
    """Trains and reads the folds of one cross-validation.

    `cut`: all trials of the recordings. `names`: the labels. `bank`: by whose captions labels are identified that a split leaves out.
    """

    recordings: Sequence[Recording]
    cut: Cut
    names: tuple[str, ...]
    bank: CaptionBank
    training: Training
    drawing: Drawing

    def read(self, number: int, split: Split) -> Fold:
        """Train without what the split holds out, and read that."""
        with tempfile.TemporaryDirectory(prefix="bci-live-fold-") as folder:
            sessions = _sessions_to_fit(self.recordings, self.cut, split, Path(folder))
            decoder = self._trained(sessions, Path(folder), draws=self.drawing.count > 0)
        held = self._held(decoder, split)
        decodings, labels = decode_as_their_own(decoder, self.recordings, held), indices_of(held.labels, self.names)
        read, folds = self._evidence(decodings, split), np.full_like(labels, number)
        candidates = np.tile(np.isin(self.names, split.among or self.names), (len(labels), 1))
        silence = Epoch(np.zeros(held.data.shape[1:], dtype=np.float32), 0.0, held.markers[0], 0.0, 0.0)
        zeroed = np.repeat(self._evidence([decoder.decode(silence)], split), len(labels), axis=0)
        alone = {} if split.among else read_alone(decoder, held, self.names)
        return Fold(
            Trials(self.names, read, labels, folds, held, decodings, candidates, decoder.contrasts(held.data), alone),
            zeroed,
            FoldScore(split.name, label_score(read, labels, folds), len(labels), len(split.fit)),
        )

    def shuffled(self, split: Split) -> Control | str:
        """The whole training (encoder, every head, stacking, calibration) on labels shuffled within runs.

        What is held out is shuffled likewise and scored by that, so that a trial on both sides of the split is found out. Where
        a split takes parts of runs, too few trials of a label may be left to fit: then that is said instead, as where a
        single label is held out.
        """
        cut = self._shuffled_cut(split)
        if len({cut.labels[trial] for trial in split.hold}) < 2:
            return f"shuffled, {split.name} shows one label alone"
        with tempfile.TemporaryDirectory(prefix="bci-live-fold-") as folder:
            sessions = _sessions_to_fit(self.recordings, cut, split, Path(folder), copies=True)
            try:
                decoder = self._trained(sessions, Path(folder), draws=False)
            except (RecordingError, LabelError) as error:
                return f"shuffled, the labels cannot be trained on: {error}"
        held = self._held(decoder, split)
        decodings = decode_as_their_own(decoder, self.recordings, held)
        labels = indices_of(cut.take(cut.indices_of(held, np.arange(len(held.labels)))).labels, self.names)
        scale = Scale(labels, np.zeros_like(labels), len(split.among or self.names))
        note = (
            f"encoder and all heads trained on labels shuffled within runs, read on {split.name}: {len(labels)} trials"
        )
        return scale.of(self._evidence(decodings, split), note)

    def _shuffled_cut(self, split: Split) -> Cut:
        """The markers' labels and stimuli in another order, each run's among themselves, and those left out among themselves."""
        apart = 2 * self.cut.runs + np.isin(self.cut.labels, split.among)
        rng = np.random.default_rng(self.training.seed)
        order = shuffled_within_runs(np.arange(len(self.cut.markers)), apart, rng)
        shown = [self.cut.markers[other] for other in order]
        markers = [
            replace(own, label=it.label, detail=it.detail) for own, it in zip(self.cut.markers, shown, strict=True)
        ]
        return replace(self.cut, markers=tuple(markers))

    def _trained(self, sessions: list[Path], folder: Path, draws: bool) -> TrainedDecoder:
        training = self.training
        train_decoder(
            sessions,
            folder / "decoder",
            pipeline=Path(self.drawing.pipeline),
            filter_config=None if training.chooses_band else training.filter,
            epoch_config=training.epoch,
            marker_labels=_also_names(training.marker_labels, self.names),
            seed=training.seed,
            device=training.device,
            progress=False,
            encoder_training=training.encoder,
            saliency_training=training.saliency if draws else _NO_SALIENCY,
            captions=training.captions,
        )
        return load_decoder(folder / "decoder", training.device)

    def _held(self, decoder: TrainedDecoder, split: Split) -> Cut:
        """What the split holds out, cut as the decoder wants it."""
        held = cut_for(decoder, self.recordings, runs={int(run) for run in self.cut.runs[split.hold]})
        return held.take(held.indices_of(self.cut, split.hold))

    def _evidence(self, decodings: Sequence[Decoding], split: Split) -> Array:
        """(n, names): the decoder's probabilities; where its trials' labels are new to it, how near their captions are."""
        if not split.among:
            return probabilities_of(decodings, self.names)
        embeddings = np.stack([decoding.embedding for decoding in decodings])
        return identify(embeddings, self.names, split.among, self.bank)


def _sessions_to_fit(
    recordings: Sequence[Recording], cut: Cut, split: Split, folder: Path, copies: bool = False
) -> list[Path]:
    """The recordings' own files where all of their trials may be fitted on, else copies without the markers that may not.

    `copies`: always copies, with the markers of `cut`.
    """
    sessions = []
    for run, recording in enumerate(recordings):
        chosen = split.fit[cut.runs[split.fit] == run]
        if len(chosen) == (cut.runs == run).sum() and not copies:
            sessions.append(recording.path)
        elif len(chosen):
            path = folder / f"sub-{origin_of(recording.path).subject or 'unknown'}_part-{run + 1:02d}.xdf"
            write_recording(path, replace(recording, markers=tuple(cut.markers[i] for i in chosen)))
            sessions.append(path)
    if not sessions:
        raise BciError(
            f"Without {split.name} there is nothing left to train on. Name more recordings, or split by run."
        )
    return sessions


def _also_names(marker_labels: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The copies' markers are named already."""
    return {name: name for name in names} | dict(marker_labels) if marker_labels else {}
