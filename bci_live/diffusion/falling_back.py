"""Goes on drawing, in a humbler way, where the device runs out of memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from bci_live.config import DiffusionConfig
from bci_live.diffusion.memory import free_memory, is_of_memory
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
    """As asked for; on CUDA then without graphs, which have memory of their own; then on the processor.

    Pictures are drawn one by one and by the tiny decoder, where it is there, already.
    """

    def on(where: torch.device) -> Callable[[DiffusionConfig], DiffusionReconstructor]:
        def load(config: DiffusionConfig) -> DiffusionReconstructor:
            plain = config.model_copy(update={"compiled": False})
            return DiffusionReconstructor.load(source, where, plain, frugal=where == device)

        return load

    rungs = [Rung("as asked for", partial(DiffusionReconstructor.load, source, device))]
    if device.type == "cuda":
        rungs.append(Rung("pictures are drawn without CUDA graphs now, which takes longer", on(device)))
    if device.type != "cpu":
        processor = torch.device("cpu")
        rungs.append(Rung("pictures are drawn by the processor now, which takes much longer", on(processor)))
    return tuple(rungs)


class FallingBack:
    """A reconstructor that steps down `ladder` each time the device has no memory left, and never up again.

    Importing what it is made of takes seconds, so it is loaded when it is first warmed up, or before, by `load`.

    `name`: the pipeline, as decoders remember it. `note`: how it draws, where that is not as asked for.
    """

    def __init__(self, name: str, ladder: Sequence[Rung], config: DiffusionConfig) -> None:
        self._rung, *self._left = ladder
        self.name, self.note = name, ""
        self._config, self._tokens = config, 0
        self._problem = ""  # why it could not be loaded: to try that again for each picture would take all there is
        self._present: DiffusionReconstructor | None = None

    def load(self) -> None:
        """Have its networks in memory; nothing is done where they are.

        Raises
        ------
        DiffusionError
            If the pipeline cannot be loaded, or not even the last rung has enough memory; from then on at once.
        """
        if self._present is not None:
            return
        if self._problem:
            raise DiffusionError(self._problem)
        try:
            self._use(self._tried(partial(self._loaded, self._rung)))
            if self._present is None:
                self._step_down()
        except DiffusionError as error:
            self._problem = str(error)
            raise

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
        before, self._config = self._config, config
        present = self._present  # another thread may be stepping down
        if present is not None:
            try:
                present.draw_as(config)
            except DiffusionError:
                self._config = before
                raise

    def reconstruct(self, decoding: Decoding, seed: int) -> Iterator[Reconstruction]:
        """As the rung draws it; begun anew, from the first step, where it had to be stepped down."""
        while True:
            try:
                yield from self._drawer.reconstruct(decoding, seed)
                return
            except (RuntimeError, MemoryError, DiffusionError) as error:
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
            free_memory()
            self._rung = self._left.pop(0)
            self.note = f"The device ran out of memory: {self._rung.told}."
            _log.warning("%s", self.note)
            self._use(self._tried(partial(self._loaded, self._rung)))

    def _use(self, loaded: DiffusionReconstructor | None) -> None:
        """Draw by it, as was asked for while it was loaded, if it was."""
        self._present = loaded
        if loaded is not None:
            loaded.draw_as(self._config)

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
        except (RuntimeError, MemoryError, DiffusionError) as error:
            self._check_way_out(error)
            return None

    def _check_way_out(self, error: RuntimeError | MemoryError | DiffusionError) -> None:
        """Raise again what is no lack of memory; a sentence, where there is no rung to step down to."""
        if not is_of_memory(error):
            raise error
        if not self._left:
            raise DiffusionError(
                f"There is too little memory to draw with the pipeline '{self.name}'. Choose a smaller one, or end other "
                "programs that take memory."
            ) from error
