"""The models of the last time: tried once at the start; where they cannot be used, what was asked for stands."""

from __future__ import annotations

from pydantic import ValidationError

from bci_live.config import DiffusionConfig, complaint
from bci_live.errors import BciError, MontageError
from bci_live.live.fitting import check_models
from bci_live.live.launcher import LiveRequest
from bci_live.live.remembered import forget_models, remembered_models


class LastTime:
    """`recalled`: whether they are in use, and have not drawn yet."""

    def __init__(self) -> None:
        self._tried = False
        self._asked: LiveRequest | None = None  # while they have not proved to work: as it was asked for

    @property
    def recalled(self) -> bool:
        """Whether there is something to fall back on."""
        return self._asked is not None

    def recall(self, request: LiveRequest) -> tuple[LiveRequest, str]:
        """`request` with them, but for what was asked for by name; where they do not fit, as it is, and why."""
        if self._tried:
            return request, ""
        self._tried = True
        choice = remembered_models(request.models, request.asked)
        if choice == request.models:
            return request, ""
        asked = request.config.diffusion.model_dump(include=set(request.asked))
        try:
            diffusion = DiffusionConfig.model_validate(asked | {"pipeline": choice.pipeline})
            check_models(choice, diffusion)
        except (BciError, ValidationError) as error:
            _forget(request)
            return request, complaint(error) if isinstance(error, ValidationError) else str(error)
        self._asked = request
        return request.with_models(choice, diffusion, same_subject="subject" in request.asked), ""

    def works(self) -> None:
        """They draw, or others were chosen: what goes wrong from now on is not theirs."""
        self._asked = None

    def give_up(self, why: BciError) -> LiveRequest | None:
        """As it was asked for; None where it is so already. Another headset's montage is no fault of the models."""
        asked, self._asked = self._asked, None
        if asked is not None and not isinstance(why, MontageError):
            _forget(asked)
        return asked


def _forget(request: LiveRequest) -> None:
    """Of a mixture with what was asked for it is not known which part is to blame."""
    if not request.asked:
        forget_models()
