"""What the live path asks of its parts: one or two verbs each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import pylsl

from bci_live.config import DiffusionConfig, EpochConfig, FilterConfig
from bci_live.signal.repair import ChannelRepair
from bci_live.types import Decoding, Epoch, Guess, Marker, Reconstruction


class Card(Protocol):
    """What a decoder says of itself."""

    @property
    def channels(self) -> tuple[str, ...]: ...
    @property
    def rate(self) -> float: ...
    @property
    def filter(self) -> FilterConfig: ...
    @property
    def epoch(self) -> EpochConfig: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def marker_labels(self) -> Mapping[str, str]: ...
    @property
    def prefixes(self) -> tuple[float, ...]: ...
    @property
    def pipeline(self) -> str: ...
    @property
    def simulated(self) -> bool: ...


class MarkerSource(Protocol):
    """Tells when something was shown. `info`: the stream, None as long as it is waited for."""

    @property
    def info(self) -> pylsl.StreamInfo | None: ...

    def pop(self) -> list[Marker]:
        """The markers since the last call."""
        ...

    def pop_dropped(self) -> int:
        """How many more came since the last call, and were dropped, because too many were waiting."""
        ...

    def trouble(self) -> str:
        """Why none come, or some were lost; empty when all is well."""
        ...


class Decoder(Protocol):
    """Reads an epoch, and the beginnings of one. `repair`: what fills in channels of it that carry no EEG."""

    @property
    def card(self) -> Card: ...
    @property
    def repair(self) -> ChannelRepair | None: ...

    def to(self, device: str) -> None:
        """Read there from now on."""
        ...

    def decode(self, epoch: Epoch) -> Decoding:
        """What the EEG tells."""
        ...

    def guess(self, epoch: Epoch, until_s: float) -> Guess:
        """What the beginning of a window tells, until one of the card's prefixes."""
        ...


class Reconstructor(Protocol):
    """Draws a decoding. `note`: what the user should know of how; empty where it is as asked for.

    `draws_cold`: whether it can draw before it is warm, and while it is warmed up; then the pictures come later than others.
    """

    @property
    def name(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def draws_cold(self) -> bool: ...

    def load(self) -> None:
        """Have everything in memory, if it is not there."""
        ...

    def warm_up(self, tokens: int, beside_drawing: bool = False) -> None:
        """Do once what only the first picture needs, of an embedding of so many tokens."""
        ...

    def draw_as(self, config: DiffusionConfig) -> None:
        """Draw so from the next picture on."""
        ...

    def reconstruct(self, decoding: Decoding, seed: int) -> Iterator[Reconstruction]:
        """The picture after each step; the last one is finished."""
        ...
