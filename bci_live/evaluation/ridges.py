"""The baselines of what is drawn: the ridges of the latent and of the contrast map, by how much of the stimuli they explain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from bci_live.evaluation.picture_scores import PIXELS
from bci_live.evaluation.reading import Trials
from bci_live.evaluation.scores import CHANCE_LEVEL, Array, Indices, Scored, bootstrap
from bci_live.evaluation.structure import differ, of_others
from bci_live.stimuli.rendering import resized
from bci_live.training.latents import structure_of
from bci_live.training.placement import contrast_map
from bci_live.types import FloatArray, Picture

LATENT, CONTRAST = "latent", "contrast map"
_PERMUTATIONS = 500


def score_ridges(
    trials: Trials, shown: Picture, pipeline: Path, device: torch.device, seed: int, missing: Callable[[str, str], None]
) -> dict[str, Scored]:
    """Of each ridge the share of the stimuli's variance that it explains, of trials that it was not fitted on.

    Parameters
    ----------
    shown : (n, h, w, 3), the stimulus of each trial, or its label's picture
    pipeline : the folder whose autoencoder makes the latents
    missing : gets what is not scored, and why

    Raises
    ------
    DiffusionError
        If the autoencoder cannot be read.
    """
    if not differ(shown):
        missing("ridges", "all trials show the same picture")
        return {}
    scores = {CONTRAST: share_explained(trials.contrasts, _standard_maps(shown, trials.contrasts.shape[-1]), seed)}
    read = [decoding.latent for decoding in trials.decodings]
    truth, is_latent = _latents(shown, pipeline, device)
    if is_latent and all(it is not None and it.shape == truth.shape[1:] for it in read):
        scores[LATENT] = share_explained(np.stack([it for it in read if it is not None]), truth, seed)
    else:
        missing("latent ridge", "the decoder reads no latents of this pipeline")
    return scores


def share_explained(read: FloatArray | Array, truth: FloatArray | Array, seed: int) -> Scored:
    """R² of (n, …) against the stimuli's (n, …), at most 1; 0 is what their mean explains, and less is worse than that.

    Chance is what others' stimuli leave of it: the mean, and where it stays, over trials that change places.
    """
    wanted = (truth - truth.mean(axis=0)).reshape(len(truth), -1).astype(np.float64)
    found = (read - truth.mean(axis=0)).reshape(len(read), -1).astype(np.float64)
    totals, sizes, meeting = (wanted**2).sum(axis=1), (found**2).sum(axis=1), found @ wanted.T
    rng, places = np.random.default_rng(seed), np.arange(len(read))

    def explained(chosen: Indices, others: Indices) -> float:
        return float((2 * meeting[chosen, others] - sizes[chosen]).sum() / totals[others].sum())

    by_chance = [explained(places, rng.permutation(places)) for _ in range(_PERMUTATIONS)]
    low, high = np.quantile(by_chance, [(1 - CHANCE_LEVEL) / 2, (1 + CHANCE_LEVEL) / 2])
    interval = bootstrap(lambda chosen: explained(chosen, chosen), len(read), seed)
    return Scored(explained(places, places), interval, float(np.mean(by_chance)), (float(low), float(high)))


def contrast_pictures(contrasts: FloatArray, shown: Picture) -> Picture:
    """(n, side, side), as the ridge reads it → (n, 64, 64, 3), grey, for the structure that it tells without a generator.

    The ridge reads how far a map is from the mean one: that of the other stimuli is added again, whatever the trial.
    """
    maps = contrast_map(shown, contrasts.shape[-1]).numpy().astype(np.float64)
    whole = (of_others(maps, shown) + contrasts * _deviation(maps)).clip(0, 1)
    return resized(np.repeat((255 * whole).astype(np.uint8)[..., None], 3, axis=-1), PIXELS)


def _standard_maps(shown: Picture, side: int) -> Array:
    """The stimuli's contrast maps in the unit of the head: (n, side, side)."""
    maps = contrast_map(shown, side).numpy().astype(np.float64)
    return np.asarray((maps - maps.mean(axis=0)) / _deviation(maps))


def _deviation(maps: Array) -> float:
    return max(1e-9, float(np.sqrt(((maps - maps.mean(axis=0)) ** 2).mean())))


def _latents(shown: Picture, pipeline: Path, device: torch.device) -> tuple[FloatArray, bool]:
    """Each different stimulus encoded once."""
    different, which = np.unique(shown, axis=0, return_inverse=True)
    latents, is_latent = structure_of(different, pipeline, device)
    return latents.numpy()[which.reshape(-1)], is_latent
