"""Decoding → picture, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bci_live.config import DiffusionConfig
from bci_live.diffusion.pipeline import load_pipeline, pipeline_name
from bci_live.errors import DiffusionError
from bci_live.types import Decoding, FloatArray, Picture, Reconstruction


class DiffusionReconstructor:
    """Draws a decoding with a diffusers img2img pipeline, one picture per denoising step.

    `name`: the pipeline, as decoders remember it. `steps`: pictures per decoding. `pixels`: their width and height.
    `latent_shape`: what a decoder's latent has to have.
    """

    def __init__(self, pipeline: Any, name: str, config: DiffusionConfig, clock: Callable[[], float]) -> None:
        self.name = name
        self.steps = int(config.steps * config.strength)
        if self.steps < 1:
            raise DiffusionError(
                f"{config.steps} steps at strength {config.strength} are less than one step: raise either of them."
            )
        size = int(pipeline.unet.config.sample_size)
        self.latent_shape = (int(pipeline.unet.config.in_channels), size, size)
        self.pixels = size * int(pipeline.vae_scale_factor)
        self._pipeline, self._config, self._clock = pipeline, config, clock
        self._width = int(pipeline.unet.config.cross_attention_dim)

    @classmethod
    def load(
        cls, source: str | Path, device: torch.device, config: DiffusionConfig, clock: Callable[[], float] | None = None
    ) -> Self:
        """From a diffusers folder or a hub name; `clock` is LSL's unless another is given.

        Raises
        ------
        DiffusionError
            If the pipeline is absent, damaged or of another kind.
        """
        from pylsl import local_clock

        return cls(load_pipeline(source, device), pipeline_name(source), config, clock or local_clock)

    def warm_up(self) -> None:
        """Draw once for nothing: the first draw allocates and picks kernels.

        Raises
        ------
        DiffusionError
            If the pipeline's parts do not work together.
        """
        try:
            for _ in self.draw(np.zeros((8, self._width), dtype=np.float32), None, seed=0):
                pass
        except (ValueError, TypeError, RuntimeError) as error:
            raise DiffusionError(
                f"The diffusion pipeline '{self.name}' cannot draw: {error}. Get its folder anew."
            ) from error

    def reconstruct(self, decoding: Decoding, seed: int) -> Iterator[Reconstruction]:
        """One `Reconstruction` per step, the last one finished; the same decoding and seed give the same pictures.

        Raises
        ------
        DiffusionError
            If the embedding is not of this pipeline's width, or the latent that is to be drawn from is absent.
        """
        initial = self._initial(decoding)
        for step, image in enumerate(self.draw(decoding.embedding, initial, seed), start=1):
            yield Reconstruction(image, step, self.steps, seed, decoding, self._clock())

    @torch.inference_mode()
    def draw(self, embedding: FloatArray, initial: FloatArray | None, seed: int) -> Iterator[Picture]:
        """The pictures as they become clear: the model's guess at the clean one after each step, then the result.

        Does what `StableDiffusionImg2ImgPipeline.__call__` does at guidance 0, whose callback cannot see the guess.

        Parameters
        ----------
        embedding : (tokens, width)
        initial : (h, w, 3) picture in 0…1, (channels, h, w) scaled latent, or None for flat grey
        seed : of the noise

        Yields
        ------
        (pixels, pixels, 3), uint8
        """
        if embedding.ndim != 2 or embedding.shape[1] != self._width:
            raise DiffusionError(
                f"An embedding of the shape {embedding.shape} does not fit the pipeline '{self.name}', "
                f"which reads (tokens, {self._width}). Train the decoder for this pipeline."
            )
        pipeline, config = self._pipeline, self._config
        device, kind = pipeline.unet.device, pipeline.unet.dtype
        # On the CPU, so that a seed means the same picture on every device.
        generator = torch.Generator().manual_seed(seed)
        prompt = torch.from_numpy(np.array(embedding, dtype=np.float32))[None].to(device, kind)
        pipeline.scheduler.set_timesteps(config.steps, device=device)
        timesteps, _ = pipeline.get_timesteps(config.steps, config.strength, device)
        latents = self._noisy_start(initial, timesteps[:1], generator)
        extra = pipeline.prepare_extra_step_kwargs(generator, 0.0)
        for count, timestep in enumerate(timesteps, start=1):
            scaled = pipeline.scheduler.scale_model_input(latents, timestep)
            predicted = pipeline.unet(scaled, timestep, encoder_hidden_states=prompt, return_dict=False)[0]
            stepped = pipeline.scheduler.step(predicted, timestep, latents, **extra)
            latents = stepped.prev_sample
            guess = getattr(stepped, "pred_original_sample", None)
            yield self._picture(latents if guess is None or count == len(timesteps) else guess)

    def _initial(self, decoding: Decoding) -> FloatArray | None:
        if self._config.initial == "grey":
            return None
        if self._config.initial == "saliency":
            return decoding.saliency
        if decoding.latent is None:
            raise DiffusionError("This decoder predicts no latent to draw from. Choose --initial saliency or grey.")
        return decoding.latent

    def _noisy_start(self, initial: FloatArray | None, timestep: Tensor, generator: torch.Generator) -> Tensor:
        """The initial picture or latent with the noise of the first timestep: (1, channels, h, w)."""
        pipeline = self._pipeline
        device, kind = pipeline.unet.device, pipeline.unet.dtype
        if initial is None or initial.shape[-1] == 3:
            picture = self._resized(initial).to(device, kind)
            latents: Tensor = pipeline.prepare_latents(picture, timestep, 1, 1, kind, device, generator)
            return latents
        if initial.shape != self.latent_shape:
            raise DiffusionError(
                f"A latent of the shape {initial.shape} does not fit the pipeline '{self.name}', which draws from "
                f"{self.latent_shape}. Train the decoder for this pipeline."
            )
        # `prepare_latents` takes a latent of four channels alone.
        start = torch.from_numpy(np.array(initial, dtype=np.float32))[None]
        noise = torch.randn(start.shape, generator=generator)
        noisy: Tensor = pipeline.scheduler.add_noise(start.to(device, kind), noise.to(device, kind), timestep)
        return noisy

    def _resized(self, picture: FloatArray | None) -> Tensor:
        """(1, 3, pixels, pixels) in -1…1; flat grey without a picture."""
        if picture is None:
            return torch.zeros(1, 3, self.pixels, self.pixels)
        values = torch.from_numpy(np.array(picture, dtype=np.float32)).permute(2, 0, 1)[None]
        resized = functional.interpolate(values, (self.pixels, self.pixels), mode="bilinear", antialias=True)
        return resized.mul(2).sub(1).clamp(-1, 1)

    def _picture(self, latents: Tensor) -> Picture:
        vae = self._pipeline.vae
        decoded = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
        pixels = decoded[0].float().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
        return np.ascontiguousarray(pixels.permute(1, 2, 0).cpu().numpy())
