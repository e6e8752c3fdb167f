"""What a draw begins from: an encoded picture, a latent, or the mean of both, and the noise of a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bci_live.diffusion.engine import Engine
from bci_live.errors import DiffusionError
from bci_live.types import FloatArray

# (h, w, 3) picture in 0…1; (channels, h, w) scaled latent; a picture and a latent, whose mean in latent space is drawn from;
# None for flat grey.
Initial = FloatArray | tuple[FloatArray, FloatArray] | None
# So many seeds' noise is kept: each listener has one of its own.
_SEEDS_KEPT = 64


@dataclass(frozen=True, slots=True)
class _Noise:
    """Standard normal numbers of a seed. `sampling`: of a variational encoder's sample. `state`: the generator's, after them."""

    sampling: Tensor | None
    start: Tensor
    state: Tensor


@lru_cache(maxsize=_SEEDS_KEPT)
def _noise(seed: int, shape: tuple[int, ...], sampled: bool) -> _Noise:
    # On the CPU, so that a seed means the same picture on every device; drawn in the order in which diffusers does.
    generator = torch.Generator().manual_seed(seed)
    sampling = torch.randn(shape, generator=generator) if sampled else None
    return _Noise(sampling, torch.randn(shape, generator=generator), generator.get_state())


def begin(
    engine: Engine, initials: Sequence[Initial], seeds: Sequence[int]
) -> tuple[Tensor, Tensor, list[torch.Generator]]:
    """The clean start and the noise, both (n, *latent shape), and each row's generator for what noise comes later."""
    parts = [_parted(initial, engine) for initial in initials]
    shape = engine.latent_shape
    pictured = [latent is None or picture is not None for picture, latent in parts]
    encoded = _encoded(engine, [picture for picture, _ in parts]) if any(pictured) else None
    sampled = encoded is not None and encoded.shape[1] == 2 * shape[0]
    noises = [_noise(seed, shape, sampled and seen) for seed, seen in zip(seeds, pictured, strict=True)]
    if encoded is not None and sampled:
        blank = torch.zeros(shape)
        sampling = torch.stack([blank if noise.sampling is None else noise.sampling for noise in noises])
        mean, deviation = encoded.chunk(2, dim=1)
        encoded = mean + deviation * engine.sent(sampling)
    rows = []
    for row, (_, latent) in enumerate(parts):
        ways = [] if latent is None else [engine.sent(latent)]
        if encoded is not None and pictured[row]:
            ways.append(encoded[row])
        rows.append(torch.stack(ways).mean(dim=0))
    generators = [torch.Generator() for _ in noises]
    for generator, noise in zip(generators, noises, strict=True):
        generator.set_state(noise.state)
    return torch.stack(rows), engine.sent(torch.stack([noise.start for noise in noises])), generators


def _parted(initial: Initial, engine: Engine) -> tuple[FloatArray | None, FloatArray | None]:
    """The picture and the latent of it, either perhaps absent."""
    if initial is None:
        return None, None
    picture: FloatArray | None
    latent: FloatArray | None
    if isinstance(initial, tuple):
        picture, latent = initial
    else:
        picture, latent = (initial, None) if initial.shape[-1] == 3 else (None, initial)
    if latent is not None and latent.shape != engine.latent_shape:
        raise DiffusionError(
            f"A latent of the shape {latent.shape} does not fit this pipeline, which draws from {engine.latent_shape}. "
            "Train the decoder for this pipeline."
        )
    return picture, latent


def _encoded(engine: Engine, pictures: Sequence[FloatArray | None]) -> Tensor:
    if all(picture is None for picture in pictures):
        return engine.grey.expand(len(pictures), -1, -1, -1)
    alike = len({None if picture is None else picture.shape for picture in pictures}) == 1
    groups = [np.stack(pictures)] if alike else [None if it is None else it[None] for it in pictures]  # type: ignore[arg-type]
    return engine.encode(torch.cat([_resized(engine, group) for group in groups]))


def _resized(engine: Engine, pictures: FloatArray | None) -> Tensor:
    """(n, h, w, 3) in 0…1 → (n, 3, pixels, pixels) in -1…1 on the device, where it is enlarged; flat grey without a picture."""
    size = (engine.pixels, engine.pixels)
    if pictures is None:
        return torch.zeros(1, 3, *size, device=engine.device, dtype=engine.kind)
    values = engine.sent(pictures, torch.float32).permute(0, 3, 1, 2)
    resized = functional.interpolate(values, size, mode="bilinear", antialias=True)
    return resized.mul(2).sub(1).clamp(-1, 1).to(engine.kind)
