"""A pipeline's model_index.json: which kinds can be used. It is read before diffusers reads it, and before weights are fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bci_live.errors import DiffusionError

INDEX = "model_index.json"
# Without these nothing is drawn.
NEEDED = ("unet", "vae", "scheduler")
USABLE = "Stable Diffusion 1 and 2 and their latent consistency models"
_PIPELINES = {
    "StableDiffusionImg2ImgPipeline",
    "StableDiffusionPipeline",
    "LatentConsistencyModelImg2ImgPipeline",
    "LatentConsistencyModelPipeline",
}
_LIBRARIES = {"diffusers", "transformers", "stable_diffusion", None}


def read_index(file: Path, named: str, remedy: str) -> Mapping[str, Any]:
    """What the index says, if such a pipeline can be used: a known kind, which names no code of its own.

    Parameters
    ----------
    file : the model_index.json
    named : what the pipeline is called in the errors
    remedy : a sentence for a damaged index; another kind of pipeline cannot be mended

    Raises
    ------
    DiffusionError
        If it cannot be read, or tells of a pipeline that cannot be used.
    """
    try:
        index = json.loads(file.read_text(encoding="utf-8"))
        kind = str(index["_class_name"])
        parts = {name: value for name, value in index.items() if isinstance(value, list)}
        libraries = {value[0] for value in parts.values()}
    except (OSError, ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise DiffusionError(
            f"{named} is no diffusers pipeline: its {INDEX} cannot be read ({error}). {remedy}"
        ) from error
    if kind not in _PIPELINES or not libraries <= _LIBRARIES:
        raise DiffusionError(
            f"{named} cannot be used: it is a {kind} with parts from {', '.join(sorted(map(str, libraries)))}. What can be "
            f"used is {USABLE}, with parts from diffusers and transformers alone."
        )
    if lacking := [part for part in NEEDED if part not in parts]:
        raise DiffusionError(f"{named} lacks its part '{lacking[0]}'. {remedy}")
    return {str(name): value for name, value in index.items()}
