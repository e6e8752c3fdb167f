"""Another person's decoder as what a training begins from: `train --fine-tune`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bci_live.config import EpochConfig
from bci_live.decoding.card import DecoderCard
from bci_live.decoding.decoder import DecoderNetwork, load_network
from bci_live.diffusion.pipeline import pipeline_name
from bci_live.errors import DecoderError, some_of
from bci_live.stimuli.captions import CaptionBank
from bci_live.training.encoder import EncoderTraining
from bci_live.training.preparation import LoadedSession, TrainingSet, cut_sessions

# So few of each label are no training, but tell how somebody differs from somebody else.
FEWEST_EPOCHS_PER_LABEL = 4
_STEP_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Origin:
    """The decoder that training begins from; window, band, channels, labels and encoder stay as they are in it."""

    folder: Path
    card: DecoderCard
    network: DecoderNetwork


def load_origin(folder: Path, pipeline: Path, bank: CaptionBank) -> Origin:
    """Read it.

    Raises
    ------
    DecoderError
        If it is no decoder, or speaks to another diffusion pipeline.
    """
    card, network = load_network(folder)
    name = pipeline_name(pipeline)
    if (card.pipeline, card.tokens, card.width) != (name, *bank.embeddings.shape[1:]):
        raise DecoderError(
            f"The decoder '{folder}' speaks to the diffusion pipeline '{card.pipeline}', not to '{name}'. "
            "Name its own with --diffusion."
        )
    return Origin(folder, card, network.eval().requires_grad_(False))


def gentler(settings: EncoderTraining, origin: Origin) -> EncoderTraining:
    """The settings with the decoder's kind of encoder and shorter steps, so that what it knows is not thrown away at once."""
    return replace(
        settings,
        encoder=origin.card.encoder,
        subject_layer=bool(origin.card.subjects),
        learning_rate=settings.learning_rate * _STEP_SHARE,
    )


def taken_over(origin: Origin) -> dict[str, Any]:
    """What of its card the new one has, too; all that it had seen was not unseen by what comes of it."""
    card = origin.card
    before = (*card.files_before, *card.files)
    return {"sizes": card.sizes, "prefixes": card.prefixes, "captions": card.captions, "files_before": before}


def known_for(origin: Origin, subjects: Sequence[str]) -> DecoderNetwork:
    """The decoder's network, whose encoder has the layers of these subjects: of whom it knows their own, of others the mean."""
    network, known = copy.deepcopy(origin.network), origin.card.subjects
    if network.encoder.subjects is not None:
        layers = network.encoder.subjects.differences
        chosen = [layers[known.index(it)] if it in known else layers.mean(dim=0) for it in subjects]
        network.encoder.subjects.differences = nn.Parameter(torch.stack(chosen), requires_grad=False)
    return network


def cut_as(
    origin: Origin, sessions: tuple[LoadedSession, ...], epoch_config: EpochConfig, marker_labels: Mapping[str, str]
) -> TrainingSet:
    """The sessions, cut as the decoder reads them.

    Raises
    ------
    DecoderError
        If their headset is not the decoder's, they do not show what it tells apart, or it was trained on one of them.
    """
    _check_headset(origin, sessions)
    card = origin.card
    known = [str(session.recording.path) for session in sessions if card.trained_on(session.digests)]
    if known:
        raise DecoderError(
            f"The decoder '{origin.folder}' was trained on '{known[0]}' already: what is held out of it would not be unseen. "
            "Leave that session out."
        )
    examples = cut_sessions(sessions, card.filter, epoch_config, marker_labels, card.channels, FEWEST_EPOCHS_PER_LABEL)
    if examples.names != card.labels:
        differ = sorted(set(examples.names) ^ set(card.labels))
        raise DecoderError(
            f"The decoder '{origin.folder}' and the sessions do not have the same labels: {some_of(differ)}: in one of "
            "them alone. Show what it tells apart, or train without --fine-tune."
        )
    return examples


def _check_headset(origin: Origin, sessions: tuple[LoadedSession, ...]) -> None:
    """That every channel of the decoder is there and alive, at its rate."""
    for session in sessions:
        facts, path = session.recording.facts, session.recording.path
        there = {name.lower() for name in facts.channels} - session.dead
        absent = [name for name in origin.card.channels if name.lower() not in there]
        if absent:
            raise DecoderError(
                f"The decoder '{origin.folder}' reads {', '.join(absent)}, which '{path}' does not have or which carries no EEG "
                "there. Fine-tune a decoder of the same headset, or train without --fine-tune."
            )
        if facts.rate != origin.card.rate:
            raise DecoderError(
                f"The decoder '{origin.folder}' reads {origin.card.rate:g} Hz, and '{path}' has {facts.rate:g} Hz. Fine-tune a "
                "decoder of the same headset, or train without --fine-tune."
            )
