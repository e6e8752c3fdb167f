"""The networks of a pipeline on their device: encoder, denoiser, decoder, and how numbers come there and back."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bci_live.diffusion.fixed_shapes import FixedShapes
from bci_live.diffusion.preview import LatentPreview, fit_preview
from bci_live.types import FloatArray, Picture


class _Encode(nn.Module):
    """(n, 3, h, w) in -1…1 → scaled latents; of a variational encoder their means, and their deviations beside them."""

    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.vae, self.scale = vae, float(vae.config.scaling_factor)

    def forward(self, pictures: Tensor) -> Tensor:
        encoded = self.vae.encode(pictures)
        if hasattr(encoded, "latents"):
            latents: Tensor = encoded.latents
        else:
            latents = torch.cat((encoded.latent_dist.mean, encoded.latent_dist.std), dim=1)
        return self.scale * latents


class _Denoise(nn.Module):
    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, latents: Tensor, moments: Tensor, prompt: Tensor) -> Tensor:
        predicted: Tensor = self.unet(latents, moments, encoder_hidden_states=prompt, return_dict=False)[0]
        return predicted


class _Decode(nn.Module):
    """Scaled latents → (n, h, w, 3), uint8."""

    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, latents: Tensor) -> Tensor:
        return as_pixels(self.vae.decode(latents / self.vae.config.scaling_factor, return_dict=False)[0])


def as_pixels(pictures: Tensor) -> Tensor:
    """(n, 3, h, w) in -1…1 → (n, h, w, 3), uint8."""
    pixels = pictures.float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).contiguous()


class Engine:
    """What several reconstructors can share: nothing here depends on how they draw, and nothing is kept from a draw.

    `latent_shape`: (channels, h, w). `pixels`: width and height of a picture. `width`: of an embedding.
    `frugal`: nothing is made fast, because that takes memory of its own.
    """

    def __init__(self, pipeline: Any, compiled: bool = False, frugal: bool = False) -> None:
        unet, vae = pipeline.unet, pipeline.vae
        size = int(unet.config.sample_size)
        self.device: torch.device = unet.device
        self.kind: torch.dtype = unet.dtype
        self.latent_shape = (int(unet.config.in_channels), size, size)
        self.scale = int(pipeline.vae_scale_factor)
        self.pixels = size * self.scale
        self.width = int(unet.config.cross_attention_dim)
        for part in (unet, vae):
            part.to(memory_format=torch.channels_last)
        self._vae, self._warm, self._frugal = vae, False, frugal
        self.encode = FixedShapes(_Encode(vae), compiled)
        self.denoise = FixedShapes(_Denoise(unet), compiled)
        self.decode = FixedShapes(_Decode(vae), compiled)

    def prepare(self, rows: int, tokens: int, moment: Tensor) -> None:
        """Make draws of so many rows at once fast. `moment`: a timestep of the scheduler's."""
        if not self._frugal:
            latents = torch.zeros(rows, *self.latent_shape, device=self.device, dtype=self.kind)
            latents = latents.contiguous(memory_format=torch.channels_last)
            prompt = torch.zeros(rows, tokens, self.width, device=self.device, dtype=self.kind)
            pictures = torch.zeros(rows, 3, self.pixels, self.pixels, device=self.device, dtype=self.kind)
            self.denoise.prepare(latents, moment.expand(rows).contiguous(), prompt)
            self.decode.prepare(latents)
            self.encode.prepare(pictures)
        _ = self.preview
        self._warm = True

    def glance(self, latents: Tensor) -> Tensor:
        """What latents are a picture of, (n, h, w, 3), uint8: for next to nothing, but before `prepare` by the decoder.

        To fit what costs next to nothing takes as long as many pictures, and would come before the first.
        """
        latents = latents.to(self.kind)  # some schedulers guess in single precision
        return as_pixels(self.preview(latents, self.pixels)) if self._warm else self.decode(latents)

    @cached_property
    def preview(self) -> LatentPreview:
        """A latent's picture for next to nothing."""
        channels = self.latent_shape[0]

        def encode(pictures: Tensor) -> Tensor:
            return self.encode(pictures.to(self.device, self.kind))[:, :channels]

        def decode(latents: Tensor) -> Tensor:
            decoded: Tensor = self._vae.decode(latents / self._vae.config.scaling_factor, return_dict=False)[0]
            return decoded

        return fit_preview(encode, decode, self.scale)

    @cached_property
    def grey(self) -> Tensor:
        """`encode` of flat grey, (1, channels, h, w): most draws from a caption alone begin there."""
        return self.encode(torch.zeros(1, 3, self.pixels, self.pixels, device=self.device, dtype=self.kind))

    def sent(self, values: FloatArray | Tensor, kind: torch.dtype | None = None) -> Tensor:
        """On the device, in its precision or another; on CUDA without waiting for it."""
        kind = kind or self.kind
        tensor = values if isinstance(values, Tensor) else torch.from_numpy(np.ascontiguousarray(values, np.float32))
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, kind, non_blocking=True)
        return tensor.to(self.device, kind)

    def fetched(self, pictures: Tensor) -> Picture:
        """(n, h, w, 3), uint8, off the device; here, and here alone, a draw waits for it."""
        if self.device.type == "cuda":
            landing = torch.empty(pictures.shape, dtype=torch.uint8, pin_memory=True)
            landing.copy_(pictures, non_blocking=True)
            torch.cuda.current_stream().synchronize()
            pictures = landing
        # A copy: a pinned buffer is used again.
        return pictures.cpu().numpy().copy()
