"""What a decoder says of itself: `decoder.json`, the readable half of a decoder folder."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bci_live.config import EncoderName, EpochConfig, FilterConfig, TrainingConfig

FORMAT: Literal[4] = 4


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NetworkSizes(_Part):
    """The sizes that, together with the card's, give every tensor in the weights file its shape.

    `bin`: so many samples are averaged to one before the encoder; `kernel`, `pool`, `stride` are counted in those.
    """

    filters: int = Field(default=24, ge=1, le=256)
    bin: int = Field(default=2, ge=1, le=1000)
    kernel: int = Field(default=17, ge=1, le=501)
    pool: int = Field(default=12, ge=1)
    stride: int = Field(default=4, ge=1)
    feature: int = Field(default=64, ge=2, le=1024)
    noise: int = Field(default=32, ge=1, le=1024)
    generator_width: int = Field(default=64, ge=8, le=1024)
    wave_bins: int = Field(default=45, ge=1, le=1000)
    prototype_filters: int = Field(default=0, ge=0, le=64)
    bins: int = Field(default=20, ge=1)
    caption_axes: int = Field(default=1, ge=1)
    structure_axes: int = Field(default=8, ge=1)


class TrainingFile(_Part):
    """A recording that the decoder was trained on. `filled`: in how many of its epochs channels were filled in.

    `sha256`: of the file; `samples_sha256`: of its samples, which decoders of before do not tell.
    """

    name: str
    sha256: str
    samples_sha256: str = ""
    epochs: int
    filled: int = 0


class DecoderCard(_Part):
    """Montage, settings, origin and measured scores of a decoder.

    `rate`: Hz of the epochs. `marker_labels`: which of the sender's markers stand for which label, where they are
    none themselves. `bank_labels`: what the pipeline's caption bank knew. `tokens`, `width`: shape of the embedding.
    `latent_shape`: of the pipeline's VAE latent of a 64-pixel picture, or None. `encoder`: a name only, never code.
    `captions`: by label those that it speaks in place of the pipeline's own. `subjects`: whose layers the encoder has, in their
    order; empty where it has none. `label_head`: which of the label heads have a say. `certainty`: the confidence below which
    it abstains. `prefixes`: the beginnings of the window that are decoded, too, each until so many seconds after the onset.
    `repairs`: whether it knows the channels' covariance, to fill in some that carry no EEG. `files`: what it was trained on;
    `files_before`: what those that it came from were. `scores` and `controls`: of validation, on runs left out; these also
    chose the band, the weights of the heads and when to stop.
    """

    format: Literal[4] = FORMAT
    weights_sha256: str = ""
    channels: tuple[str, ...] = Field(min_length=1)
    rate: float = Field(gt=0, le=100_000)
    n_times: int = Field(ge=8, le=1_000_000)
    filter: FilterConfig
    epoch: EpochConfig
    labels: tuple[str, ...] = Field(min_length=2)
    marker_labels: dict[str, str] = {}
    captions: dict[str, str] = {}
    bank_labels: tuple[str, ...]
    pipeline: str
    tokens: int = Field(ge=1, le=1000)
    width: int = Field(ge=1, le=10_000)
    certainty: float = Field(default=0.0, ge=0, le=1)
    prefixes: tuple[Annotated[float, Field(gt=0, le=30)], ...] = Field(default=(), max_length=32)
    repairs: bool = False
    saliency_pixels: Literal[64] = 64
    text_space: str = "all-MiniLM-L6-v2 centred/8x384"
    latent_shape: tuple[int, int, int] | None = None
    latent_space: str = ""
    encoder: EncoderName = TrainingConfig().encoder
    subjects: tuple[str, ...] = Field(default=(), max_length=1000)
    sizes: NetworkSizes
    label_head: str
    caption_source: Literal["labels", "ridge"]
    files: tuple[TrainingFile, ...] = ()
    files_before: tuple[TrainingFile, ...] = ()
    split: str = ""
    scores: dict[str, float] = {}
    controls: dict[str, float] = {}
    simulated: bool = False

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for what, names in (("label", self.labels), ("channel", self.channels), ("subject", self.subjects)):
            if len(set(names)) < len(names):
                raise ValueError(f"a {what} stands there twice")
        return self

    @model_validator(mode="after")
    def _band_below_nyquist(self) -> Self:
        highest = max(self.filter.high_hz, self.filter.notch_hz or 0)
        if highest >= self.rate / 2:
            raise ValueError(f"a filter at {highest:g} Hz is impossible at {self.rate:g} Hz")
        return self

    @model_validator(mode="after")
    def _prefixes_grow(self) -> Self:
        ends = (0.0, *self.prefixes, self.epoch.stop_s)
        if any(round(earlier * self.rate) >= round(later * self.rate) for earlier, later in pairwise(ends)):
            raise ValueError(f"the prefixes {self.prefixes} s do not grow from the onset to the window's end")
        return self

    def trained_on(self, digests: Collection[str]) -> str | None:
        """Under which name this decoder, or one that it was made from, was trained on what has one of these digests."""
        for file in (*self.files, *self.files_before):
            if file.sha256 in digests or file.samples_sha256 in digests:
                return file.name
        return None

    def n_times_until(self, until_s: float) -> int:
        """How many of an epoch's samples lie before `until_s` seconds after the onset."""
        return round(until_s * self.rate) - round(self.epoch.start_s * self.rate)

    def describe(self) -> str:
        """One line for the terminal: what it decodes, and how well on runs it had not seen."""
        name, title, chance = ("auc", "AUC", 0.5) if len(self.labels) == 2 else ("top1", "top-1", 1 / len(self.labels))
        score, control = self.scores.get(name, float("nan")), self.controls.get(f"{name}_shuffled", float("nan"))
        figure = f"{title} {score:.2f} (shuffled labels {control:.2f}, chance {chance:.3g})"
        epochs = sum(file.epochs for file in self.files)
        filled = sum(file.filled for file in self.files)
        mended = f" (in {filled} channels without EEG were filled in)" if filled else ""
        kind = "simulated EEG, " if self.simulated else ""
        return f"{len(self.labels)} labels from {epochs} epochs{mended}, {kind}{figure}; {self.split}"
