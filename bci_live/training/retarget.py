"""Makes a decoder speak to another diffusion pipeline: its captions in seconds and without EEG, its latent from sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bci_live.decoding.card import DecoderCard
from bci_live.decoding.decoder import DecoderNetwork, load_network
from bci_live.decoding.device import pick_device
from bci_live.decoding.heads import CaptionHead, StructureHead
from bci_live.decoding.storage import check_out, save_decoder
from bci_live.diffusion.pipeline import pipeline_folder, pipeline_name
from bci_live.diffusion.spaces import latent_space
from bci_live.diffusion.text import caption_bank
from bci_live.errors import LabelError, RecordingError
from bci_live.signal.epoching import EpochPlan
from bci_live.signal.repair import ChannelRepair
from bci_live.stimuli.captions import CaptionBank
from bci_live.training.captions import with_captions
from bci_live.training.epochs import cut_recording
from bci_live.training.folds import folds_by_run
from bci_live.training.heads import lay_captions
from bci_live.training.latents import structure_of
from bci_live.training.preparation import LoadedSession, load_sessions, pictures_of, training_file
from bci_live.training.ridge import Fold, fit_ridge
from bci_live.types import FloatArray, Picture

# A ridge can be fitted to fewer, to no use.
_FEWEST = 40
# Measured in the spaces of before.
_OUTDATED = ("caption_top1_ridge", "latent_explained")


@torch.no_grad()
def retarget(
    decoder: Path,
    sessions: Sequence[Path],
    out: Path,
    *,
    pipeline: str | Path,
    device: str = "cpu",
    overwrite: bool = False,
) -> DecoderCard:
    """Write `decoder` to `out` with the caption head of another text space and, from sessions, the latent of another VAE.

    Nothing else is trained again: what it reads of the EEG stays as it is.

    Parameters
    ----------
    sessions : recordings of the decoder's headset; without any the latent stays that of the VAE of before
    pipeline : a folder, a short name or a hub name

    Raises
    ------
    DecoderError
        If `decoder` is none, or `out` holds something that is not to be overwritten.
    DiffusionError
        If the pipeline is not there, or has no text encoder.
    RecordingError, MontageError, LabelError
        If the sessions, or the pipeline's captions, are not the decoder's.
    """
    out = Path(out)
    check_out(out, overwrite)
    card, network = load_network(decoder)
    folder, where = pipeline_folder(pipeline), pick_device(device)
    bank = with_captions(caption_bank(folder, where), folder, card.captions, where)
    captions = _captions(bank, card)
    told: dict[str, object] = {
        "pipeline": pipeline_name(pipeline),
        "text_space": bank.space,
        "bank_labels": bank.labels,
    }
    told |= {"tokens": captions.shape[1], "width": captions.shape[2]}
    told["latent_space"] = card.latent_space or card.pipeline
    scores = {name: score for name, score in card.scores.items() if name not in _OUTDATED}
    latents = None
    if sessions:
        loaded = load_sessions(sessions, bank.labels, card.marker_labels)
        seen = _cut(loaded, card, network.repair)
        fitted = tuple(
            training_file(it, int(count))
            for it, count in zip(loaded, np.bincount(seen.runs, minlength=len(loaded)), strict=True)
        )
        told["files_before"] = (*card.files_before, *fitted)
        latents, is_latent = structure_of(seen.pictures, folder, where)
        told |= {"latent_shape": tuple(latents.shape[1:]), "latent_space": latent_space(folder)} if is_latent else {}
    other = DecoderNetwork(card.model_copy(update=told))
    _take_over(other, network)
    move_captions(network.caption, other.caption, captions)
    if latents is not None:
        coordinates = network.structure(torch.from_numpy(seen.data))
        repaint(other.structure, coordinates, latents, seen.shown, folds_by_run(seen.runs))
    return save_decoder(out, card.model_copy(update=told | {"scores": scores}), other.state_dict())


def _captions(bank: CaptionBank, card: DecoderCard) -> Tensor:
    missing = [label for label in card.labels if label not in bank.labels]
    if missing:
        raise LabelError(f"The pipeline has no caption for the decoder's labels {', '.join(missing)}.")
    return torch.from_numpy(bank.of(card.labels))


@dataclass(frozen=True, slots=True)
class _Seen:
    """`data`: (n, channels, times), µV. `pictures`: (m, 64, 64, 3). `shown`: (n,), which of them. `runs`: (n,)."""

    data: FloatArray
    pictures: Picture
    shown: NDArray[np.int64]
    runs: NDArray[np.int64]


def _cut(sessions: Sequence[LoadedSession], card: DecoderCard, repair: ChannelRepair | None) -> _Seen:
    """As the decoder would see them live."""
    cuts = []
    for session in sessions:
        plan = EpochPlan(session.recording.facts.rate, card.rate, card.filter, card.epoch, repair)
        cuts.append(cut_recording(session.recording, plan, card.channels, session.ring))
    lengths = [len(cut.markers) for cut in cuts]
    if sum(lengths) < _FEWEST:
        raise RecordingError(
            f"The sessions have {sum(lengths)} clean epochs, too few to fit a latent to: {_FEWEST} are needed."
        )
    stimuli = [(marker.label, marker.detail) for cut in cuts for marker in cut.markers]
    runs = np.repeat(np.arange(len(cuts)), lengths)
    return _Seen(np.concatenate([cut.data for cut in cuts]), *pictures_of(stimuli), runs)


def _take_over(other: DecoderNetwork, network: DecoderNetwork) -> None:
    """All that does not depend on the pipeline."""
    kept: Mapping[str, Tensor] = network.state_dict()
    shapes = {name: tensor.shape for name, tensor in other.state_dict().items()}
    other.load_state_dict({name: it for name, it in kept.items() if it.shape == shapes[name]}, strict=False)


def move_captions(before: CaptionHead, after: CaptionHead, captions: Tensor) -> None:
    """Set the captions, and carry the ridge over into their plane.

    The ridge's prediction is linear in its targets, and the captions span their plane: the affine map that takes each
    caption of before to the one of now takes the ridge of before to the one that the same trials would give now.

    Parameters
    ----------
    captions : (labels, tokens, width)
    """
    points = before.points().double()
    targets = lay_captions(after, captions)
    ones = torch.ones(len(points), 1, dtype=torch.float64)
    solution = torch.linalg.lstsq(torch.cat([points, ones], dim=1), targets, driver="gelsd").solution
    turn, shift = solution[:-1].T, solution[-1]
    after.weight.copy_(turn @ before.weight.double())
    after.bias.copy_(turn @ before.bias.double() + shift)


def repaint(
    head: StructureHead, coordinates: Tensor, latents: Tensor, shown: NDArray[np.int64], folds: Sequence[Fold]
) -> None:
    """Fit what the coordinates look like in another latent space. What is read of the EEG stays: the saliency map needs it.

    Parameters
    ----------
    coordinates : (n, axes), as read of the examples
    latents : (m, channels, h, w), of the different pictures
    shown : (n,), which of them each example saw
    """
    flat = latents.flatten(1)[torch.from_numpy(shown)]
    centre = flat.mean(dim=0)
    _, _, axes = torch.linalg.svd(latents.flatten(1) - centre, full_matrices=False)
    axes = axes[: coordinates.shape[1]]
    targets = ((flat - centre) @ axes.T).double().numpy()
    ridge, _ = fit_ridge(coordinates.double().numpy(), targets, folds)
    head.axes.copy_(torch.from_numpy(ridge.weight.T) @ axes.double())
    head.centre.copy_(centre + torch.from_numpy(ridge.bias) @ axes.double())
