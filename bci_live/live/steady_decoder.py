"""Goes on decoding, on the processor, where the device runs out of memory: the decoder shares it with the pipeline."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from bci_live.diffusion.memory import free_memory, is_of_memory
from bci_live.errors import DecoderError
from bci_live.live.protocols import Card, Decoder
from bci_live.signal.repair import ChannelRepair
from bci_live.types import Decoding, Epoch, Guess

_log = logging.getLogger(__name__)
_PROCESSOR = "cpu"
_Read = TypeVar("_Read")


class SteadyDecoder:
    """A decoder that moves to the processor the first time its device has no memory left, and stays there.

    `note`: that it did; empty before.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder, self.note = decoder, ""
        self._device = ""
        # The models are warmed up beside the drawing: networks must not move away under what the other thread decodes.
        self._still = threading.RLock()

    @classmethod
    def of(cls, decoder: Decoder) -> SteadyDecoder:
        """The decoder itself, where it is one already."""
        return decoder if isinstance(decoder, SteadyDecoder) else cls(decoder)

    @property
    def card(self) -> Card:
        """Of the decoder."""
        return self._decoder.card

    @property
    def repair(self) -> ChannelRepair | None:
        """Of the decoder."""
        return self._decoder.repair

    def to(self, device: str) -> None:
        """Decode there from now on; on the processor, where memory lacks already.

        Raises
        ------
        DecoderError
            If the processor has too little memory, too. So do `decode` and `guess`.
        """
        self._device = device
        self._read(lambda: self._decoder.to(self._device))

    def decode(self, epoch: Epoch) -> Decoding:
        """Read it; once more, on the processor, where memory lacked."""
        with self._still:
            return self._read(lambda: self._decoder.decode(epoch))

    def guess(self, epoch: Epoch, until_s: float) -> Guess:
        """As `decode`, but beside it: a guess that waits for another epoch comes too late."""
        return self._read(lambda: self._decoder.guess(epoch, until_s))

    def _read(self, read: Callable[[], _Read]) -> _Read:
        while True:
            try:
                return read()
            except (RuntimeError, MemoryError) as error:
                self._check_way_out(error)
            self._step_down()

    def _check_way_out(self, error: RuntimeError | MemoryError) -> None:
        """Raise again what is no lack of memory; a sentence, where that lacks on the processor."""
        if not is_of_memory(error):
            raise error
        if self._device == _PROCESSOR:
            raise DecoderError(
                "There is too little memory to decode, on the processor, too. End other programs that take memory, or choose "
                "a smaller pipeline."
            ) from error

    def _step_down(self) -> None:
        """Outside of any handler: the traceback would keep the tensors that have to go."""
        with self._still:
            self._device = _PROCESSOR
            self._decoder.to(_PROCESSOR)
            free_memory()
        self.note = "The device ran out of memory: the EEG is decoded by the processor now."
        _log.warning("%s", self.note)
