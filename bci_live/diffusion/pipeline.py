"""Loads a diffusion pipeline: a diffusers folder that ships or was trained, or a hub name.

Pipelines come from strangers: weights are safetensors only, and code inside a folder is never executed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from bci_live.errors import DiffusionError

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_PIPELINES = {"StableDiffusionImg2ImgPipeline", "StableDiffusionPipeline"}
_LIBRARIES = {"diffusers", "transformers", "stable_diffusion", None}
_REMEDY = "Get the folder anew, or train one: bci-live train-diffusion --out FOLDER"


def pipeline_name(source: str | Path) -> str:
    """What a decoder remembers a pipeline by: the folder's own name, or the hub name."""
    path = Path(source)
    return path.resolve().name if path.is_dir() or not _is_hub_name(path) else path.as_posix()


def load_pipeline(source: str | Path, device: torch.device) -> Any:
    """A `StableDiffusionImg2ImgPipeline` without text encoder: it is given embeddings.

    Parameters
    ----------
    source : folder in the diffusers layout, or a hub name such as "stabilityai/sd-turbo"
    device : where it runs

    Raises
    ------
    DiffusionError
        If it is not there, is damaged, or is another kind of pipeline.
    """
    path = Path(source)
    if path.is_dir():
        _check_folder(path)
        return placed(_from_pretrained(str(path), local=True), device)
    if _is_hub_name(path):
        return placed(_from_pretrained(path.as_posix(), local=False), device)
    raise DiffusionError(f"There is no diffusion pipeline in {path}. {_REMEDY}")


def _is_hub_name(path: Path) -> bool:
    # "models/diffusion-demo" is spelled like a hub name, too; a parent folder that exists tells that a path is meant.
    return bool(_HUB_NAME.fullmatch(path.as_posix())) and path.parts[0] != "models" and not path.parent.exists()


def _check_folder(folder: Path) -> None:
    """Read the index before diffusers does, and let nothing through that would name code of its own."""
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        kind = index["_class_name"]
        parts = {name: value for name, value in index.items() if isinstance(value, list)}
        libraries = {value[0] for value in parts.values()}
    except (OSError, ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise DiffusionError(
            f"{folder} is no diffusers pipeline: its model_index.json cannot be read ({error}). {_REMEDY}"
        ) from error
    if kind not in _PIPELINES or not libraries <= _LIBRARIES:
        raise DiffusionError(
            f"The pipeline in {folder} is a {kind} of parts from {sorted(map(str, libraries))}; "
            f"what can be used is one of {sorted(_PIPELINES)} with parts from diffusers and transformers alone."
        )
    for part in ("unet", "vae", "scheduler"):
        if part not in parts or not (folder / part).is_dir():
            raise DiffusionError(f"The pipeline in {folder} lacks its part '{part}'. {_REMEDY}")


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


def _from_pretrained(source: str, *, local: bool) -> Any:
    none = dict.fromkeys(("text_encoder", "tokenizer", "safety_checker", "feature_extractor", "image_encoder"))
    try:
        with quiet_libraries():
            from diffusers import StableDiffusionImg2ImgPipeline

            pipeline = StableDiffusionImg2ImgPipeline.from_pretrained(
                source,
                use_safetensors=True,
                local_files_only=local,
                requires_safety_checker=False,
                **none,
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        where = "is damaged" if local else "cannot be had from the hub"
        raise DiffusionError(f"The diffusion pipeline {source} {where}: {_first_line(error)}. {_REMEDY}") from error
    if any(weight.is_meta for part in (pipeline.unet, pipeline.vae) for weight in part.parameters()):
        raise DiffusionError(f"The diffusion pipeline {source} is damaged: some of its weights are missing. {_REMEDY}")
    return pipeline


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the libraries' remarks from the user: that torchvision is absent (no part that needs it is used here), that an
    autoencoder of the tiny kind was given (it is meant), and a progress bar of milliseconds.
    """
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    levels = diffusers_logging.get_verbosity(), transformers_logging.get_verbosity()
    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    try:
        yield
    finally:
        diffusers_logging.set_verbosity(levels[0])
        transformers_logging.set_verbosity(levels[1])
        diffusers_logging.enable_progress_bar()


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
