"""Which streams and models were chosen last and how pictures were drawn, so that an experimenter chooses once."""

from __future__ import annotations

import logging
from collections.abc import Set
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bci_live.config import DiffusionConfig, Initial, bundled, complaint
from bci_live.live.averaging import MOST
from bci_live.live.controls import DrawingChoice, ModelChoice
from bci_live.live.kept_files import read_kept, write_kept

_log = logging.getLogger(__name__)


class StreamChoice(BaseModel):
    """An EEG stream and a marker stream, each by name and source id; nothing where it is left to the program."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stream: str | None = None
    stream_id: str | None = None
    markers: str | None = None
    markers_id: str | None = None


def _file() -> Path:
    return platformdirs.user_config_path("bci_live") / "streams.json"


def remember(choice: StreamChoice) -> None:
    """Keep the choice for the next start."""
    write_kept(_file(), choice, "The choice of streams")


def remembered() -> StreamChoice | None:
    """The last choice; None where there is none that can be read."""
    return read_kept(_file(), StreamChoice)


class KeptDrawing(BaseModel):
    """`DrawingChoice` as a file holds it; what belongs to a pipeline comes back with that pipeline alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    pipeline: str
    steps: int
    strength: float
    initial: Initial
    seed: int = Field(ge=0, lt=2**31)
    free_seed: bool
    averaged: int = Field(ge=1, le=MOST)
    every_s: float | None = Field(ge=0.1, le=10)
    anytime: bool


def _drawing_file() -> Path:
    return platformdirs.user_config_path("bci_live") / "drawing.json"


def remember_drawing(choice: DrawingChoice) -> None:
    """Keep it for the next start."""
    values = choice.diffusion.model_dump(include=set(KeptDrawing.model_fields)) | {
        "pipeline": _whole(choice.diffusion.pipeline),
        "free_seed": choice.free_seed, "averaged": choice.averaged, "every_s": choice.every_s, "anytime": choice.anytime,
    }  # fmt: skip
    write_kept(_drawing_file(), KeptDrawing.model_construct(**values), "How pictures are drawn")


def remembered_drawing(given: DrawingChoice, asked: Set[str]) -> DrawingChoice:
    """`given` as it was drawn the last time, but for what was `asked` for by name; `given` where that cannot be."""
    kept = read_kept(_drawing_file(), KeptDrawing)
    if kept is None:
        return given
    taken = {"seed"} if kept.pipeline != _whole(given.diffusion.pipeline) else {"steps", "strength", "initial", "seed"}
    # Grey asks for a strength of its own, so that a start which is asked for brings its strength.
    taken -= asked | ({"strength"} if "initial" in asked else set())
    try:
        diffusion = DiffusionConfig.model_validate(given.diffusion.model_dump() | kept.model_dump(include=taken))
    except ValidationError as error:
        _log.warning("How pictures were drawn the last time is left out: %s.", complaint(error))
        diffusion = given.diffusion
    return DrawingChoice(
        diffusion,
        kept.free_seed and "seed" not in asked,
        kept.averaged,
        kept.every_s,
        given.anytime if "anytime" in asked else kept.anytime,
    )


class KeptModels(BaseModel):
    """`ModelChoice` as a file holds it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    decoder: str = Field(min_length=1)
    pipeline: str = Field(min_length=1)
    device: str


def _whole(pipeline: str) -> str:
    """Its folder's whole path, wherever the next start is; what is no folder is a name."""
    folder = bundled(pipeline)
    return str(folder.resolve()) if folder.is_dir() else pipeline


def _models_file() -> Path:
    return platformdirs.user_config_path("bci_live") / "models.json"


def remember_models(choice: ModelChoice) -> None:
    """Keep them for the next start, which may be in another folder."""
    decoder = str(choice.decoder.resolve())
    kept = KeptModels(decoder=decoder, pipeline=_whole(choice.pipeline), device=choice.device)
    write_kept(_models_file(), kept, "The choice of models")


def remembered_models(given: ModelChoice, asked: Set[str]) -> ModelChoice:
    """The models of the last time, but for what was `asked` for by name; a pipeline comes back with its decoder alone."""
    kept = read_kept(_models_file(), KeptModels)
    if kept is None:
        return given
    device = given.device if "device" in asked else kept.device
    same_decoder = given.decoder.resolve() == Path(kept.decoder)
    decoder = given.decoder if same_decoder or "decoder" in asked else Path(kept.decoder)
    same_pipeline = _whole(given.pipeline) == kept.pipeline
    stays = same_pipeline or "pipeline" in asked or ("decoder" in asked and not same_decoder)
    return ModelChoice(decoder, given.pipeline if stays else kept.pipeline, device)


def forget_models() -> None:
    """They cannot be used any more: the next start is as it is asked for."""
    try:
        _models_file().unlink(missing_ok=True)
    except OSError as error:
        _log.warning("The choice of models is not forgotten: %s.", error)
