"""What the window works with: a session that loads and runs in a thread of its own, so that the window is there at once."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from bci_live.config import DiffusionConfig, bundled
from bci_live.errors import BciError, MontageError, StreamError
from bci_live.live.choosing import Choices
from bci_live.live.controls import DrawingChoice, ModelChoice
from bci_live.live.demo import DEMO_DECODER, DEMO_RECORDING
from bci_live.live.launcher import (
    LiveRequest,
    check_replay,
    load_models,
    open_session,
    start_early,
)
from bci_live.live.listening import StreamWatch
from bci_live.live.remembered import StreamChoice, remember, remembered
from bci_live.live.stages import ErrorLog
from bci_live.loading import no_collecting

if TYPE_CHECKING:
    import pylsl

    from bci_live.live.choosing import Models
    from bci_live.live.recording import LiveRecording
    from bci_live.live.replay_process import ReplayProcess
    from bci_live.live.session import LiveSession
    from bci_live.live.signal_session import SignalSession
    from bci_live.live.snapshot import LiveSnapshot, RecordingRequest, RecordingStatus, ReplayStatus, SignalPart
    from bci_live.streams.survey import StreamReport
    from bci_live.types import Chunk

# How often it is looked whether the replay failed.
_LOOK_S = 0.5
_JOIN_S = 15.0
# What was chosen last is there at once, or not at all.
_REMEMBERED_S = 2.0
_RETRY_S = 2.0
# A headset that no decoder fits, and that is silent for so long, is given up: another may be there.
_GONE_S = 20.0
_MEANWHILE = "Until then it can be watched, checked, and recorded with REC."


class BackgroundSession:
    """The window polls and commands it; every call returns at once.

    `progress` while things load, `problem` when they failed, `snapshot` and `signal` then. Another stream can be chosen
    at any time: the models stay loaded.
    """

    def __init__(self, request: LiveRequest) -> None:
        self._request = request
        self._progress = "Starting …"
        self._problem: str | None = None
        self._choosing = False
        self._session: LiveSession | SignalSession | None = None
        self._replay: ReplayProcess | None = None
        self._recording: LiveRecording | None = None
        self._watch = StreamWatch(ErrorLog())
        self._choices = Choices(request)
        self._devices: tuple[str, ...] = ("auto", "cpu")
        self._closing = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-session", daemon=True)
        self._opened = ExitStack()

    def __enter__(self) -> BackgroundSession:
        self._opened.enter_context(self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._wake.set()
        self._thread.join(_JOIN_S)
        if self._recording is not None:
            self._recording.__exit__(None, None, None)
        self._opened.close()

    def progress(self) -> str:
        """What is being done now, in words."""
        return self._progress

    def problem(self) -> str | None:
        """Why there is no session, or nothing comes into it, with the remedy; None while all is well."""
        return self._problem

    def choosing(self) -> bool:
        """Whether there is no session because it is not clear which streams are meant."""
        return self._choosing

    def snapshot(self) -> LiveSnapshot | None:
        """The session's state now, or None while it loads."""
        session = self._session
        return session.snapshot() if session is not None else None

    def signal(self, seconds: float) -> Chunk | None:
        """The last `seconds` of EEG, or None while the session loads."""
        session = self._session
        return session.signal(seconds) if session is not None else None

    def signal_since(self, count: int, seconds: float) -> SignalPart | None:
        """What came after the first `count` samples, the newest `seconds` at most; None while the session loads."""
        session = self._session
        return session.signal_since(count, seconds) if session is not None else None

    def watch_streams(self, wanted: bool) -> None:
        """Begin to listen to all streams there are, or end it."""
        self._watch.want(wanted)

    def streams(self) -> tuple[StreamReport, ...]:
        """What streams there are, while they are watched."""
        return self._watch.reports()

    def chosen(self) -> StreamChoice:
        """The streams that are listened to, or were asked for; otherwise those of the last time."""
        request = self._request
        if request.stream or request.stream_id:
            return StreamChoice(
                stream=request.stream,
                stream_id=request.stream_id,
                markers=request.markers,
                markers_id=request.markers_id,
            )
        return remembered() or StreamChoice()

    def connect(self, choice: StreamChoice) -> str:
        """Go over to these streams, and begin with them the next time; or why not, and the session goes on."""
        if self._replay is not None and self._replay.is_meant(choice, self._watch.reports()):
            return (
                "What is chosen here is the replay that runs already, which would end. Choose another stream once its "
                "program sends it."
            )
        remember(choice)
        self._request = _choosing(self._request, choice)
        self._begin_anew()
        return ""

    def play_demo(self) -> None:
        """Replay the session that ships, read by the decoder that belongs to it."""
        demo = bundled(DEMO_RECORDING)
        self._request = replace(_choosing(self._request, StreamChoice()), replay=demo, loop=True, start_s=0.0)
        models = ModelChoice(bundled(DEMO_DECODER), DiffusionConfig().pipeline, self._request.device)
        self._choices.models = models if models != self.models() else None
        self._begin_anew()

    def drawing(self) -> DrawingChoice:
        """How pictures are drawn, or will be in a moment."""
        return self._choices.drawing

    def draw_with(self, choice: DrawingChoice) -> None:
        """Draw so from the next picture on."""
        self._choices.drawing = choice

    def models(self) -> ModelChoice:
        """Which models are used."""
        request = self._request
        return ModelChoice(request.decoder, request.config.diffusion.pipeline, request.device)

    def load(self, choice: ModelChoice) -> None:
        """Begin anew with these once they are loaded; where that cannot be, `model_problem` says why, and the session goes on."""
        if self._replay is not None and self._recording is not None and self._recording.running:
            self._choices.problem = (
                "A recording is running, and the replay would begin anew with other models. End the recording first."
            )
        elif self._choices.choose(choice, self._request) and self._session is None:
            self._begin_anew()

    def loading(self) -> bool:
        """Whether chosen models are not there yet; the session goes on meanwhile."""
        return self._choices.loading

    def devices(self) -> tuple[str, ...]:
        """What models can be loaded to; all that this machine has, once that is known."""
        return self._devices

    def model_problem(self) -> str:
        """Why the last choice was not taken; empty when all is well."""
        return self._choices.problem

    def record(self, request: RecordingRequest) -> None:
        """Begin to record the session's streams, those too that come later; without a session all there are. One that runs goes on."""
        from bci_live.live.recording import (  # its readers of formats take what the window's start has not
            AllStreams,
            LiveRecording,
        )

        if self._recording is None or not self._recording.running:
            streams = self._infos if self._session is not None else AllStreams()
            self._recording = LiveRecording(request, streams).__enter__()

    def stop_recording(self) -> None:
        """End it soon; everything that has come is in the file."""
        if self._recording is not None:
            self._recording.stop()

    def recording(self) -> RecordingStatus | None:
        """How the last recording does; None where there was none."""
        return self._recording.status() if self._recording else None

    def recording_problem(self) -> str:
        """Why there is no recording, or why it ended; empty when all is well."""
        return self._recording.problem if self._recording else ""

    def replay(self) -> ReplayStatus | None:
        """Where the replay is; None where there is none."""
        replay = self._replay
        return replay.status() if replay is not None else None

    def pause(self, paused: bool) -> None:
        """Let the replay rest, or go on."""
        if self._replay is not None:
            self._replay.pause(paused)

    def seek(self, at_s: float) -> None:
        """Let the replay go on there, s from its beginning."""
        if self._replay is not None:
            self._replay.seek(at_s)

    def play_again(self) -> None:
        """Begin anew with the replay, which has ended."""
        if self._replay is not None:
            self._begin_anew()

    def loop(self, loop: bool) -> None:
        """Whether the replay begins anew at its end."""
        if self._replay is not None:
            self._replay.loop(loop)

    def _begin_anew(self) -> None:
        if self._thread.ident is not None and not self._thread.is_alive():
            return  # it met a bug, nothing would begin: what it said of that stays
        self._problem, self._choosing, self._progress = None, False, "Starting …"
        self._wake.set()

    def _infos(self) -> list[pylsl.StreamInfo]:
        session = self._session
        return session.streams() if session is not None else []

    def _run(self) -> None:
        models: Models | None = None
        try:
            with ExitStack() as early:
                while not self._closing:
                    self._wake.clear()
                    try:
                        models, replay = self._loaded(models, early)
                        models = self._attend(self._wanted(), models, replay)
                    except StreamError as error:
                        self._problem, self._choosing = str(error), self._request.replay is None
                        # What is not there may come; one of two may go.
                        self._wake.wait(_RETRY_S if self._choosing else None)
                    except BciError as error:
                        # Of a file or a model, which may be mended meanwhile: it is read anew when the user begins anew.
                        self._problem, models = str(error), None
                        self._wake.wait()
                    early.close()
        except Exception as error:
            # A bug: its traceback goes where bugs go, and the window does not wait for ever.
            self._problem = f"{type(error).__name__} in the session: {error}. See the log."
            raise

    def _loaded(self, models: Models | None, early: ExitStack) -> tuple[Models, ReplayProcess | None]:
        """The models that are wanted now; the replay that runs already, where one was started while they were loaded."""
        from bci_live.decoding.device import devices_at_hand

        replay, replayed = None, self._request.replay
        if models is None:
            check_replay(self._request)
            self._request = self._choices.adopt(self._request)
            replay = start_early(self._request, early)
            with no_collecting():
                models = load_models(self._request, self._tell, draws_later=True)
            self._devices = ("auto", *devices_at_hand())
        models = self._chosen_models(models)
        # Another recording, or a stream, may have been chosen while the models were loaded.
        return models, replay if self._request.replay is replayed else None

    def _chosen_models(self, models: Models) -> Models:
        """Those that were chosen meanwhile, loaded; `models` where there are none."""
        taken, models = self._choices.load(self._request, models, self._tell)
        self._take(taken)
        return models

    def _take(self, taken: LiveRequest) -> None:
        """Models and drawing as they are now; other streams may have been chosen while they were loaded."""
        self._request = replace(self._request, decoder=taken.decoder, device=taken.device, config=taken.config)

    def _wanted(self) -> LiveRequest:
        """What was asked for; where no stream was named, the one of the last time if that is there."""
        from bci_live.streams.discovery import find_eeg

        request, choice = self._request, remembered()
        if request.replay or request.stream or request.stream_id or choice is None:
            return request
        try:
            find_eeg(choice.stream, _REMEMBERED_S, choice.stream_id)
        except StreamError:
            return request
        return _choosing(request, choice)

    def _attend(self, request: LiveRequest, models: Models, early: ReplayProcess | None) -> Models:
        """`_listen`; where the decoder does not fit the headset, its signal alone."""
        try:
            return self._listen(request, models, early)
        except MontageError as error:
            self._look_at(request, f"{error} {_MEANWHILE}")
            return models

    def _listen(self, request: LiveRequest, models: Models, early: ReplayProcess | None) -> Models:
        """One session, until others are chosen or the window is closed; the models for the next one."""
        with open_session(request, *models, self._tell, False, early) as (session, replay):
            self._choices.begin(request)
            self._session, self._replay = session, replay
            self._problem, self._choosing = None, False
            try:
                # The first picture, too, is drawn as it was chosen, perhaps the last time.
                self._take(self._choices.redraw(self._request, session))
                self._tell("Loading the diffusion pipeline …")
                with no_collecting():
                    session.draw(self._wake)
                self._tell("")
                while not self._wake.wait(_LOOK_S):
                    self._problem = replay.problem() if replay else None
                    self._take(self._choices.redraw(self._request, session))
                    # While they load, which may fail, the session goes on.
                    chosen = self._chosen_models(models)
                    if chosen is not models:
                        return chosen
                return models
            finally:
                self._session = self._replay = None

    def _look_at(self, request: LiveRequest, why: str) -> None:
        """The signal alone of a headset that the decoder does not fit, until others are chosen or it is gone."""
        from bci_live.live.signal_session import SignalSession
        from bci_live.streams.awaited import MarkerSearch
        from bci_live.streams.discovery import find_eeg

        if request.replay is not None:
            self._problem = why
            self._wake.wait()
            return
        streams = request.config.streams
        eeg = find_eeg(request.stream, streams.resolve_s, request.stream_id)
        with SignalSession(eeg, MarkerSearch(request.markers, request.markers_id), streams, why) as session:
            self._session, self._problem, self._choosing = session, None, False
            try:
                self._tell("")
                while not self._wake.wait(_LOOK_S) and session.silent_s < _GONE_S:
                    pass
            finally:
                self._session = None

    def _tell(self, text: str) -> None:
        self._progress = text


def _choosing(request: LiveRequest, choice: StreamChoice) -> LiveRequest:
    """The request for just these streams, instead of a replay too."""
    return replace(
        request,
        stream=choice.stream,
        stream_id=choice.stream_id,
        markers=choice.markers,
        markers_id=choice.markers_id,
        replay=None,
    )
