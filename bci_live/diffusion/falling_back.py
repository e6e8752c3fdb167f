"""Goes on drawing, in a humbler way, where the device runs out of memory."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from bci_live.config import DiffusionConfig
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.errors import DiffusionError
from bci_live.types import Decoding, Reconstruction

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rung:
    """A way to draw. `told`: what it means for the user. `load`: makes what draws so."""

    told: str
    load: Callable[[DiffusionConfig], DiffusionReconstructor]


def ladder(source: Path, device: torch.device) -> tuple[Rung, ...]:
    """As asked for, then on the processor. Pictures are drawn one by one and by the tiny decoder, where it is there, already."""

    def on(where: torch.device) -> Callable[[DiffusionConfig], DiffusionReconstructor]:
        def load(config: DiffusionConfig) -> DiffusionReconstructor:
            compiled = config.compiled and where == device
            return DiffusionReconstructor.load(source, where, config.model_copy(update={"compiled": compiled}))

        return load

    asked = Rung("as asked for", on(device))
    if device.type == "cpu":
        return (asked,)
    return asked, Rung("pictures are drawn by the processor now, which takes longer", on(torch.device("cpu")))


class FallingBack:
    """A reconstructor that steps down `ladder` each time the device has no memory left, and never up again.

    Importing what it is made of takes seconds, so it is loaded when it is first warmed up, or before, by `load`.

    `name`: the pipeline, as decoders remember it. `note`: how it draws, where that is not as asked for.
    """

    def __init__(self, name: str, ladder: Sequence[Rung], config: DiffusionConfig) -> None:
        self._first, *self._left = ladder
        self.name, self.note = name, ""
        self._config, self._tokens = config, 0
        self._present: DiffusionReconstructor | None = None

    def load(self) -> None:
        """Have its networks in memory; nothing is done where they are.

        Raises
        ------
        DiffusionError
            If the pipeline cannot be loaded.
        torch.OutOfMemoryError
            If not even the last rung has enough.
        """
        if self._present is None:
            self._present = self._tried(partial(self._loaded, self._first))
        if self._present is None:
            self._step_down()

    @property
    def draws_cold(self) -> bool:
        """Whether it can draw before and while it is warmed up."""
        return self._drawer.draws_cold

    def warm_up(self, tokens: int, beside_drawing: bool = False) -> None:
        """Make draws of so many tokens fast; see `DiffusionReconstructor.warm_up`."""
        self._tokens = tokens
        if self._tried(partial(self._warmed, self._drawer, beside_drawing)) is None:
            self._step_down()

    def draw_as(self, config: DiffusionConfig) -> None:
        """From the next picture on."""
        self._config = config
        if self._present is not None:
            self._present.draw_as(config)

    def reconstruct(self, decoding: Decoding, seed: int) -> Iterator[Reconstruction]:
        """As the rung draws it; begun anew, from the first step, where it had to be stepped down."""
        while True:
            try:
                yield from self._drawer.reconstruct(decoding, seed)
                return
            except (RuntimeError, DiffusionError) as error:
                self._check_way_out(error)
            self._step_down()

    @property
    def _drawer(self) -> DiffusionReconstructor:
        self.load()
        if self._present is None:
            raise DiffusionError("No device has the memory to draw. Choose a smaller pipeline.")
        return self._present

    def _step_down(self) -> None:
        """Outside of any handler: the traceback would keep the tensors that have to go."""
        self._present = None
        while self._present is None:
            _free_memory()
            rung = self._left.pop(0)
            self.note = f"The device ran out of memory: {rung.told}."
            _log.warning("%s", self.note)
            self._present = self._tried(partial(self._loaded, rung))

    def _loaded(self, rung: Rung) -> DiffusionReconstructor:
        return self._warmed(rung.load(self._config))

    def _warmed(self, reconstructor: DiffusionReconstructor, beside_drawing: bool = False) -> DiffusionReconstructor:
        if self._tokens:
            reconstructor.warm_up(self._tokens, beside_drawing=beside_drawing)
        return reconstructor

    def _tried(self, load: Callable[[], DiffusionReconstructor]) -> DiffusionReconstructor | None:
        """None where the memory did not suffice."""
        try:
            return load()
        except (RuntimeError, DiffusionError) as error:
            self._check_way_out(error)
            return None

    def _check_way_out(self, error: RuntimeError | DiffusionError) -> None:
        """Raise `error` again, unless it is one of memory, and there is a rung to step down to."""
        if not (self._left and _is_of_memory(error)):
            raise error


def _is_of_memory(error: BaseException) -> bool:
    """PyTorch has a kind of its own for it; some libraries below tell it in words. A reconstructor may have named it anew."""
    reasons = (error, error.__cause__)
    return any(isinstance(it, torch.OutOfMemoryError) or "out of memory" in str(it).lower() for it in reasons)


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
