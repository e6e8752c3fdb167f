"""Every setting with its default, in one tree. Functions take the part they need (`FilterConfig`, not `Config`)."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FilterConfig(_Part):
    """Causal band-pass of each epoch, run from a fixed pre-roll so that an epoch depends on its own samples alone."""

    low_hz: float = Field(1.0, gt=0)
    high_hz: float = Field(30.0, gt=0)
    order: int = Field(2, ge=1, le=8)
    notch_hz: float | None = Field(None, gt=0)
    pre_roll_s: float = Field(2.0, ge=0, le=30)

    @model_validator(mode="before")
    @classmethod
    def _band(cls, values: Any) -> Any:
        """`"1-30"`, `"1-45,notch=50"`, as on the command line."""
        if not isinstance(values, str):
            return values
        numbers = re.fullmatch(r"\s*(\d+\.?\d*)\s*-\s*(\d+\.?\d*)\s*(?:,\s*notch=(\d+\.?\d*)\s*)?", values)
        if numbers is None:
            raise ValueError(f"'{values}' is no band in Hz: write for instance 1-30, or 1-45,notch=50")
        return {"low_hz": numbers[1], "high_hz": numbers[2], "notch_hz": numbers[3]}

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low_hz < self.high_hz:
            raise ValueError(f"the band {self.low_hz}…{self.high_hz} Hz must begin below its end")
        return self


class EpochConfig(_Part):
    """The window around a marker, and when it is thrown away.

    `reference`: the channels whose mean is subtracted from the others, "average" for that of all; empty: as recorded.
    `reject_uv`: by type of channel the largest span, µV. An EOG channel is looked at where it has a limit, never decoded.
    """

    start_s: float = Field(-0.1, ge=-30)
    stop_s: float = Field(0.8, le=30)
    baseline: bool = True
    reference: tuple[str, ...] = ()
    reject_uv: dict[str, PositiveFloat] = {"eeg": 150.0}

    @field_validator("reference", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        """Names in one text, as on the command line, are parted at their commas."""
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value

    @field_validator("reject_uv", mode="before")
    @classmethod
    def _by_type(cls, value: Any) -> Any:
        """`eeg=150,eog=300`, a number alone for EEG's limit, "none" or None for no limit."""
        if isinstance(value, str):
            value = {} if value.strip() == "none" else dict(_limit(part) for part in value.split(","))
        if isinstance(value, dict):
            return {str(type_).lower(): limit for type_, limit in value.items()}
        return {} if value is None else {"eeg": value}

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.start_s <= 0 < self.stop_s:
            raise ValueError(
                f"the window {self.start_s}…{self.stop_s} s must begin at or before the marker and end after it"
            )
        return self


def _limit(part: str) -> tuple[str, str]:
    type_, equals, limit = (piece.strip() for piece in part.partition("="))
    if not (equals and type_ and limit):
        raise ValueError(
            f"'{part}' gives no type of channel a limit in µV: write for instance eeg=150,eog=300, or none"
        )
    return type_, limit


BRAINDECODE = "braindecode:"


def _known_encoder(name: str) -> str:
    if name in ("nice", "lstm") or (name.startswith(BRAINDECODE) and name.removeprefix(BRAINDECODE).isidentifier()):
        return name
    raise ValueError(f"'{name}' is no encoder: choose nice, lstm or braindecode:NAME, for instance braindecode:EEGNet")


EncoderName = Annotated[str, AfterValidator(_known_encoder)]


Mining = Literal["semi-hard", "hard", "all"]


def _named_numbers(text: str, part_of: type[_Part], what: str, example: str) -> dict[str, str]:
    """`"a=1,b=2"`, of the fields of `part_of`."""
    named: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (equals and value) or name not in part_of.model_fields or name in named:
            raise ValueError(
                f"'{part}' is no part of {what}: write for instance {example}; there are "
                f"{', '.join(part_of.model_fields)}, each once"
            )
        named[name] = value
    return named


class ObjectiveConfig(_Part):
    """What the encoder's training minimises: terms with their weights, 0 leaves one out.

    `triplet`: the paper's, with its `margin` and which negatives it takes (`mining`). `labels`: cross-entropy, with
    `smoothing` of its targets. `infonce`: to the captions' embedding, from this `temperature` on.
    """

    triplet: float = Field(0.5, ge=0)
    labels: float = Field(1.0, ge=0)
    infonce: float = Field(0.0, ge=0)
    margin: float = Field(1.0, gt=0)
    mining: Mining = "semi-hard"
    smoothing: float = Field(0.1, ge=0, lt=1)
    temperature: float = Field(0.07, ge=0.01)
    learn_temperature: bool = True

    @model_validator(mode="before")
    @classmethod
    def _terms(cls, values: Any) -> Any:
        """`"triplet=0.5,infonce=1"`, as on the command line: what it does not name has no weight."""
        if not isinstance(values, str):
            return values
        named = _named_numbers(values, cls, "an objective", "triplet=0.5,labels=1,infonce=0.5")
        return dict.fromkeys(("triplet", "labels", "infonce"), "0") | named

    @model_validator(mode="after")
    def _wants_something(self) -> Self:
        if not (self.triplet or self.labels or self.infonce):
            raise ValueError("give triplet, labels or infonce a weight above 0: nothing would be learned")
        return self


class SaliencyConfig(_Part):
    """What the saliency generator's training minimises, by weights, and for how many steps at most.

    `adversarial`, `mode_seeking`, `similarity` are the paper's α₁, α₂, α₃ (eq. 4 to 6), which it does not state; `colour`: of
    the mean absolute error. These let the stimulus outweigh the texture.
    """

    adversarial: float = Field(0.1, ge=0)
    mode_seeking: float = Field(0.1, ge=0)
    similarity: float = Field(1.0, ge=0)
    colour: float = Field(2.0, ge=0)
    steps: int = Field(1000, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _terms(cls, values: Any) -> Any:
        """`"adversarial=0.2,colour=0"`, as on the command line: what it does not name stays as it is."""
        if not isinstance(values, str):
            return values
        return _named_numbers(values, cls, "the saliency map's training", "adversarial=0.2,similarity=1,colour=0")

    @model_validator(mode="after")
    def _wants_the_stimulus(self) -> Self:
        if not (self.adversarial or self.similarity or self.colour):
            raise ValueError("give adversarial, similarity or colour a weight above 0: no stimulus would be learned")
        return self


class TrainingConfig(_Part):
    """What reads the EEG, what it is trained for, and how the saliency map is.

    `encoder`: "nice", "lstm" (the paper's), or "braindecode:" and the name of a classifier. `subject_layer`: whether it has a
    linear layer for each of several subjects.
    """

    encoder: EncoderName = "nice"
    objective: ObjectiveConfig = ObjectiveConfig()
    subject_layer: bool = False
    saliency: SaliencyConfig = SaliencyConfig()


class StreamConfig(_Part):
    """How streams are found and held."""

    ring_s: float = Field(60.0, ge=5)
    resolve_s: float = Field(5.0, gt=0)
    stale_s: float = Field(1.0, gt=0)


Initial = Literal["saliency", "latent", "blend", "grey"]


class KnownPipeline(_Part):
    """A big pipeline behind a short name. `hub`: its name there. `steps`, `strength`, `initial`: unless others are asked for.

    `most_steps`: what it was distilled for. `euler`: draws with Euler's method on trailing timesteps, whatever the folder says.
    """

    hub: str
    steps: int
    strength: float
    most_steps: int
    initial: Initial = "saliency"
    euler: bool = False


# Guidance is distilled into all three, so that none is computed.
KNOWN_PIPELINES = {
    # Adversarial diffusion distillation of SD 2.1 (Sauer et al. 2023): one to four steps.
    "sd-turbo": KnownPipeline(hub="stabilityai/sd-turbo", steps=2, strength=0.5, most_steps=4, euler=True),
    # Latent consistency distillation of an SD 1.5 (Luo et al. 2023): two to eight steps.
    "lcm": KnownPipeline(hub="SimianLuo/LCM_Dreamshaper_v7", steps=4, strength=0.75, most_steps=8),
    # Score distillation into a third of SD 2.1 (Song et al. 2024): one step, from noise alone.
    "sdxs": KnownPipeline(
        hub="IDKiro/sdxs-512-0.9", steps=1, strength=1.0, most_steps=1, initial="grey", euler=True
    ),
}  # fmt: skip


def known_pipeline(name: str) -> KnownPipeline | None:
    """What is known of a pipeline by its short name or its hub name; None of all others."""
    by_hub = {known.hub: known for known in KNOWN_PIPELINES.values()}
    return KNOWN_PIPELINES.get(name) or by_hub.get(name)


class DiffusionConfig(_Part):
    """The pipeline that draws, and how. `int(steps * strength)` steps are run, as in diffusers.

    `pipeline`: a folder, a short name of `KNOWN_PIPELINES`, or a name on the hub. `initial`: what is drawn over; "blend" is
    the mean of saliency map and latent, in latent space. `compiled`: by `torch.compile`, on CUDA; minutes at the start.
    Flat grey has nothing to keep, so unless a strength is asked for it is drawn over altogether.
    """

    pipeline: str = "models/diffusion-demo"
    steps: int = Field(4, ge=1, le=50)
    strength: float = Field(0.75, gt=0, le=1)
    initial: Initial = "saliency"
    seed: int = 0
    compiled: bool = False

    @model_validator(mode="before")
    @classmethod
    def _as_the_pipeline_is_used(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        known = known_pipeline(str(values.get("pipeline")))
        usual = known.model_dump(include={"steps", "strength", "initial"}) if known else {}
        if values.get("initial") == "grey":
            usual |= {"strength": 1.0}
        return usual | values

    @model_validator(mode="after")
    def _draws_what_it_can(self) -> Self:
        known = known_pipeline(self.pipeline)
        if known and self.steps > known.most_steps:
            most = "one step" if known.most_steps == 1 else f"at most {known.most_steps} steps"
            raise ValueError(f"{self.pipeline} was made to draw in {most}, not in {self.steps}: lower the steps")
        if int(self.steps * self.strength) < 1:
            raise ValueError(
                f"{self.steps} steps × strength {self.strength:g} is less than one step: raise either of them"
            )
        return self


class LiveConfig(_Part):
    """The running pipeline: bounded queues and the longest waits.

    `waiting_epochs`: so many wait to be drawn where each outcome is written down; in the window the newest alone does.
    `abstain`: draw no picture of what the decoder is not sure of; None: so where it is only watched, in the window.
    `anytime`: guess while a window still fills.
    """

    waiting_epochs: int = Field(4, ge=1)
    marker_timeout_s: float = Field(5.0, gt=0)
    history: int = Field(200, ge=1)
    abstain: bool | None = None
    anytime: bool = True


class Config(_Part):
    """The whole tree."""

    streams: StreamConfig = StreamConfig()
    filter: FilterConfig = FilterConfig()
    epoch: EpochConfig = EpochConfig()
    diffusion: DiffusionConfig = DiffusionConfig()
    live: LiveConfig = LiveConfig()
    training: TrainingConfig = TrainingConfig()


def complaint(error: ValidationError) -> str:
    """What is wrong with settings, in one line."""
    return "; ".join(
        f"{'.'.join(map(str, e['loc']))}{': ' if e['loc'] else ''}{e['msg'].removeprefix('Value error, ')}{_given(e)}"
        for e in error.errors()
    )


def _given(error: ErrorDetails) -> str:
    """The value, where the sentence is pydantic's own: those of ours have it in them."""
    given = error["input"]
    ours = error["type"] in ("value_error", "extra_forbidden", "missing")
    return "" if ours or not isinstance(given, str | int | float) else f", and is '{given}'"


def bundled(name: str) -> Path:
    """Where something that ships lies (`models/…`, `recordings/…`): beside the package, or where pip put it.

    A path that exists as given, or that nothing shipped answers to, comes back as it is.
    """
    for folder in (Path(), Path(__file__).resolve().parent.parent, Path(sys.prefix) / "share" / "bci_live"):
        if (folder / name).exists():
            return folder / name
    return Path(name)
