"""What the window works with: what it asks of the session, and what it commands. The session itself runs in `runner`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from bci_live.config import DiffusionConfig, bundled
from bci_live.live.controls import DrawingChoice, ModelChoice
from bci_live.live.demo import DEMO_DECODER, DEMO_RECORDING
from bci_live.live.launcher import LiveRequest
from bci_live.live.listening import StreamWatch
from bci_live.live.remembered import StreamChoice, remember, remembered
from bci_live.live.runner import SessionRunner, for_streams
from bci_live.live.stages import ErrorLog

if TYPE_CHECKING:
    import pylsl

    from bci_live.live.recording import LiveRecording
    from bci_live.live.snapshot import LiveSnapshot, RecordingRequest, RecordingStatus, ReplayStatus, SignalPart
    from bci_live.streams.survey import StreamReport
    from bci_live.types import Chunk


class BackgroundSession:
    """The window polls and commands it; every call returns at once.

    `progress` while things load, `problem` when they failed, `snapshot` and `signal` then. Another stream can be chosen
    at any time: the models stay loaded.
    """

    def __init__(self, request: LiveRequest) -> None:
        self._runner = SessionRunner(request)
        self._recording: LiveRecording | None = None
        self._watch = StreamWatch(ErrorLog())
        self._opened = ExitStack()

    def __enter__(self) -> BackgroundSession:
        self._opened.enter_context(self._watch)
        self._runner.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.__exit__()
        if self._recording is not None:
            self._recording.__exit__(None, None, None)
        self._opened.close()

    def progress(self) -> str:
        """What is being done now, in words."""
        return self._runner.progress

    def problem(self) -> str | None:
        """Why there is no session, nothing comes into it, or nothing can be drawn, with the remedy; None while all is well."""
        return self._runner.problem

    def choosing(self) -> bool:
        """Whether there is no session because it is not clear which streams are meant."""
        return self._runner.choosing

    def snapshot(self) -> LiveSnapshot | None:
        """The session's state now, or None while it loads."""
        session = self._runner.session
        return session.snapshot() if session is not None else None

    def signal(self, seconds: float) -> Chunk | None:
        """The last `seconds` of EEG, or None while the session loads."""
        session = self._runner.session
        return session.signal(seconds) if session is not None else None

    def signal_since(self, count: int, seconds: float) -> SignalPart | None:
        """What came after the first `count` samples, the newest `seconds` at most; None while the session loads."""
        session = self._runner.session
        return session.signal_since(count, seconds) if session is not None else None

    def watch_streams(self, wanted: bool) -> None:
        """Begin to listen to all streams there are, or end it."""
        self._watch.want(wanted)

    def streams(self) -> tuple[StreamReport, ...]:
        """What streams there are, while they are watched."""
        return self._watch.reports()

    def chosen(self) -> StreamChoice:
        """The streams that are listened to, or were asked for; otherwise those of the last time."""
        request = self._runner.request
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
        replay = self._runner.replay
        if replay is not None and replay.is_meant(choice, self._watch.reports()):
            return (
                "What is chosen here is the replay that runs already, which would end. Choose another stream once its "
                "program sends it."
            )
        remember(choice)
        self._runner.change(lambda now: for_streams(now, choice))
        self._runner.begin_anew()
        return ""

    def play_demo(self) -> None:
        """Replay the session that ships, read by the decoder that belongs to it."""
        runner, demo = self._runner, bundled(DEMO_RECORDING)
        runner.change(lambda now: replace(for_streams(now, StreamChoice()), replay=demo, loop=True, start_s=0.0))
        models = ModelChoice(bundled(DEMO_DECODER), DiffusionConfig().pipeline, runner.request.device)
        now = self.models()
        in_use = now.decoder.resolve() == models.decoder.resolve() and bundled(now.pipeline) == bundled(models.pipeline)
        runner.choices.want(None if in_use else models)
        runner.begin_anew()

    def drawing(self) -> DrawingChoice:
        """How pictures are drawn, or will be in a moment."""
        return self._runner.choices.drawing

    def draw_with(self, choice: DrawingChoice) -> None:
        """Draw so from the next picture on."""
        self._runner.choices.draw(choice)

    def models(self) -> ModelChoice:
        """Which models are used."""
        return self._runner.request.models

    def load(self, choice: ModelChoice) -> None:
        """Begin anew with these once they are loaded; where that cannot be, `model_problem` says why, and the session goes on."""
        runner = self._runner
        if runner.replay is not None and self._recording is not None and self._recording.running:
            runner.choices.problem = (
                "A recording is running, and the replay would begin anew with other models. End the recording first."
            )
        elif runner.choices.choose(choice, runner.request) and runner.session is None:
            runner.begin_anew()

    def loading(self) -> bool:
        """Whether chosen models are not there yet; the session goes on meanwhile."""
        return self._runner.choices.loading

    def devices(self) -> tuple[str, ...]:
        """What models can be loaded to; all that this machine has, once that is known."""
        return self._runner.devices

    def model_problem(self) -> str:
        """Why the last choice was not taken; empty when all is well."""
        return self._runner.choices.problem

    def record(self, request: RecordingRequest) -> None:
        """Begin to record the session's streams, those too that come later; without a session all there are. One that runs goes on."""
        from bci_live.live.recording import (  # its readers of formats take what the window's start has not
            AllStreams,
            LiveRecording,
        )

        if self._recording is None or not self._recording.running:
            streams = self._infos if self._runner.session is not None else AllStreams()
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
        replay = self._runner.replay
        return replay.status() if replay is not None else None

    def pause(self, paused: bool) -> None:
        """Let the replay rest, or go on."""
        replay = self._runner.replay
        if replay is not None:
            replay.pause(paused)

    def seek(self, at_s: float) -> None:
        """Let the replay go on there, s from its beginning."""
        replay = self._runner.replay
        if replay is not None:
            replay.seek(at_s)

    def play_again(self) -> None:
        """Begin anew with the replay, which has ended."""
        if self._runner.replay is not None:
            self._runner.begin_anew()

    def loop(self, loop: bool) -> None:
        """Whether the replay begins anew at its end."""
        replay = self._runner.replay
        if replay is not None:
            replay.loop(loop)

    def _infos(self) -> list[pylsl.StreamInfo]:
        session = self._runner.session
        return session.streams() if session is not None else []
