"""What a decoder will be, known before its training: how epochs are cut, what it speaks, how large its parts are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from bci_live.config import EpochConfig, FilterConfig
from bci_live.decoding.card import DecoderCard
from bci_live.diffusion.pipeline import pipeline_name
from bci_live.stimuli.captions import CaptionBank
from bci_live.training.bands import plain_sizes
from bci_live.training.encoder import EncoderTraining
from bci_live.training.folds import describe_split
from bci_live.training.heads import structure_axes
from bci_live.training.prefixes import PREFIXES_S
from bci_live.training.preparation import TrainingSet

# The encoder reads about so many values a second, and has so many filters: more only cost.
_ENCODER_HZ = 125.0
_FEWEST_FILTERS, _MOST_FILTERS = 16, 32


def draft_card(
    examples: TrainingSet,
    bank: CaptionBank,
    pipeline: Path,
    latents: Tensor,
    space: str,
    filter_config: FilterConfig,
    epoch_config: EpochConfig,
    training: EncoderTraining,
    captions: Mapping[str, str],
) -> DecoderCard:
    """The card with sizes by the number of channels, labels and latents; scores and chosen heads come with the training.

    `latents`: (m, channels, h, w), what the structure head learns. `space`: whose latents these are, or nothing for pictures.
    `captions`: those in the bank that are not the pipeline's own.
    """
    sizes = plain_sizes(len(examples.names), len(examples.channels)).model_copy(
        update={
            "filters": min(_MOST_FILTERS, max(_FEWEST_FILTERS, len(examples.channels))),
            "bin": max(1, round(examples.rate / _ENCODER_HZ)),
            "caption_axes": len(examples.names) - 1,
            "structure_axes": structure_axes(latents),
        }
    )
    return DecoderCard(
        channels=examples.channels,
        rate=examples.rate,
        n_times=examples.data.shape[2],
        filter=filter_config,
        epoch=epoch_config,
        labels=examples.names,
        marker_labels=examples.marker_labels,
        captions=dict(captions),
        bank_labels=bank.labels,
        pipeline=pipeline_name(pipeline),
        tokens=bank.embeddings.shape[1],
        width=bank.embeddings.shape[2],
        text_space=bank.space,
        latent_shape=(latents.shape[1], latents.shape[2], latents.shape[3]) if space else None,
        latent_space=space,
        encoder=training.encoder,
        subjects=examples.subjects if training.subject_layer else (),
        sizes=sizes,
        label_head="encoder",
        caption_source="labels",
        files=examples.files,
        split=describe_split(examples.runs),
        prefixes=tuple(until_s for until_s in PREFIXES_S if until_s < epoch_config.stop_s),
        repairs=examples.repair is not None,
        simulated=examples.simulated,
    )
