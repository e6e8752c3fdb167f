"""Decoding → picture, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from bci_live.config import DiffusionConfig
from bci_live.diffusion.engine import Engine
from bci_live.diffusion.memory import is_of_memory
from bci_live.diffusion.pipeline import load_pipeline, pipeline_name
from bci_live.diffusion.plan import Plan
from bci_live.diffusion.start import Initial, begin
from bci_live.errors import DiffusionError
from bci_live.types import Decoding, FloatArray, Picture, Reconstruction


class DiffusionReconstructor:
    """Draws a decoding with a diffusers img2img pipeline, one picture per denoising step.

    `name`: the pipeline, as decoders remember it. `engine`: its networks.
    """

    def __init__(
        self, pipeline: Any, name: str, config: DiffusionConfig, clock: Callable[[], float], frugal: bool = False
    ) -> None:
        kind = pipeline.unet.device.type
        if config.compiled and kind != "cuda":
            raise DiffusionError(f"Compiling pays on CUDA alone, and this runs on {kind}: leave --compile out.")
        self.name, self.engine = name, Engine(pipeline, config.compiled, frugal)
        self._pipeline, self._clock = pipeline, clock
        self.draw_as(config)

    @classmethod
    def load(
        cls,
        source: str | Path,
        device: torch.device,
        config: DiffusionConfig,
        clock: Callable[[], float] | None = None,
        frugal: bool = False,
    ) -> Self:
        """From a diffusers folder or a hub name; `clock` is LSL's unless another is given; `frugal`: see `Engine`.

        Raises
        ------
        DiffusionError
            If the pipeline is absent, damaged or of another kind.
        """
        from pylsl import local_clock

        return cls(load_pipeline(source, device), pipeline_name(source), config, clock or local_clock, frugal)

    def draw_as(self, config: DiffusionConfig) -> None:
        """From the next picture on, by the same networks, as warm as they are.

        Raises
        ------
        DiffusionError
            If that is less than one step.
        """
        # Another thread may be drawing: replaced as a whole.
        self._plan = Plan(self._pipeline, config, self.engine.device)

    @property
    def steps(self) -> int:
        """Pictures per decoding."""
        return self._plan.steps

    @property
    def moment(self) -> Tensor:
        """The first timestep, on the device, (1,)."""
        moment: Tensor = self._plan.moments[0]
        return moment

    @property
    def draws_cold(self) -> bool:
        """Whether it can draw while it is warmed up; a GPU's graphs want to be recorded alone."""
        return self.engine.device.type == "cpu"

    def warm_up(self, tokens: int, rows: int = 1, beside_drawing: bool = False) -> None:
        """Make draws of `rows` embeddings of so many `tokens` fast, and draw once for nothing, unless it draws meanwhile.

        Raises
        ------
        DiffusionError
            If the pipeline's parts do not work together.
        """
        blank = np.zeros((rows, tokens, self.engine.width), dtype=np.float32)
        try:
            self.engine.prepare(rows, tokens, self.moment)
            for _ in () if beside_drawing else self.draw_batch(blank, [None] * rows, [0] * rows):
                pass
        except (ValueError, TypeError, RuntimeError) as error:
            remedy = "Choose a smaller pipeline, or --device cpu" if is_of_memory(error) else "Get its folder anew"
            raise DiffusionError(f"The diffusion pipeline '{self.name}' cannot draw: {error}. {remedy}.") from error

    def reconstruct(self, decoding: Decoding, seed: int) -> Iterator[Reconstruction]:
        """One `Reconstruction` per step, the last one finished; the same decoding and seed give the same pictures.

        Raises
        ------
        DiffusionError
            If the embedding is not of this pipeline's width, or the latent that is to be drawn from is absent.
        """
        plan = self._plan
        initial = _initial(plan.config, decoding)
        for step, images in enumerate(self._drawn(plan, decoding.embedding[None], [initial], [seed]), start=1):
            yield Reconstruction(
                images[0], step, plan.steps, seed, decoding, self._clock(),
                strength=plan.config.strength, initial=plan.config.initial,
            )  # fmt: skip

    def draw(self, embedding: FloatArray, initial: Initial, seed: int) -> Iterator[Picture]:
        """`draw_batch` of one: (tokens, width) → (pixels, pixels, 3), uint8."""
        for pictures in self.draw_batch(embedding[None], [initial], [seed]):
            yield pictures[0]

    def draw_batch(
        self, embeddings: FloatArray, initials: Sequence[Initial], seeds: Sequence[int]
    ) -> Iterator[Picture]:
        """The pictures as they become clear: a small preview of the clean one after each step, then the result.

        Does what `StableDiffusionImg2ImgPipeline.__call__` does at guidance 0, whose callback cannot see the guess. Each row
        is drawn as it would be alone: with its own condition, its own start, its own noise.

        Parameters
        ----------
        embeddings : (n, tokens, width)
        initials : of each row a picture, a latent, both, or None; see `Initial`
        seeds : of each row's noise

        Yields
        ------
        (n, pixels, pixels, 3), uint8
        """
        return self._drawn(self._plan, embeddings, initials, seeds)

    @torch.inference_mode()
    def _drawn(
        self, plan: Plan, embeddings: FloatArray, initials: Sequence[Initial], seeds: Sequence[int]
    ) -> Iterator[Picture]:
        engine = self.engine
        if embeddings.ndim != 3 or embeddings.shape[2] != engine.width:
            raise DiffusionError(
                f"An embedding of the shape {embeddings.shape[1:]} does not fit the pipeline '{self.name}', "
                f"which reads (tokens, {engine.width}). Train the decoder for this pipeline."
            )
        prompt, timesteps = engine.sent(embeddings), plan.begin()
        start, noise, generators = begin(engine, initials, seeds)
        latents = plan.alpha * start + plan.sigma * noise
        extra = self._pipeline.prepare_extra_step_kwargs(generators, 0.0)
        for step, (timestep, moment) in enumerate(zip(timesteps, plan.moments, strict=True)):
            scaled = plan.scheduler.scale_model_input(latents, timestep)
            predicted = engine.denoise(scaled, moment.expand(len(scaled)), prompt)
            stepped = plan.scheduler.step(predicted, timestep, latents, **extra)
            if step + 1 == plan.steps:
                yield engine.fetched(engine.decode(stepped.prev_sample))
            else:
                yield engine.fetched(engine.glance(plan.guess(step, latents, predicted, stepped)))
            latents = stepped.prev_sample


def _initial(config: DiffusionConfig, decoding: Decoding) -> Initial:
    if config.initial == "grey":
        return None
    if config.initial == "saliency":
        return decoding.saliency
    if decoding.latent is None:
        raise DiffusionError("This decoder predicts no latent to draw from. Choose --initial saliency or grey.")
    return decoding.latent if config.initial == "latent" else (decoding.saliency, decoding.latent)
