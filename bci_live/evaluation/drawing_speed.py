"""How fast pictures are drawn, beside the plain diffusers call with the same weights in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import psutil
import torch

from bci_live.config import DiffusionConfig, bundled
from bci_live.decoding.decoder import load_decoder
from bci_live.decoding.device import pick_device
from bci_live.diffusion.architectures import random_pipeline
from bci_live.diffusion.memory import is_of_memory
from bci_live.diffusion.pipeline import load_pipeline
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.errors import BciError, DiffusionError
from bci_live.live.demo import DEMO_DECODER
from bci_live.signal.epoching import EpochPlan
from bci_live.types import Decoding, Epoch, FloatArray, Marker

# Stable Diffusion's text encoders give so many.
_TOKENS = 77
_WARM = 3
_FEWEST_ROUNDS = 10
_LEVELS = 255
Tell = Callable[[str], None]
Call = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class DrawingBench:
    """What is measured. `pipeline`: as `--diffusion` has it. `size`: of a picture, None for the pipeline's own.

    `random_weights`: the architecture of that name alone. `rounds`: draws of each. `streams`: so many listeners' pictures are
    drawn at once.
    """

    pipeline: str
    device: str = "cpu"
    steps: int = 1
    size: int | None = None
    random_weights: bool = False
    rounds: int = 30
    streams: tuple[int, ...] = ()
    compiled: bool = False

    @property
    def config(self) -> DiffusionConfig:
        """All of the steps are run: at strength 1. Of weights that are none, any number of steps."""
        named = {} if self.random_weights else {"pipeline": self.pipeline}
        return DiffusionConfig.model_validate(
            named | {"steps": self.steps, "strength": 1.0, "initial": "saliency", "compiled": self.compiled}
        )


def bench_reconstruct(bench: DrawingBench, tell: Tell = lambda _: None) -> dict[str, Any]:
    """Medians and 95th percentiles in ms, pictures a second, memory: `{"ours": …, "peer": …}`.

    A draw of each in turn, so that what else the machine does hits both alike. `largest_difference`: between the pictures
    of both, of 255 grey levels.

    Raises
    ------
    BciError
        If the pipeline or the device is not there, or the size is none that the pipeline can draw.
    ValidationError
        If the pipeline was not made to draw in so many steps.
    """
    config, device = bench.config, pick_device(bench.device)
    decode, decoding = _eeg_decoder(device)
    tell("Loading the pipeline, and warming up …")
    ours = DiffusionReconstructor(_pipeline(bench, device), bench.pipeline, config, time.perf_counter)
    embedding, saliency = _condition(decoding, ours.engine.width), decoding.saliency
    ours.warm_up(len(embedding))
    draw = partial(_last, ours, embedding[None], [saliency], [0])
    memory = _memory(draw, device)
    tell("Loading it once more, for the plain diffusers call …")
    theirs, picture = _peer(bench, device, embedding, saliency, ours.engine.pixels, tell)
    off = None if picture is None else round(float(np.abs(draw()[0].astype(float) - _LEVELS * picture).max()), 2)
    tell(f"{bench.rounds} draws of each, in turn …")
    whole: dict[str, Call] = {"total": draw, "eeg_decoder": decode}
    if theirs is not None:
        whole["peer"] = theirs
    took = _in_turn(whole | _parts(ours, embedding), bench.rounds, device)
    peer: dict[str, Any] = _figures({"total": took.pop("peer")}) if theirs else {"total_ms_median": None}
    figures: dict[str, Any] = _figures(took) | memory | {"largest_difference": off}
    if bench.streams:
        figures["pictures_a_second_by_streams"] = {
            str(rows): _batch_rate(ours, embedding, saliency, rows, bench, tell) for rows in bench.streams
        }
    return {"ours": _setting(bench, ours) | figures, "peer": {"name": "diffusers"} | peer}


def _setting(bench: DrawingBench, ours: DiffusionReconstructor) -> dict[str, Any]:
    """What is measured, and on what."""
    return {
        "pipeline": bench.pipeline,
        "random_weights": bench.random_weights,
        "pixels": ours.engine.pixels,
        "steps": ours.steps,
        "device": str(ours.engine.device),
        "precision": str(ours.engine.kind).removeprefix("torch."),
        "threads": torch.get_num_threads(),
    }


def _peer(
    bench: DrawingBench, device: torch.device, embedding: FloatArray, saliency: FloatArray, pixels: int, tell: Tell
) -> tuple[Call, Any] | tuple[None, None]:
    """The plain call and a picture of it, (pixels, pixels, 3) of 0…1; None where there is not the memory for it beside ours."""
    try:
        theirs = partial(_plain, _pipeline(bench, device), bench, embedding, saliency, pixels)
        return theirs, theirs()
    except RuntimeError as error:
        if not is_of_memory(error):
            raise
        tell(f"There is not the memory for the plain diffusers call beside ours: {error}")
        return None, None


def _pipeline(bench: DrawingBench, device: torch.device) -> Any:
    load = random_pipeline if bench.random_weights else load_pipeline
    pipeline = load(bench.pipeline if bench.random_weights else bundled(bench.pipeline), device)  # type: ignore[arg-type]
    if bench.size is not None:
        unet, scale = pipeline.unet, int(pipeline.vae_scale_factor)
        grain = scale * 2 ** (len(unet.config.block_out_channels) - 1)
        if bench.size % grain:
            raise BciError(f"{bench.pipeline} draws no {bench.size} pixels: take a --size that {grain} divides.")
        unet.register_to_config(sample_size=bench.size // scale)
    return pipeline


def _eeg_decoder(device: torch.device) -> tuple[Callable[[], Decoding], Decoding]:
    """The demo's, reading noise: how long that takes does not depend on what is read."""
    decoder = load_decoder(bundled(DEMO_DECODER), device)
    card = decoder.card
    times = EpochPlan(card.rate, card.rate, card.filter, card.epoch).n_times
    noise = np.random.default_rng(0).normal(0, 10, (len(card.channels), times)).astype(np.float32)
    decode = partial(decoder.decode, Epoch(noise, 0.0, Marker(card.labels[0], 0.0), 0.0, 0.0))
    return decode, decode()


def _condition(decoding: Decoding, width: int) -> FloatArray:
    """What the decoder reads where it is of this pipeline's width, otherwise noise of Stable Diffusion's shape."""
    if decoding.embedding.shape[1] == width:
        return decoding.embedding
    return np.random.default_rng(0).standard_normal((_TOKENS, width)).astype(np.float32)


def _encodable(saliency: FloatArray, pixels: int) -> torch.Tensor:
    values = torch.from_numpy(saliency).permute(2, 0, 1)[None]
    return torch.nn.functional.interpolate(values, (pixels, pixels), mode="bilinear", antialias=True)


def _last(ours: DiffusionReconstructor, *condition: Any) -> Any:
    *_, pictures = ours.draw_batch(*condition)
    return pictures


def _plain(pipeline: Any, bench: DrawingBench, embedding: FloatArray, saliency: FloatArray, pixels: int) -> Any:
    # The map is enlarged within the call, as ours is. The generator of the CPU, so that both start from the same noise.
    return pipeline(
        prompt_embeds=torch.from_numpy(embedding)[None].to(pipeline.unet.device, pipeline.unet.dtype),
        image=_encodable(saliency, pixels),
        strength=1.0,
        num_inference_steps=bench.steps,
        guidance_scale=0.0,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
    ).images[0]


def _parts(ours: DiffusionReconstructor, embedding: FloatArray) -> dict[str, Call]:
    """Encoder, one step of the network, decoder: each alone, waited for."""
    engine = ours.engine
    latents = torch.randn(1, *engine.latent_shape, generator=torch.Generator().manual_seed(0))
    latents, prompt, moment = engine.sent(latents), engine.sent(embedding[None]), ours.moment
    picture = torch.zeros(1, 3, engine.pixels, engine.pixels, device=engine.device, dtype=engine.kind)
    calls = {
        "vae_encode": partial(engine.encode, picture),
        "step": partial(engine.denoise, latents, moment, prompt),
        "vae_decode": partial(engine.decode, latents),
    }
    return {name: torch.inference_mode()(call) for name, call in calls.items()}


def _in_turn(calls: dict[str, Call], rounds: int, device: torch.device) -> dict[str, list[tuple[float, float]]]:
    """Of each call, round by round, ms by the clock and of processor time."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for number in range(_WARM + rounds):
        for name, call in calls.items():
            began, worked = time.perf_counter(), time.process_time()
            call()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if number >= _WARM:
                took[name].append((1e3 * (time.perf_counter() - began), 1e3 * (time.process_time() - worked)))
    return took


def _figures(took: dict[str, list[tuple[float, float]]]) -> dict[str, float]:
    figures = {}
    for name, rounds in took.items():
        times, worked = np.transpose(rounds)
        figures[f"{name}_ms_median"] = round(float(np.median(times)), 2)
        figures[f"{name}_ms_p95"] = round(float(np.percentile(times, 95)), 2)
        # Beside other work, this alone can be compared.
        figures[f"{name}_processor_ms_median"] = round(float(np.median(worked)), 2)
    figures["pictures_a_second"] = round(1e3 / figures["total_ms_median"], 2)
    return figures


def _memory(draw: Call, device: torch.device) -> dict[str, float]:
    """What the program holds after a draw, before the peer is loaded; on CUDA the most that was taken there, too."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    draw()
    held = {"memory_mb": round(psutil.Process().memory_info().rss / 2**20, 1)}
    if device.type == "cuda":
        # Reserved, because what a graph works in is not counted as allocated.
        held["gpu_memory_mb"] = round(torch.cuda.max_memory_reserved() / 2**20, 1)
    return held


def _batch_rate(
    ours: DiffusionReconstructor,
    embedding: FloatArray,
    saliency: FloatArray,
    rows: int,
    bench: DrawingBench,
    tell: Tell,
) -> float | None:
    """Pictures a second where `rows` are drawn at once, each from a condition of its own; None where the memory does not suffice."""
    tell(f"{rows} at once …")
    try:
        ours.warm_up(len(embedding), rows)
    except (DiffusionError, RuntimeError) as error:
        if not is_of_memory(error):
            raise
        tell(f"There is not the memory for {rows} at once: {error}")
        return None
    rng = np.random.default_rng(1)
    embeddings: Sequence[FloatArray] = [rng.permutation(embedding) for _ in range(rows)]
    draw = partial(_last, ours, np.stack(embeddings), [saliency] * rows, list(range(rows)))
    took = _in_turn({"total": draw}, max(_FEWEST_ROUNDS, bench.rounds // rows), ours.engine.device)
    return round(rows * 1e3 / _figures(took)["total_ms_median"], 2)
