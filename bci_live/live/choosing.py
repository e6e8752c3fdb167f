"""What the user chose of models and drawing, from the window's thread, until the session's thread takes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bci_live.config import DiffusionConfig, complaint, known_pipeline
from bci_live.errors import BciError
from bci_live.live.controls import DrawingChoice, ModelChoice
from bci_live.live.fitting import check_fit, check_stream
from bci_live.live.launcher import LiveRequest, load_models
from bci_live.live.remembered import (
    forget_models,
    remember_drawing,
    remember_models,
    remembered_drawing,
    remembered_models,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bci_live.live.protocols import Decoder, Reconstructor
    from bci_live.live.session import LiveSession
    from bci_live.types import StreamFacts

    Models = tuple[Decoder, Reconstructor]


class Choices:
    """`drawing`: how pictures are drawn, or will be in a moment. `problem`: why the last choice was not taken.

    `models`: which are to be loaded; `loading` says whether that is still to come, or goes on.
    """

    def __init__(self, request: LiveRequest) -> None:
        self._drawn = DrawingChoice(request.config.diffusion, anytime=request.config.live.anytime)
        self.drawing = remembered_drawing(self._drawn, request.asked)
        self.models: ModelChoice | None = None
        self.problem = ""
        self._loads = False
        self._chose = False
        self._asked: LiveRequest | None = None  # while it has the models of the last time: as it was asked for

    @property
    def loading(self) -> bool:
        """Whether chosen models are not there yet."""
        return self._loads or self.models is not None

    def draw(self, choice: DrawingChoice) -> None:
        """Draw so from the next picture on."""
        self.drawing, self.problem = choice, ""

    def choose(self, choice: ModelChoice, request: LiveRequest) -> bool:
        """Whether these models are there and fit each other, and the device is; they are loaded soon, beside the session."""
        try:
            _check(choice, _drawn_by(choice.pipeline, request.config.diffusion))
        except BciError as error:
            self.problem = str(error)
            return False
        self.models, self.problem = choice, ""
        self._chose, self._asked = True, None
        return True

    def recall(self, request: LiveRequest) -> LiveRequest:
        """`request` with the models of the last time, but for what was asked for by name; as it is where they do not fit."""
        choice = remembered_models(request.models, request.asked)
        if choice == request.models or self._chose or self.models is not None:
            return request
        asked = request.config.diffusion.model_dump(include=set(request.asked))
        try:
            diffusion = DiffusionConfig.model_validate(asked | {"pipeline": choice.pipeline})
            _check(choice, diffusion)
        except (BciError, ValidationError) as error:
            self._forget(complaint(error) if isinstance(error, ValidationError) else str(error))
            return request
        self._asked = request
        self.drawing = remembered_drawing(DrawingChoice(diffusion, anytime=self.drawing.anytime), request.asked)
        return _with(request, choice, diffusion)

    def fall_back(self, why: BciError) -> LiveRequest | None:
        """As it was asked for, where the models of the last time cannot be loaded after all; None where it is so already."""
        asked, self._asked = self._asked, None
        if asked is not None:
            self._forget(str(why))
            given = DrawingChoice(asked.config.diffusion, anytime=asked.config.live.anytime)
            self.drawing = remembered_drawing(given, asked.asked)
        return asked

    def adopt(self, request: LiveRequest) -> LiveRequest:
        """`request` with the models that were chosen meanwhile; as it is where none were."""
        choice, self.models = self.models, None
        if choice is None:
            return request
        diffusion = _drawn_by(choice.pipeline, request.config.diffusion)
        self.problem, self.drawing = "", replace(self.drawing, diffusion=diffusion)
        return _with(request, choice, diffusion)

    def load(
        self, request: LiveRequest, models: Models, tell: Callable[[str], None], stream: StreamFacts | None = None
    ) -> tuple[LiveRequest, Models]:
        """The models that were chosen meanwhile; those before where none were, where they cannot be had, or do not fit `stream`."""
        from bci_live.decoding.storage import read_card

        if self.models is None:
            return request, models
        self._loads, before = True, self.drawing.diffusion
        wanted = self.adopt(request)
        try:
            if stream is not None:
                check_stream(read_card(wanted.decoder), stream)
            return wanted, load_models(wanted, tell)
        except BciError as error:
            self.problem, self.drawing = str(error), replace(self.drawing, diffusion=before)
            self._chose = False
            return request, models
        finally:
            self._loads = False

    def begin(self, request: LiveRequest) -> None:
        """A session begins: it draws as `request` says, until `redraw` has told it what else was chosen."""
        self._drawn = DrawingChoice(request.config.diffusion, anytime=request.config.live.anytime)
        if self._chose:
            self._chose = False
            remember_models(request.models)

    def redraw(self, request: LiveRequest, session: LiveSession) -> LiveRequest:
        """Hand `session` how to draw, if that was chosen anew; the request as it is then."""
        from bci_live.decoding.storage import read_card

        wanted = self.drawing
        if wanted == self._drawn:
            return request
        config = request.config.model_copy(update={"diffusion": wanted.diffusion})
        try:
            check_fit(read_card(request.decoder), wanted.diffusion, request.decoder)
            session.draw_with(wanted)
        except BciError as error:
            self.problem, self.drawing = str(error), self._drawn
            return request
        self._drawn = wanted
        remember_drawing(wanted)
        return replace(request, config=config)

    def _forget(self, why: str) -> None:
        forget_models()
        self.problem = f"The models of the last time are not used. {why}"


def _check(choice: ModelChoice, diffusion: DiffusionConfig) -> None:
    """These models are there and fit each other, and the device is.

    Raises
    ------
    BciError
        If not, with the remedy.
    """
    from bci_live.decoding.device import pick_device
    from bci_live.decoding.storage import read_card

    pick_device(choice.device)
    check_fit(read_card(choice.decoder), diffusion, choice.decoder)


def _with(request: LiveRequest, choice: ModelChoice, diffusion: DiffusionConfig) -> LiveRequest:
    config = request.config.model_copy(update={"diffusion": diffusion})
    subject = request.subject if choice.decoder == request.decoder else None  # another decoder may not know them
    return replace(request, decoder=choice.decoder, subject=subject, device=choice.device, config=config)


def _drawn_by(pipeline: str, before: DiffusionConfig) -> DiffusionConfig:
    """The settings of before; or those that the pipeline is used with, if something is known of it."""
    if pipeline != before.pipeline and known_pipeline(pipeline):
        return DiffusionConfig(pipeline=pipeline, seed=before.seed)
    return before.model_copy(update={"pipeline": pipeline})
