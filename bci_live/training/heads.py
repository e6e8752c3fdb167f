"""Fits what stands on the encoder: the blend of label heads, the caption embedding, latent and contrast map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from torch import Tensor
from torch.nn import functional

from bci_live.decoding.heads import CaptionHead, ContrastHead, StructureHead, WaveformRidge
from bci_live.training.ridge import Array, Fold, Ridge, fit_ridge
from bci_live.types import FloatArray

# How decided an embedding is: the picture is to show one thing, also where the EEG leaves it open.
SHARPNESS_OF_LABELS = 12.0
SHARPNESS_OF_RIDGE = 40.0
MOST_STRUCTURE_AXES = 48
# Of encoder and plain head, per standard deviation of their logits: where every trial is read right, confidence has no end.
_WEIGHTS = ((0.0, 30.0), (1e-3, 30.0))


@dataclass(frozen=True, slots=True)
class Blend:
    """Which label heads have a weight, and the weights (deep, plain), which calibrate, too."""

    head: str
    weights: tuple[float, float]


def choose_blend(deep: Tensor, plain: Tensor, labels: Tensor) -> Blend:
    """The weighted sum of both heads' logits with the smallest cross-entropy on trials held out.

    Weights are not negative (stacking: Breiman 1996), so an encoder that only disturbs gets none. The plain head keeps a
    little: where nothing is read, trials have an order all the same, by which that can be seen.

    Parameters
    ----------
    deep, plain : (n, labels) logits of heads that had not seen the trial's run
    labels : (n,)
    """
    both = torch.stack([deep.double(), plain.double()])
    spread = both.std(dim=(1, 2)).clamp_min(1e-12)
    alike = both / spread[:, None, None]

    def entropy(weights: Array) -> tuple[float, Array]:
        tried = torch.tensor(weights, requires_grad=True)
        loss = _entropy(torch.einsum("h,hnl->nl", tried, alike), labels)
        (gradient,) = torch.autograd.grad(loss, tried)
        return loss.item(), gradient.numpy()

    found = minimize(entropy, np.full(2, 0.5), jac=True, method="L-BFGS-B", bounds=_WEIGHTS).x
    weights = (float(found[0] / spread[0]), float(found[1] / spread[1]))
    return Blend("encoder and plain" if weights[0] > 0 else "plain", weights)


def inverse_temperature(logits: Tensor, labels: Tensor) -> float:
    """That with the smallest cross-entropy (Guo et al. 2017)."""
    found = minimize_scalar(
        lambda power: _entropy(10**power * logits, labels).item(), bounds=(-3, 1.5), method="bounded"
    )
    return float(10**found.x)


def _entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits.double(), labels)


def fit_captions(
    head: CaptionHead, captions: Tensor, features: Tensor, labels: NDArray[np.int64], folds: Sequence[Fold]
) -> None:
    """Fit the ridge from feature to the plane of the captions, and set the head's tensors (but for the source).

    Parameters
    ----------
    captions : (labels, tokens, width)
    features : (n, feature)
    """
    points = lay_captions(head, captions).numpy()
    ridge, _ = fit_ridge(features.double().numpy(), points[labels], folds)
    _set_ridge(head.weight, head.bias, ridge)


def lay_captions(head: CaptionHead, captions: Tensor) -> Tensor:
    """Set all of the head but the ridge, from the captions, (labels, tokens, width); returns these in their plane, (labels, axes)."""
    flat = captions.flatten(1)
    centre = flat.mean(dim=0)
    _, _, axes = torch.linalg.svd(flat - centre, full_matrices=False)
    head.captions.copy_(flat)
    head.centre.copy_(centre)
    head.axes.copy_(axes[: len(head.axes)])
    head.sharpness.fill_(SHARPNESS_OF_LABELS if head.source == "labels" else SHARPNESS_OF_RIDGE)
    return head.points().double()


def structure_axes(latents: Tensor) -> int:
    """How many axes the structure head gets: never more than the different stimuli span."""
    return max(1, min(MOST_STRUCTURE_AXES, len(latents) - 1))


def fit_structure(
    head: StructureHead,
    data: FloatArray,
    latents: Tensor,
    shown: NDArray[np.int64],
    folds: Sequence[Fold],
    known: StructureHead | None = None,
) -> tuple[Tensor, float]:
    """Fit the ridge from waveforms to the PCA of the stimuli's latents.

    Parameters
    ----------
    data : (n, channels, times), µV
    latents : (m, *latent shape), of the different stimuli
    shown : (n,), which of them each epoch saw
    known : another person's: its axes are kept, and to what it reads the ridge is shrunk

    Returns
    -------
    (n, axes) coordinates read by ridges that had not seen the trial's run; and the share of the latents' variance that
    these explain (R², at most 1; 0 is what the mean explains)
    """
    flat = latents.flatten(1)[shown]
    if known is None:
        centre = flat.mean(dim=0)
        _, _, axes = torch.linalg.svd(latents.flatten(1) - centre, full_matrices=False)
        axes = axes[: len(head.axes)]
    else:
        centre, axes = known.centre, known.axes
    targets = ((flat - centre) @ axes.T).double().numpy()
    held_out = _fit_waveforms(head.read, data, targets, folds, known.read if known else None)
    head.axes.copy_(axes)
    head.centre.copy_(centre)
    head.spread.copy_(torch.from_numpy(held_out).std(dim=0).clamp_min(1e-6))
    return torch.from_numpy(held_out).float(), _explained(held_out, targets, float((flat - centre).square().sum()))


def fit_contrast(
    head: ContrastHead,
    data: FloatArray,
    maps: Tensor,
    shown: NDArray[np.int64],
    folds: Sequence[Fold],
    known: ContrastHead | None = None,
) -> tuple[Tensor, float]:
    """Fit the ridge from early waveforms to the stimuli's contrast maps, (m, side, side), shrunk to what a `known` one reads.

    Returns
    -------
    (n, 1, side, side) maps read by ridges that had not seen the trial's run, and the share of variance they explain
    """
    flat = maps.flatten(1)[shown].double()
    centred = flat - flat.mean(dim=0)
    targets = (centred / centred.square().mean().sqrt().clamp_min(1e-9)).numpy()
    held_out = _fit_waveforms(head.read, data, targets, folds, known.read if known else None)
    read = torch.from_numpy(held_out).float().unflatten(1, (1, *maps.shape[1:]))
    return read, _explained(held_out, targets, float((targets**2).sum()))


def _fit_waveforms(
    head: WaveformRidge, data: FloatArray, targets: Array, folds: Sequence[Fold], known: WaveformRidge | None
) -> Array:
    """Fit the ridge; returns (n, outputs), each trial read by a ridge that had not seen its run.

    Where another person's is known, the ridge is fitted to what that leaves, and both are added.
    """
    inputs = head.inputs(torch.from_numpy(data))
    head.mean.copy_(inputs.mean(dim=0))
    head.deviation.copy_(inputs.std(dim=0).clamp_min(1e-6))
    standard = ((inputs - head.mean) / head.deviation).double().numpy()
    expected = np.zeros_like(targets) if known is None else known(torch.from_numpy(data)).double().numpy()
    ridge, held_out = fit_ridge(standard, targets - expected, folds)
    _set_ridge(head.weight, head.bias, ridge)
    if known is not None:
        weight = known.weight / known.deviation
        head.weight.add_(weight * head.deviation)
        head.bias.add_(known.bias + weight @ (head.mean - known.mean))
    return held_out + expected


def _explained(predicted: Array, targets: Array, total: float) -> float:
    gained = (targets**2).sum() - ((targets - predicted) ** 2).sum()
    return float(gained / total) if total else 0.0


def _set_ridge(weight: Tensor, bias: Tensor, ridge: Ridge) -> None:
    weight.copy_(torch.from_numpy(ridge.weight))
    bias.copy_(torch.from_numpy(ridge.bias))
