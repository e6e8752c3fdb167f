"""The losses, one function a term; equations are numbered as in the paper (arXiv 2308.02510)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bci_live.config import Mining

# Of the structural similarity (Wang et al. 2004): side of the window in pixels, and the constants for values in 0…1.
_WINDOW = 7
_C1, _C2 = 0.01**2, 0.03**2


def triplet(features: Tensor, labels: Tensor, margin: float = 1.0, mining: Mining = "semi-hard") -> Tensor:
    """Mean of max(0, margin + |a - p|² - |a - n|²) over all pairs (a, p) of one label (eq. 1).

    Which negative n: "semi-hard", the nearest of those farther from a than p is, and where there is none, the farthest of
    all (Schroff et al. 2015); "hard", the nearest of all (Hermans et al. 2017); "all", the mean over every negative.

    Parameters
    ----------
    features : (n, d)
    labels : (n,)
    """
    distance = (features[:, None] - features[None]).square().sum(dim=2)
    same = labels[:, None] == labels[None]
    pairs = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    if not pairs.any() or bool(same.all()):
        return features.sum() * 0
    if mining == "all":
        triples = pairs[:, :, None] & ~same[:, None, :]
        return functional.relu(margin + distance[:, :, None] - distance[:, None, :])[triples].mean()
    with torch.no_grad():  # which negative it is has no gradient, only how far it is
        if mining == "hard":
            chosen = torch.where(same, torch.inf, distance).argmin(dim=1, keepdim=True).expand_as(distance)
        else:
            farther = ~same[:, None, :] & (distance[:, None, :] > distance[:, :, None])
            near, nearest = torch.where(farther, distance[:, None, :], torch.inf).min(dim=2)
            farthest = torch.where(same, -torch.inf, distance).argmax(dim=1, keepdim=True)
            chosen = torch.where(torch.isinf(near), farthest, nearest)
    negative = distance.gather(1, chosen)
    return functional.relu(margin + distance - negative)[pairs].mean()


def info_nce(features: Tensor, targets: Tensor, labels: Tensor, scale: Tensor | float) -> Tensor:
    """-½ [log softmax_j(s·cos(f_i, t_j)) + log softmax_j(s·cos(t_i, f_j))], mean over the j that show what i shows.

    InfoNCE (van den Oord et al. 2018, eq. 4), in both directions (Radford et al. 2021, fig. 3). Trials of one label share
    their target, so each of them counts as right, not as a negative (Khosla et al. 2020, eq. 2).

    Parameters
    ----------
    features, targets : (n, d), of any length
    labels : (n,)
    scale : s, one over the temperature
    """
    likeness = scale * functional.normalize(features, dim=1) @ functional.normalize(targets, dim=1).T
    same = (labels[:, None] == labels[None]).to(likeness.dtype)
    right = same / same.sum(dim=1, keepdim=True)
    return (functional.cross_entropy(likeness, right) + functional.cross_entropy(likeness.T, right)) / 2


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """max(0, 1 - D(real)) + max(0, 1 + D(fake)) (eq. 2)."""
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """-D(fake): the adversarial term (eq. 4)."""
    return -fake.mean()


def mode_seeking(fake_a: Tensor, fake_b: Tensor, noise_a: Tensor, noise_b: Tensor) -> Tensor:
    """-|G(z₁) - G(z₂)| / |z₁ - z₂|, mean absolute differences (eq. 5): other noise has to give another picture."""
    pictures = (fake_a - fake_b).abs().flatten(1).mean(dim=1)
    noises = (noise_a - noise_b).abs().mean(dim=1)
    return -(pictures / noises.clamp_min(1e-5)).mean()


def structural_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Mean SSIM (eq. 6) of (n, channels, h, w) pictures in 0…1, over flat windows of 7 × 7 pixels; 1 where equal."""
    down, across = (_means_over_windows(side, a) for side in a.shape[-2:])

    def blur(x: Tensor) -> Tensor:
        return down @ x @ across.T

    mean_a, mean_b = blur(a), blur(b)
    variance_a = blur(a * a) - mean_a**2
    variance_b = blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    return (likeness / ((mean_a**2 + mean_b**2 + _C1) * (variance_a + variance_b + _C2))).mean()


def _means_over_windows(side: int, like: Tensor) -> Tensor:
    """(side - 6, side): the means of 7 neighbours. A product with it takes a tenth of what pooling takes on a CPU."""
    places = torch.arange(side, device=like.device) - torch.arange(side - _WINDOW + 1, device=like.device)[:, None]
    return ((places >= 0) & (places < _WINDOW)).to(like.dtype) / _WINDOW
