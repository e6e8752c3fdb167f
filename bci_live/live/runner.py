"""The thread that the window's session lives in: it loads the models, opens one session after the other, and survives their errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from bci_live.errors import BciError, MontageError, StreamError
from bci_live.live.choosing import Choices
from bci_live.live.launcher import (
    LiveRequest,
    check_replay,
    load_models,
    open_session,
    start_early,
)
from bci_live.live.remembered import StreamChoice, remembered
from bci_live.live.stages import StageThread
from bci_live.loading import no_collecting

if TYPE_CHECKING:
    from bci_live.live.choosing import Models
    from bci_live.live.replay_process import ReplayProcess
    from bci_live.live.session import LiveSession
    from bci_live.live.signal_session import SignalSession
    from bci_live.types import StreamFacts

# How often it is looked whether the replay failed.
_LOOK_S = 0.5
# A session closes its streams. Loading cannot be interrupted, and nothing is lost by leaving it behind.
_CLOSING_S, _LOADING_S = 8.0, 2.0
# What was chosen last is there at once, or not at all.
_REMEMBERED_S = 2.0
_RETRY_S = 2.0
# A headset that no decoder fits, and that is silent for so long, is given up: another may be there.
_GONE_S = 20.0
_MEANWHILE = "Until then it can be watched, checked, and recorded with REC."


class SessionRunner:
    """Runs one session at a time, as `request` says; what it has now is in its attributes.

    `progress`: what is being done, in words. `problem`: why there is no session, nothing comes into it, or nothing can be
    drawn, with the remedy; None while all is well. `choosing`: whether there is no session because it is not clear which
    streams are meant. `session`, `replay`: those that run, or None. `devices`: what models can be loaded to.
    """

    def __init__(self, request: LiveRequest) -> None:
        self.request = request
        self.choices = Choices(request)
        self.progress = "Starting …"
        self.problem: str | None = None
        self.choosing = False
        self.session: LiveSession | SignalSession | None = None
        self.replay: ReplayProcess | None = None
        self.devices: tuple[str, ...] = ("auto", "cpu")
        self._closing = False
        self._changing = threading.Lock()
        self._wake = threading.Event()
        self._thread = StageThread(target=self._run, name="live-session", daemon=True)

    def __enter__(self) -> SessionRunner:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._wake.set()
        self._thread.join(_CLOSING_S if self.session is not None else _LOADING_S)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def change(self, change: Callable[[LiveRequest], LiveRequest]) -> None:
        """Let the request be what `change` makes of it: the window and the session's thread both change parts of it."""
        with self._changing:
            self.request = change(self.request)

    def begin_anew(self) -> None:
        """End the session and begin one as `request` and `choices` are now."""
        if self._thread.ident is not None and not self.alive:
            return  # it met a bug, nothing would begin: what it said of that stays
        self.problem, self.choosing, self.progress = None, False, "Starting …"
        self._wake.set()

    def _run(self) -> None:
        models: Models | None = None
        try:
            with ExitStack() as early:
                while True:
                    self._wake.clear()  # before the look: a wake between the two would be lost
                    if self._closing:
                        break
                    try:
                        models, replay = self._loaded(models, early)
                        models = self._attend(self._wanted(), models, replay)
                    except StreamError as error:
                        self._fail(error, choosing=self.request.replay is None)
                        # What is not there may come; one of two may go.
                        self._wake.wait(_RETRY_S if self.choosing else None)
                    except BciError as error:
                        # Of a file or a model, which may be mended meanwhile: it is read anew when the user begins anew.
                        models = None
                        if not self._fall_back(error):
                            self._fail(error, choosing=False)
                            self._wake.wait()
                    early.close()
        except Exception as error:
            # A bug: its traceback goes where bugs go, and the window does not wait for ever.
            self.problem = f"{type(error).__name__} in the session: {error}. See the log."
            raise

    def _loaded(self, models: Models | None, early: ExitStack) -> tuple[Models, ReplayProcess | None]:
        """The models that are wanted now; the replay that runs already, where one was started while they were loaded."""
        from bci_live.decoding.device import devices_at_hand

        replay, replayed = None, self.request.replay
        if models is None:
            check_replay(self.request)
            self._take(self.choices.recall(self.request))
            self.change(self.choices.adopt)
            replay = start_early(self.request, early)
            with no_collecting():
                models = load_models(self.request, self._tell, draws_later=True)
            self.devices = ("auto", *devices_at_hand())
        models = self._chosen_models(models)
        # Another recording, or a stream, may have been chosen while the models were loaded.
        return models, replay if self.request.replay is replayed else None

    def _chosen_models(self, models: Models) -> Models:
        """Those that were chosen meanwhile, loaded; `models` where there are none, or none that the session's stream fits."""
        session = self.session

        def stream() -> StreamFacts | None:
            return session.snapshot().facts if session is not None else None

        taken, models = self.choices.load(self.request, models, self._tell, stream)
        self._take(taken)
        return models

    def _take(self, taken: LiveRequest) -> None:
        """Models and drawing as they are now; other streams may have been chosen while they were loaded."""
        self.change(
            lambda now: replace(
                now, decoder=taken.decoder, subject=taken.subject, device=taken.device, config=taken.config
            )
        )

    def _fall_back(self, error: BciError) -> bool:
        """Take the models that were asked for, where those of the last time may be what is wrong; whether there are such."""
        asked = self.choices.fall_back(error)
        if asked is not None:
            self._take(asked)
        return asked is not None

    def _wanted(self) -> LiveRequest:
        """What was asked for; where no stream was named, the one of the last time if that is there."""
        from bci_live.streams.discovery import find_eeg

        request, choice = self.request, remembered()
        if request.replay or request.stream or request.stream_id or choice is None:
            return request
        try:
            find_eeg(choice.stream, _REMEMBERED_S, choice.stream_id)
        except StreamError:
            return request
        return for_streams(request, choice)

    def _attend(self, request: LiveRequest, models: Models, early: ReplayProcess | None) -> Models | None:
        """`_listen`; where the decoder does not fit the headset, its signal alone.

        Raises
        ------
        MontageError
            If that is the decoder of the last time, and another one was asked for.
        """
        try:
            return self._listen(request, models, early)
        except MontageError as error:
            if self.choices.recalled:
                raise  # those that were asked for may fit
            return self._look_at(request, models, f"{error} {_MEANWHILE}")

    def _listen(self, request: LiveRequest, models: Models, early: ReplayProcess | None) -> Models | None:
        """One session, until others are chosen or the window is closed; the models for the next one.

        None: those that cannot draw may be mended meanwhile, and are read anew.
        """
        with open_session(request, *models, self._tell, False, early) as (session, replay):
            self.choices.begin(request)
            self.session, self.replay = session, replay
            self.problem, self.choosing = None, False
            try:
                # The first picture, too, is drawn as it was chosen, perhaps the last time.
                self._take(self.choices.redraw(self.request, session))
                self._tell("Loading the diffusion pipeline …")
                cannot_draw = self._draw(session)
                self._tell("")
                while not self._wake.wait(_LOOK_S):
                    self.problem = (replay.problem() if replay else None) or cannot_draw
                    self._take(self.choices.redraw(self.request, session))
                    # While they load, which may fail, the session goes on.
                    chosen = self._chosen_models(models)
                    if chosen is not models:
                        return chosen
                return None if cannot_draw else models
            finally:
                self.session = self.replay = None

    def _draw(self, session: LiveSession) -> str | None:
        """Let `session` draw; why it cannot, while its signal, what is read of it, and REC go on.

        Raises
        ------
        BciError
            If the models of the last time cannot draw, and others were asked for.
        """
        try:
            with no_collecting():
                session.draw(self._wake)
        except BciError as error:
            if self.choices.recalled:
                raise
            self._fail(error, choosing=False)
            return str(error)
        self.choices.drew()
        return None

    def _look_at(self, request: LiveRequest, models: Models, why: str) -> Models:
        """The signal alone of a headset that the decoder does not fit, until others are chosen or it is gone; as `_listen`."""
        from bci_live.live.signal_session import SignalSession
        from bci_live.streams.awaited import MarkerSearch
        from bci_live.streams.discovery import find_eeg

        if request.replay is not None:
            self.problem = why
            self._wake.wait()
            return models
        streams = request.config.streams
        eeg = find_eeg(request.stream, streams.resolve_s, request.stream_id)
        with SignalSession(eeg, MarkerSearch(request.markers, request.markers_id), streams, why) as session:
            self.session, self.problem, self.choosing = session, None, False
            try:
                self._tell("")
                while not self._wake.wait(_LOOK_S) and session.silent_s < _GONE_S:
                    chosen = self._chosen_models(models)
                    if chosen is not models:
                        return chosen
                return models
            finally:
                self.session = None

    def _fail(self, error: BciError, choosing: bool) -> None:
        """Say why there is no session, or no picture, unless another was asked for meanwhile: of that it says nothing."""
        if not self._wake.is_set():
            self.problem, self.choosing = str(error), choosing

    def _tell(self, text: str) -> None:
        self.progress = text


def for_streams(request: LiveRequest, choice: StreamChoice) -> LiveRequest:
    """The request for just these streams, instead of a replay too."""
    return replace(
        request,
        stream=choice.stream,
        stream_id=choice.stream_id,
        markers=choice.markers,
        markers_id=choice.markers_id,
        replay=None,
    )
