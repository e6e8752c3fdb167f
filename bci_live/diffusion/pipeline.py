"""Loads a diffusion pipeline: a diffusers folder that ships or was trained, or one of the hub's that was downloaded.

Pipelines come from strangers: weights are safetensors only, and code inside a folder is never executed. Nothing is downloaded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from bci_live.config import KNOWN_PIPELINES, known_pipeline
from bci_live.diffusion.hub import TINY_DECODER, WITH_WEIGHTS, cached, hub_name, hub_of
from bci_live.diffusion.index import INDEX, NEEDED, read_index
from bci_live.errors import DiffusionError
from bci_live.loading import no_collecting

_log = logging.getLogger(__name__)

_TRAIN = "train one: bci-live train-diffusion --out FOLDER"
# What the authors of latent consistency models draw with; it is an input of the network.
_GUIDANCE = 8.0
# These need more evaluations of the network than there are steps.
_COSTLY = {"PNDMScheduler", "HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler"}


def pipeline_name(source: str | Path) -> str:
    """What a decoder remembers a pipeline by: the folder's own name, the short name, or the hub name."""
    path = Path(source)
    if path.is_dir():
        return path.resolve().name
    name = path.as_posix()
    short = {known.hub: short for short, known in KNOWN_PIPELINES.items()}
    return short.get(name, name) if hub_name(name) else path.resolve().name


def pipeline_folder(source: str | Path) -> Path:
    """Where a pipeline's files are: the folder itself, or the hub's cache.

    Raises
    ------
    DiffusionError
        If it is not there, or not downloaded, or not wholly.
    """
    path = Path(source)
    if path.is_dir():
        return path
    hub = hub_name(path.as_posix())
    if hub is None:
        raise DiffusionError(
            f"There is no diffusion pipeline in {path}. Give a folder that has one, a short name "
            f"({', '.join(KNOWN_PIPELINES)}) or a name on the hub (OWNER/NAME); or {_TRAIN}"
        )
    folder = cached(hub)
    if folder is None:
        raise DiffusionError(
            f"The pipeline {hub} is not on this machine. Get it first, once: bci-live download {path.as_posix()}"
        )
    read_index(folder / INDEX, f"The pipeline in {folder}", remedy(folder))
    for part in WITH_WEIGHTS:
        if not any(file.is_file() for file in (folder / part).glob("*.safetensors")):
            raise DiffusionError(
                f"The pipeline {hub} is not wholly on this machine: its part '{part}' has no weights. Get the rest: "
                f"bci-live download {path.as_posix()}"
            )
    return folder


def remedy(folder: Path) -> str:
    """The sentence that says how what is damaged in a pipeline's folder is mended."""
    hub = hub_of(folder)
    return f"Get it anew: bci-live download {hub}" if hub else f"Get the folder anew, or {_TRAIN}"


def load_pipeline(source: str | Path, device: torch.device) -> Any:
    """A `StableDiffusionImg2ImgPipeline` without text encoder: it is given embeddings, and needs no guidance.

    Parameters
    ----------
    source : folder in the diffusers layout, a short name such as "sd-turbo", or a hub name
    device : where it runs

    Raises
    ------
    DiffusionError
        If it is not there, is damaged, or is another kind of pipeline.
    """
    folder, known = pipeline_folder(source), known_pipeline(Path(source).as_posix())
    _check_folder(folder)
    pipeline = _from_pretrained(folder)
    if (known and known.euler) or type(pipeline.scheduler).__name__ in _COSTLY:
        from diffusers import EulerDiscreteScheduler

        pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config, timestep_spacing="trailing")
    if pipeline.unet.config.time_cond_proj_dim is not None:
        _fix_guidance(pipeline)
    if is_stable_diffusion(pipeline.vae.config) and type(pipeline.vae).__name__ == "AutoencoderKL":
        _take_tiny_decoder(pipeline)
    return placed(pipeline, device)


def is_stable_diffusion(autoencoder: Mapping[str, Any]) -> bool:
    """Whether an autoencoder, by its configuration, has the latent space of Stable Diffusion 1 and 2, which TAESD reads."""
    if autoencoder.get("latent_channels") != 4:
        return False
    if "decoder_block_out_channels" in autoencoder:  # TAESD and its kind; the autoencoders trained here are narrower
        return list(autoencoder["decoder_block_out_channels"]) == [64] * 4
    return bool(autoencoder.get("scaling_factor", 0.18215) == 0.18215)


@torch.no_grad()
def _fix_guidance(pipeline: Any) -> None:
    """Make the guidance scale, which a latent consistency model reads beside the timestep, a part of a bias.

    The projection of a constant, through the next layer, is a constant: the network then needs the timestep alone.
    """
    unet, embedding = pipeline.unet, pipeline.unet.time_embedding
    width = unet.config.time_cond_proj_dim
    told = pipeline.get_guidance_scale_embedding(torch.tensor([_GUIDANCE - 1]), embedding_dim=width)
    constant = embedding.cond_proj(told.to(embedding.cond_proj.weight.dtype))[0]
    embedding.linear_1.bias += embedding.linear_1.weight @ constant
    embedding.cond_proj = None
    unet.register_to_config(time_cond_proj_dim=None)


def _take_tiny_decoder(pipeline: Any) -> None:
    folder = cached(TINY_DECODER, "config.json")
    if folder is None:
        _log.warning(
            "The tiny decoder is not on this machine, so pictures are decoded by the pipeline's own, which takes many times "
            "as long. Get it: bci-live download %s", TINY_DECODER,
        )  # fmt: skip
        return
    from diffusers import AutoencoderTiny

    with _told_as_damage(folder), quiet_libraries():
        pipeline.vae = AutoencoderTiny.from_pretrained(folder, use_safetensors=True, local_files_only=True)


def _check_folder(folder: Path) -> None:
    """Read the index before diffusers does, and let nothing through that would name code of its own."""
    read_index(folder / INDEX, f"The pipeline in {folder}", remedy(folder))
    for part in NEEDED:
        if not (folder / part).is_dir():
            raise DiffusionError(f"The pipeline in {folder} lacks its part '{part}'. {remedy(folder)}")


def placed(pipeline: Any, device: torch.device) -> Any:
    """The pipeline on its device, in the precision and the memory order that suit it.

    On CUDA that is bfloat16, which has float32's range (the big autoencoder overflows in float16), and channels-last,
    which is what its convolutions want.
    """
    pipeline.set_progress_bar_config(disable=True)
    on_cuda = device.type == "cuda"
    with quiet_libraries():
        pipeline.to(device, torch.bfloat16 if on_cuda else torch.float32)
    if on_cuda:
        for part in (pipeline.unet, pipeline.vae):
            part.to(memory_format=torch.channels_last)
    return pipeline


def _from_pretrained(folder: Path) -> Any:
    none = dict.fromkeys(("text_encoder", "tokenizer", "safety_checker", "feature_extractor", "image_encoder"))
    with _told_as_damage(folder), quiet_libraries():
        from diffusers import StableDiffusionImg2ImgPipeline

        pipeline = StableDiffusionImg2ImgPipeline.from_pretrained(
            str(folder),
            use_safetensors=True,
            local_files_only=True,
            requires_safety_checker=False,
            variant=variant_of(folder),
            **none,
        )
    if any(weight.is_meta for part in (pipeline.unet, pipeline.vae) for weight in part.parameters()):
        raise DiffusionError(
            f"The diffusion pipeline {folder} is damaged: some of its weights are missing. {remedy(folder)}"
        )
    return pipeline


def variant_of(folder: Path, part: str = "unet") -> str | None:
    """What the files of a part's weights are called beside their name, where none is without: "fp16"."""
    names = [file.name for file in (folder / part).glob("*.safetensors")]
    return "fp16" if names and all(".fp16" in name for name in names) else None


@contextmanager
def _told_as_damage(folder: Path) -> Iterator[None]:
    """What the libraries raise where files are absent, cut short, rubbish or of another kind is one error, in one line."""
    try:
        yield
    except (
        OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError
    ) as error:  # fmt: skip
        first = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise DiffusionError(f"The diffusion pipeline {folder} is damaged: {first}. {remedy(folder)}") from error


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Load with them, and keep their remarks from the user: that torchvision is absent (no part that needs it is used here),
    that an autoencoder of the tiny kind was given (it is meant), and a progress bar of milliseconds.
    """
    with no_collecting():
        from diffusers.utils import logging as diffusers_logging
        from transformers.utils import logging as transformers_logging

        levels = diffusers_logging.get_verbosity(), transformers_logging.get_verbosity()
        for library in (diffusers_logging, transformers_logging):
            library.set_verbosity_error()
            library.disable_progress_bar()
        try:
            yield
        finally:
            diffusers_logging.set_verbosity(levels[0])
            transformers_logging.set_verbosity(levels[1])
            for library in (diffusers_logging, transformers_logging):
                library.enable_progress_bar()
