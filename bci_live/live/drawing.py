"""Takes epochs out of the mailbox, decodes them, draws them. Its thread owns the GPU."""

from __future__ import annotations

from bci_live.errors import BciError
from bci_live.live.mailbox import Mailbox
from bci_live.live.protocols import Decoder, Reconstructor
from bci_live.live.snapshot import Outcome, Shown, Timings
from bci_live.live.stages import ErrorLog
from bci_live.live.telemetry import Telemetry, timings_of
from bci_live.types import Epoch, Missed, MissedReason

_WAIT_S = 0.05


class Drawer:
    """One step: one epoch. The decoding is told at once, so that the saliency map is seen while the picture forms.

    `abstain`: what the decoder is not sure of gets no picture.
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
    ) -> None:
        self._mailbox, self._decoder, self._reconstructor = mailbox, decoder, reconstructor
        self._telemetry, self._errors, self._seed, self._abstain = telemetry, errors, seed, abstain

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
        decoding = self._decoder.decode(epoch)
        self._telemetry.decoded(decoding)
        if self._abstain and decoding.abstained:
            told = f"{decoding.top} with {decoding.confidence:.0%}: trials so unsure are no better than guessed"
            return Missed(epoch.marker, MissedReason.UNSURE, told)
        first_made = None
        reconstruction = None
        for reconstruction in self._reconstructor.reconstruct(decoding, self._seed):
            first_made = reconstruction.made if first_made is None else first_made
            self._telemetry.drew(reconstruction)
        if reconstruction is None or first_made is None:
            raise BciError(f"The pipeline '{self._reconstructor.name}' drew nothing. Raise steps or strength.")
        return Shown(reconstruction, Timings(**timings_of(reconstruction, first_made)))
