"""Puts the concrete parts together: decoder, diffusion pipeline, streams, and the running session.

The one place that knows which classes stand behind the protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bci_live.config import Config, DiffusionConfig, bundled
from bci_live.errors import AbsentStreamError, BciError, RecordingError, StreamError
from bci_live.live.controls import ModelChoice
from bci_live.live.demo import has_display
from bci_live.loading import no_collecting

if TYPE_CHECKING:
    import pylsl

    from bci_live.diffusion.falling_back import FallingBack
    from bci_live.live.background import BackgroundSession
    from bci_live.live.protocols import Card, Decoder, Reconstructor
    from bci_live.live.replay_process import ReplayProcess
    from bci_live.live.session import LiveSession
    from bci_live.streams.awaited import MarkerSearch

# A replay holds its first sample until the program listens. It may have been started before the models were loaded.
REPLAY_WAIT_S = 600.0
# The longest that a replay's process takes to read its file and open its outlets, on a slow machine.
REPLAY_START_S = 20.0
REPLAY_SPARE_S = 0.1


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What the user asked for: which streams (or which recording as a stream), which decoder, on which device.

    `subject`: by whose layer the decoder reads, if it has any. `stream_id`, `markers_id`: source ids, where several streams
    have one name. `asked`: the models and settings of drawing that were asked for by name, which what is remembered does not change.
    """

    decoder: Path
    subject: str | None = None
    stream: str | None = None
    stream_id: str | None = None
    markers: str | None = None
    markers_id: str | None = None
    device: str = "auto"
    replay: Path | None = None
    loop: bool = False
    start_s: float = 0.0
    config: Config = field(default_factory=Config)
    asked: frozenset[str] = frozenset()

    @property
    def models(self) -> ModelChoice:
        """Those that read and draw."""
        return ModelChoice(self.decoder, self.config.diffusion.pipeline, self.device)

    def with_models(self, choice: ModelChoice, diffusion: DiffusionConfig, same_subject: bool = False) -> LiveRequest:
        """To be read and drawn by others. `same_subject`: by whose layer, too, which another decoder may not know."""
        same_subject = same_subject or choice.decoder.resolve() == self.decoder.resolve()
        return replace(
            self,
            decoder=choice.decoder,
            subject=self.subject if same_subject else None,
            device=choice.device,
            config=self.config.model_copy(update={"diffusion": diffusion}),
        )


def load_models(
    request: LiveRequest, progress: Callable[[str], None], draws_later: bool = False
) -> tuple[Decoder, Reconstructor]:
    """The decoder and the pipeline that draws what it reads.

    `draws_later`: the pipeline, whose libraries take longest of all, is only loaded when it is warmed up.

    Raises
    ------
    BciError
        If one of them is absent or damaged, or if the decoder speaks another text space than the pipeline.
    """
    progress("Loading the decoder …")
    from bci_live.decoding.decoder import load_decoder
    from bci_live.decoding.device import pick_device
    from bci_live.live.steady_decoder import SteadyDecoder

    device = pick_device(request.device)
    decoder = SteadyDecoder(load_decoder(request.decoder, subject=request.subject))
    decoder.to(str(device))
    reconstructor = _reconstructor(request)
    if not draws_later:
        progress("Loading the diffusion pipeline …")
        reconstructor.load()
    return decoder, reconstructor


def _reconstructor(request: LiveRequest) -> FallingBack:
    """The pipeline as the request says, not loaded yet; on the processor where the device has too little memory."""
    from bci_live.decoding.device import pick_device
    from bci_live.decoding.storage import read_card
    from bci_live.diffusion.falling_back import FallingBack, ladder
    from bci_live.diffusion.pipeline import pipeline_name
    from bci_live.live.fitting import check_fit

    diffusion = request.config.diffusion
    check_fit(read_card(request.decoder), diffusion, request.decoder)
    source = bundled(diffusion.pipeline)
    return FallingBack(pipeline_name(source), ladder(source, pick_device(request.device)), diffusion)


@contextmanager
def open_live(
    request: LiveRequest, progress: Callable[[str], None], keep_outcomes: bool
) -> Iterator[tuple[LiveSession, ReplayProcess | None]]:
    """A session that listens, with the replay that feeds it when one was asked for; both are closed on the way out.

    `keep_outcomes`: whether the caller drains them. Where nobody does, there is a window to say what is missing, a
    marker stream may come later (otherwise it must be there), and the caller says when to `draw`.
    """
    check_replay(request)
    if request.replay is None:  # that there is none is told before the models are loaded
        progress("Looking for the streams …")
        _find_streams(request, None, join_late=not keep_outcomes)
    with ExitStack() as stack:
        with no_collecting():
            models = load_models(request, progress)
            opened = stack.enter_context(open_session(request, *models, progress, keep_outcomes))
        yield opened


@contextmanager
def open_session(
    request: LiveRequest,
    decoder: Decoder,
    reconstructor: Reconstructor,
    progress: Callable[[str], None],
    keep_outcomes: bool,
    replay: ReplayProcess | None = None,
) -> Iterator[tuple[LiveSession, ReplayProcess | None]]:
    """`open_live` with models that are loaded already, and perhaps a replay that runs already: then the caller ends it."""
    from bci_live.live.session import LiveSession

    with ExitStack() as stack:
        if request.replay is not None and replay is None:
            progress(f"Starting the replay of {request.replay.name} …")
            replay = stack.enter_context(start_replay(request, request.replay, decoder.card))
        progress("Looking for the streams …")
        eeg, markers = _find_streams(request, replay, join_late=not keep_outcomes)
        if keep_outcomes:
            progress("Warming up …")
        session = LiveSession(eeg, markers, decoder, reconstructor, request.config, keep_outcomes=keep_outcomes)
        yield stack.enter_context(session), replay


def check_replay(request: LiveRequest) -> None:
    """What cannot be replayed is told before a minute of loading.

    Raises
    ------
    RecordingError
        If the file is no recording, is over before its start, or has no markers.
    """
    from bci_live.sessions.recording import read_recording
    from bci_live.sessions.schedule import make_schedule

    if request.replay is None:
        return
    recording = read_recording(request.replay)
    make_schedule(recording, request.start_s)
    if not recording.markers:
        raise RecordingError(
            f"'{request.replay}' has no markers, so nothing tells when a picture was shown. Choose a recording with a "
            "marker stream or annotations."
        )


def _pre_roll_s(card: Card) -> float:
    """What the epoch of a replay's first marker needs before it, with some samples to spare."""
    return card.filter.pre_roll_s - card.epoch.start_s + REPLAY_SPARE_S


def start_replay(request: LiveRequest, file: Path, card: Card) -> ReplayProcess:
    """The replay's process, to be entered; it sends nothing until somebody listens."""
    from bci_live.live.replay_process import ReplayProcess

    return ReplayProcess(
        file, loop=request.loop, start_s=request.start_s, lead_s=_pre_roll_s(card), wait_for_consumers_s=REPLAY_WAIT_S
    )


def start_early(request: LiveRequest, stack: ExitStack) -> ReplayProcess | None:
    """The replay, to run beside the loading of the models: reading its file takes a process of its own some seconds."""
    if request.replay is None:
        return None
    from bci_live.decoding.card import DecoderCard

    try:
        text = (request.decoder / "decoder.json").read_text(encoding="utf-8")
        card = DecoderCard.model_validate_json(text)
    except (OSError, ValueError):
        return None  # loading the models tells what is wrong with it
    return stack.enter_context(start_replay(request, request.replay, card))


def _find_streams(
    request: LiveRequest, replay: ReplayProcess | None, join_late: bool
) -> tuple[pylsl.StreamInfo, pylsl.StreamInfo | MarkerSearch]:
    from bci_live.streams.awaited import MarkerSearch
    from bci_live.streams.discovery import find_eeg, find_markers

    wait_s = request.config.streams.resolve_s
    if replay is None:
        eeg = find_eeg(request.stream, wait_s, request.stream_id)
        try:
            return eeg, find_markers(request.markers, wait_s, request.markers_id)
        except AbsentStreamError:
            if not join_late:
                raise
            return eeg, MarkerSearch(request.markers, request.markers_id)
    wait_s = max(wait_s, REPLAY_START_S)
    try:
        return (
            find_eeg(None, wait_s, source_id=replay.eeg_source_id),
            find_markers(None, wait_s, source_id=replay.marker_source_id),
        )
    except StreamError as error:
        # When the replay itself failed, its own sentence is the reason.
        raise StreamError(replay.problem() or str(error)) from error


def headless_live(request: LiveRequest, seconds: float | None, out: Path, console: Console) -> dict[str, object]:
    """Run without a window until the replay ends, `seconds` are over, or Ctrl-C; write everything into `out`."""
    from bci_live.decoding.device import pick_device
    from bci_live.live.headless import run_headless
    from bci_live.live.protocol_writer import prepare_folder

    device = str(pick_device(request.device))
    prepare_folder(out)

    def tell(text: str) -> None:
        if console.is_terminal:
            status.update(text)
        else:  # nothing spins there: a line each
            console.print(text, markup=False, highlight=False, soft_wrap=True)

    with console.status("Starting …") as status, open_live(request, tell, keep_outcomes=True) as (session, replay):
        status.stop()
        return run_headless(session, replay, seconds=seconds, out=out, console=console, device=device)


def check_named(request: LiveRequest) -> None:
    """What was named on the command line is there: a window that opens for nothing helps nobody.

    Raises
    ------
    BciError
        If there is no such recording, or no such decoder.
    """
    if request.replay is not None and not request.replay.exists():
        from bci_live.sessions.recording import read_recording

        read_recording(request.replay)  # it says so
    if not request.decoder.is_dir():
        from bci_live.decoding.storage import read_card

        read_card(request.decoder)


def windowed_live(request: LiveRequest, run_window: Callable[[BackgroundSession], int]) -> int:
    """Run with the window until it is closed; returns the exit code. It is the window that opens the session, once it stands."""
    from bci_live.live.background import BackgroundSession

    if not has_display():
        raise BciError(
            "There is no display (DISPLAY and WAYLAND_DISPLAY are not set), so no window can open. Add --headless."
        )
    check_named(request)
    session = BackgroundSession(request)
    code = run_window(session)
    problem = session.problem()
    if problem is not None:  # it was in the window; the terminal has it, too, with exit code 2
        raise BciError(problem)
    return code
