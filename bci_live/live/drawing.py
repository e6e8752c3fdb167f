"""Takes epochs out of the mailbox, decodes them, draws them. Its thread owns the GPU."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bci_live.config import DiffusionConfig
from bci_live.errors import BciError
from bci_live.live.averaging import TrialMeans
from bci_live.live.mailbox import Mailbox
from bci_live.live.protocols import Decoder, Reconstructor
from bci_live.live.sliding import is_sliding
from bci_live.live.snapshot import Outcome, Shown, Timings
from bci_live.live.stages import ErrorLog
from bci_live.live.still import StillPictures
from bci_live.live.telemetry import Telemetry, timings_of
from bci_live.types import Decoding, Epoch, Missed, MissedReason

_WAIT_S = 0.05
_SEEDS = 2**31


class _Choice(NamedTuple):
    """How to draw, as it was chosen. `number`: of choices before it."""

    seed: int | None
    averaged: int
    number: int


class Drawer:
    """One step: one epoch. The decoding is told at once, so that the saliency map is seen while the picture forms.

    `abstain`: what the decoder is not sure of gets no picture. `give_way`: a newer epoch that waits ends a drawing between
    its steps. One that ended another is itself drawn to its end, so that a device slower than the markers finishes some.
    """

    name = "decoding and drawing"

    def __init__(
        self,
        mailbox: Mailbox[Epoch],
        decoder: Decoder,
        reconstructor: Reconstructor,
        telemetry: Telemetry,
        errors: ErrorLog,
        seed: int,
        abstain: bool = False,
        give_way: bool = False,
    ) -> None:
        self._mailbox, self._decoder = mailbox, decoder
        self._gives_way, self._gave_way = give_way, False
        self._reconstructor = reconstructor
        self._telemetry, self._errors, self._abstain = telemetry, errors, abstain
        # Of another thread's making: always read and replaced as a whole.
        self._choice = _Choice(seed, 1, 0)
        self._means = TrialMeans()
        self._random = np.random.default_rng()
        self._still = StillPictures(self._random)

    @property
    def note(self) -> str:
        """What the user should know of how pictures are drawn now."""
        return self._reconstructor.note

    def draw_with(self, diffusion: DiffusionConfig, seed: int | None, averaged: int) -> None:
        """From the next picture on. `seed`: None for another each time. `averaged`: trials of one stimulus, at most.

        Raises
        ------
        DiffusionError
            If the pipeline cannot draw so.
        """
        # In this order: what is drawn meanwhile, by whichever, counts as of the choice before, and is not kept for this one.
        self._reconstructor.draw_as(diffusion)
        self._choice = _Choice(seed, averaged, self._choice.number + 1)

    def step(self) -> None:
        """Wait a moment for an epoch; decode and draw it."""
        epoch = self._mailbox.take(_WAIT_S)
        if epoch is None:
            return
        try:
            self._telemetry.ended(self._show(epoch))
        except Exception as error:
            # The marker ends here whatever happened; what is no BciError goes on to the stage loop, as a bug.
            self._telemetry.ended(Missed(epoch.marker, MissedReason.ERROR, str(error) or type(error).__name__))
            if not isinstance(error, BciError):
                raise
            self._errors.report(self.name, error)

    def _show(self, epoch: Epoch) -> Outcome:
        choice = self._choice
        seed = int(self._random.integers(_SEEDS)) if choice.seed is None else choice.seed
        decoding = self._decoder.decode(epoch if is_sliding(epoch.marker) else self._means.mean(epoch, choice.averaged))
        self._telemetry.decoded(decoding)
        if self._abstain and decoding.abstained:
            told = f"{decoding.top} with {decoding.confidence:.0%}: trials so unsure are no better than guessed"
            return Missed(epoch.marker, MissedReason.UNSURE, told)
        if is_sliding(epoch.marker) and (kept := self._still.instead_of(decoding, seed, choice.number)):
            self._telemetry.drew(kept)
            return Shown(kept, Timings(**timings_of(kept, kept.made)))
        outcome = self._draw(decoding, seed)
        if isinstance(outcome, Shown):
            self._still.drew(outcome.reconstruction, choice.number)
        return outcome

    def _draw(self, decoding: Decoding, seed: int) -> Outcome:
        first_made = None
        reconstruction = None
        may_give_way = self._gives_way and not self._gave_way
        self._gave_way = False
        for reconstruction in self._reconstructor.reconstruct(decoding, seed):
            first_made = reconstruction.made if first_made is None else first_made
            self._telemetry.drew(reconstruction)
            if may_give_way and reconstruction.step < reconstruction.steps and len(self._mailbox):
                self._gave_way = True
                told = f"a newer epoch came after step {reconstruction.step} of {reconstruction.steps} of its picture"
                return Missed(decoding.epoch.marker, MissedReason.INTERRUPTED, told)
        if reconstruction is None or first_made is None:
            raise BciError(f"The pipeline '{self._reconstructor.name}' drew nothing. Raise steps or strength.")
        return Shown(reconstruction, Timings(**timings_of(reconstruction, first_made)))
