"""What the user chose of models and drawing, from the window's thread, until the session's thread takes it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from bci_live.config import DiffusionConfig, known_pipeline
from bci_live.errors import BciError
from bci_live.live.controls import DrawingChoice, ModelChoice
from bci_live.live.fitting import check_fit, check_models, check_stream
from bci_live.live.last_time import LastTime
from bci_live.live.launcher import LiveRequest, load_models
from bci_live.live.remembered import remember_drawing, remember_models, remembered_drawing

if TYPE_CHECKING:
    from collections.abc import Callable

    from bci_live.live.protocols import Decoder, Reconstructor
    from bci_live.live.session import LiveSession
    from bci_live.types import StreamFacts

    Models = tuple[Decoder, Reconstructor]

_UNUSED = "The models of the last time are not used."


class Choices:
    """`drawing`: how pictures are drawn, or will be in a moment. `problem`: why the last choice was not taken.

    What `want` and `choose` are told is loaded by the session's thread; `loading`: whether that is still to come, or goes on.
    """

    def __init__(self, request: LiveRequest) -> None:
        self._drawn = _first_drawing(request)
        self.drawing = remembered_drawing(self._drawn, request.asked)
        self.problem = ""
        self._last_time = LastTime()
        self._taking = threading.Lock()
        self._wanted: ModelChoice | None = None
        self._wanted_next_time = False
        self._loads = False
        self._keeps = False  # the models that a session begins with next were chosen to come back

    @property
    def loading(self) -> bool:
        """Whether chosen models are not there yet."""
        return self._loads or self._wanted is not None

    @property
    def recalled(self) -> bool:
        """Whether the models are those of the last time, and have not drawn yet."""
        return self._last_time.recalled

    def draw(self, choice: DrawingChoice) -> None:
        """Draw so from the next picture on."""
        self.drawing, self.problem = choice, ""

    def choose(self, choice: ModelChoice, request: LiveRequest) -> bool:
        """Whether these models are there and fit each other, and the device is; then they are wanted, the next time too."""
        try:
            check_models(choice, _drawn_by(choice, request.config.diffusion))
        except BciError as error:
            self.problem = str(error)
            return False
        self.problem = ""
        self.want(choice, next_time=True)
        return True

    def want(self, choice: ModelChoice | None, next_time: bool = False) -> None:
        """Load these soon, beside the session; None: those that are in use. `next_time`: they come back at the next start."""
        with self._taking:
            self._wanted, self._wanted_next_time = choice, next_time
        self._last_time.works()

    def recall(self, request: LiveRequest) -> LiveRequest:
        """`request` with the models of the last time, but for what was asked for by name; as it is where they do not fit."""
        if self._wanted is not None:
            return request
        recalled, why = self._last_time.recall(request)
        if why:
            self.problem = f"{_UNUSED} {why}"
        elif self._last_time.recalled:
            self.drawing = remembered_drawing(_first_drawing(recalled), request.asked)
        return recalled

    def drew(self) -> None:
        """A session with these models draws: they work."""
        self._last_time.works()

    def fall_back(self, why: BciError) -> LiveRequest | None:
        """As it was asked for, where the models of the last time cannot be used after all; None where it is so already."""
        asked = self._last_time.give_up(why)
        if asked is not None:
            self.problem = f"{_UNUSED} {why}"
            self.drawing = remembered_drawing(_first_drawing(asked), asked.asked)
        return asked

    def adopt(self, request: LiveRequest) -> LiveRequest:
        """`request` with the models that were chosen meanwhile; as it is where none were."""
        with self._taking:
            choice, keeps = self._wanted, self._wanted_next_time
            self._wanted = None
        if choice is None:
            return request
        diffusion = _drawn_by(choice, request.config.diffusion)
        self.problem, self.drawing, self._keeps = "", replace(self.drawing, diffusion=diffusion), keeps
        return request.with_models(choice, diffusion)

    def load(
        self,
        request: LiveRequest,
        models: Models,
        tell: Callable[[str], None],
        stream: Callable[[], StreamFacts | None] = lambda: None,
    ) -> tuple[LiveRequest, Models]:
        """The models that were chosen meanwhile; those before where none were, where they cannot be had, or do not fit `stream`."""
        from bci_live.decoding.storage import read_card

        if self._wanted is None:
            return request, models
        self._loads, before = True, self.drawing.diffusion
        wanted = self.adopt(request)
        try:
            if (facts := stream()) is not None:
                check_stream(read_card(wanted.decoder), facts)
            return wanted, load_models(wanted, tell)
        except BciError as error:
            self.problem, self.drawing = str(error), replace(self.drawing, diffusion=before)
            self._keeps = False
            return request, models
        finally:
            self._loads = False

    def begin(self, request: LiveRequest) -> None:
        """A session begins: it draws as `request` says, until `redraw` has told it what else was chosen."""
        self._drawn = _first_drawing(request)
        if self._keeps:
            self._keeps = False
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


def _first_drawing(request: LiveRequest) -> DrawingChoice:
    return DrawingChoice(request.config.diffusion, anytime=request.config.live.anytime)


def _drawn_by(choice: ModelChoice, before: DiffusionConfig) -> DiffusionConfig:
    """The settings of before; those that the pipeline is used with, where something is known of it, or of the one before."""
    pipeline, compiled = choice.pipeline, before.compiled and _on_cuda(choice.device)
    if pipeline != before.pipeline and (known_pipeline(pipeline) or known_pipeline(before.pipeline)):
        return DiffusionConfig(pipeline=pipeline, seed=before.seed, compiled=compiled)
    return before.model_copy(update={"pipeline": pipeline, "compiled": compiled})


def _on_cuda(device: str) -> bool:
    """Whether a pipeline that is loaded to it can be compiled."""
    from bci_live.decoding.device import devices_at_hand

    return (devices_at_hand()[0] if device == "auto" else device) == "cuda"
