"""Made-up snapshots, to look at a widget alone (`python -m bci_live.window.scores_panel`) and for the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from PyQt6.QtWidgets import QApplication, QWidget

from bci_live.config import EpochConfig
from bci_live.live.controls import DrawingChoice, ModelChoice
from bci_live.live.remembered import StreamChoice
from bci_live.live.snapshot import (
    Counts,
    LatencyStatus,
    LiveSnapshot,
    RecordingRequest,
    RecordingStatus,
    ReplayStatus,
    SignalPart,
)
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import Layout, random_layout, render
from bci_live.streams.inlet import StreamStatus
from bci_live.streams.survey import StreamReport
from bci_live.types import (
    Chunk,
    Decoding,
    Epoch,
    FloatArray,
    Marker,
    Missed,
    MissedReason,
    Picture,
    Reconstruction,
    StreamFacts,
)
from bci_live.window.theme import apply_theme

RATE = 250.0
NOW = 1000.0
EVERY_S = 1.6
CAP = (
    "Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "FC5", "FC1", "FC2", "FC6", "T7", "C3", "Cz", "C4", "T8",
    "CP5", "CP1", "CP2", "CP6", "P7", "P3", "Pz", "P4", "P8", "PO7", "PO3", "PO4", "PO8", "O1", "Oz", "O2",
)  # fmt: skip
SHOWN = ("dog", "pizza", "guitar", "rocket", "house", "panda", "car", "mushroom")


def example_labels() -> tuple[str, ...]:
    """What the made-up decoder knows."""
    return load_catalogue("objects").labels


def example_facts(channels: int = 32) -> StreamFacts:
    """A simulated head's replay."""
    names = tuple(CAP[index] if index < len(CAP) else f"E{index + 1}" for index in range(channels))
    return StreamFacts(
        "Simulated head", "EEG", "example", "example", "here", RATE, names, ("microvolts",) * channels, True, True
    )


def example_chunk(channels: int = 32, seconds: float = 10.0, gap_s: float = 0.0) -> Chunk:
    """Noise like EEG: slow waves, alpha in the back, a blink in front; `gap_s` seconds are lost in the middle."""
    rng = np.random.default_rng(7)
    n = int(seconds * RATE)
    times = NOW - np.arange(n, 0, -1) / RATE
    slow = np.cumsum(rng.normal(0, 1.0, (n, channels)), axis=0) * 0.5
    alpha = 14 * np.sin(2 * np.pi * 10 * times)[:, None] * np.linspace(0, 1, channels)
    blink = 90 * np.exp(-(((times - times[n // 3]) / 0.12) ** 2))[:, None] * np.linspace(1, 0, channels) ** 2
    samples = (slow - slow.mean(axis=0) + alpha + blink + rng.normal(0, 4, (n, channels))).astype(np.float32)
    if not gap_s:
        return Chunk(samples, times, NOW)
    times[: n // 2] -= gap_s
    return Chunk(samples, times, NOW, (n // 2,))


def example_decoding(label: str, time: float, confidence: float = 0.62, channels: int = 32) -> Decoding:
    """As if `label` had been read from the epoch of a marker at `time`; the marker says the same label."""
    labels = example_labels()
    others = np.random.default_rng(len(label)).exponential(1.0, len(labels))
    scores = dict(zip(labels, ((1 - confidence) * others / others.sum()).tolist(), strict=True)) | {label: confidence}
    epoch = Epoch(_example_response(label, channels), time, Marker(label, time, "markers"), time + 0.8, time + 0.803)
    blurred = Image.fromarray(example_stimulus(label)).filter(ImageFilter.GaussianBlur(6))
    saliency = np.asarray(blurred, dtype=np.float32) / np.float32(255)
    return Decoding(saliency, np.zeros((4, 64), np.float32), None, scores, epoch, time + 0.82)


def _example_response(label: str, channels: int) -> FloatArray:
    """(channels, 225), µV: a P1 and an N1 at the back, later waves that differ by label, noise."""
    rng, times = np.random.default_rng(len(label)), np.arange(225) / RATE - 0.1
    waves = [
        (4.0, 0.11, 0.02), (-7.0, 0.17, 0.03), (3.0 + len(label) % 4, 0.35, 0.08)
    ]  # fmt: skip
    shape = sum(height * np.exp(-(((times - at) / width) ** 2)) for height, at, width in waves)
    return (np.linspace(-0.4, 1, channels)[:, None] * shape + rng.normal(0, 2, (channels, 225))).astype(np.float32)


def example_reconstruction(decoding: Decoding, step: int = 4, drawn: str | None = None) -> Reconstruction:
    """A picture of `drawn`, by default of the top label."""
    picture = render(load_catalogue().picture(drawn or decoding.top), random_layout(np.random.default_rng(3)), 64)
    return Reconstruction(picture, step, 4, 0, decoding, decoding.made + 0.05 * step)


def example_stimulus(label: str) -> Picture:
    """(64, 64, 3), centred on grey."""
    return render(load_catalogue().picture(label), Layout(), 64)


def example_snapshot() -> LiveSnapshot:
    """A session in full run: eight pictures, two markers missed, no error."""
    first = NOW - EVERY_S * len(SHOWN)
    decodings = [example_decoding(label, first + index * EVERY_S) for index, label in enumerate(SHOWN)]
    wrong = decodings[4]
    decodings[4] = replace(wrong, scores={**wrong.scores, "house": 0.2, "tent": 0.5})
    history = tuple(example_reconstruction(decoding) for decoding in decodings)
    missed = (Missed(Marker("anchor", NOW - 6.9), MissedReason.GAP, "Samples were lost."),)
    latency = {
        name: LatencyStatus(median, median, 1.4 * median)
        for name, median in (("epoch_ms", 2.1), ("saliency_ms", 9.4), ("first_image_ms", 61.0), ("image_ms", 188.0))
    }
    return LiveSnapshot(
        facts=example_facts(),
        status=StreamStatus(25_000, 1, 0.012, 249.9, 0.0, False),
        phase="live",
        decoding=decodings[-1],
        reconstruction=history[-1],
        last_outcome=None,
        counts=Counts(57, 55, {MissedReason.ARTEFACT: 1, MissedReason.GAP: 1}),
        latency=latency,
        errors=(),
        present_errors=(),
        history=history,
        markers=(*(entry.decoding.epoch.marker for entry in history), missed[0].marker),
        labels=example_labels(),
        epoch=EpochConfig(),
        missed=missed,
        channels=CAP,
        pipeline="diffusion-demo",
    )


def example_reports() -> tuple[StreamReport, ...]:
    """A headset that does well, one that is slow, and markers."""
    return (
        StreamReport("Muse", "EEG", "lab", 5, 256.0, 255.9, 1000, 0.02, 0.12, 0.05, "muse-1", "8c1f2a90", ""),
        StreamReport("cap", "EEG", "lab", 32, 500.0, 371.3, 900, 2.31, 14.2, 3.1, "cap-7", "77aa01bc", ""),
        StreamReport("stimuli", "Markers", "desk", 1, 0.0, 0.0, 12, 0.8, 0.31, 0.02, "stim", "10bd33c4", ""),
    )


class ExampleSource:
    """A source whose answers are attributes and which keeps what it was commanded; by default a session in full run."""

    def __init__(self, state: LiveSnapshot | None = None, chunk: Chunk | None = None) -> None:
        self.state, self.chunk = state, chunk
        self.line = "Loading the decoder …"
        self.fatal: str | None = None
        self.unclear = False
        self.heard = example_reports()
        self.taken = StreamChoice()
        self.refusal = ""
        self.rec: RecordingStatus | None = None
        self.rec_problem = ""
        self.played: ReplayStatus | None = None
        self.drawn = DrawingChoice()
        self.model_trouble = ""
        self.used = ModelChoice(Path("models/decoder-demo"), "models/diffusion-demo")
        self.loads, self.at_hand = False, ("auto", "cpu")
        self.commands: list[tuple[str, object]] = []

    def __enter__(self) -> ExampleSource:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def snapshot(self) -> LiveSnapshot | None:
        return self.state

    def signal(self, seconds: float) -> Chunk | None:
        return self.chunk

    def signal_since(self, count: int, seconds: float) -> SignalPart | None:
        if self.chunk is None:
            return None
        n = len(self.chunk.times)
        first = count if count <= n else 0
        breaks = tuple(index - first for index in self.chunk.breaks if index >= first)
        return SignalPart(first, Chunk(self.chunk.samples[first:], self.chunk.times[first:], NOW, breaks))

    def progress(self) -> str:
        return self.line

    def problem(self) -> str | None:
        return self.fatal

    def choosing(self) -> bool:
        return self.unclear

    def watch_streams(self, wanted: bool) -> None:
        self.commands.append(("watch", wanted))

    def streams(self) -> tuple[StreamReport, ...]:
        return self.heard

    def chosen(self) -> StreamChoice:
        return self.taken

    def connect(self, choice: StreamChoice) -> str:
        self.commands.append(("connect", choice))
        return self.refusal

    def play_demo(self) -> None:
        self.commands.append(("demo", None))

    def drawing(self) -> DrawingChoice:
        return self.drawn

    def draw_with(self, choice: DrawingChoice) -> None:
        self.commands.append(("draw", choice))
        self.drawn = choice

    def models(self) -> ModelChoice:
        return self.used

    def load(self, choice: ModelChoice) -> None:
        self.commands.append(("load", choice))

    def loading(self) -> bool:
        return self.loads

    def devices(self) -> tuple[str, ...]:
        return self.at_hand

    def model_problem(self) -> str:
        return self.model_trouble

    def record(self, request: RecordingRequest) -> None:
        self.commands.append(("record", request))

    def stop_recording(self) -> None:
        self.commands.append(("stop", None))

    def recording(self) -> RecordingStatus | None:
        return self.rec

    def recording_problem(self) -> str:
        return self.rec_problem

    def replay(self) -> ReplayStatus | None:
        return self.played

    def pause(self, paused: bool) -> None:
        self.commands.append(("pause", paused))

    def seek(self, at_s: float) -> None:
        self.commands.append(("seek", at_s))

    def play_again(self) -> None:
        self.commands.append(("again", None))

    def loop(self, loop: bool) -> None:
        self.commands.append(("loop", loop))


def show_alone(make: Callable[[LiveSnapshot], QWidget], arguments: Sequence[str] = ("example",)) -> int:
    """Open a widget in a window of its own, filled from the example; returns when it is closed."""
    app = QApplication(list(arguments))
    apply_theme(app)
    widget = make(example_snapshot())
    widget.resize(max(widget.sizeHint().width(), 420), max(widget.sizeHint().height(), 320))
    widget.show()
    return app.exec()
