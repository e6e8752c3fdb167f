"""A running session: two inlets, the epocher's thread, the drawer's thread, and what they tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np
import pylsl

from bci_live.config import Config
from bci_live.live.channel_watch import ChannelWatch
from bci_live.live.controls import DrawingChoice
from bci_live.live.drawing import Drawer
from bci_live.live.epocher import Epocher
from bci_live.live.guesser import Guesser
from bci_live.live.mailbox import Mailbox
from bci_live.live.parts import part_since
from bci_live.live.protocols import Decoder, MarkerSource, Reconstructor
from bci_live.live.sliding import SlidingMarkers
from bci_live.live.snapshot import LiveSnapshot, Outcome, Phase, SignalPart
from bci_live.live.stages import ErrorLog, Stage
from bci_live.live.steady_decoder import SteadyDecoder
from bci_live.live.telemetry import Telemetry
from bci_live.signal.epoching import EpochPlan
from bci_live.streams.awaited import AwaitedMarkers, MarkerSearch
from bci_live.streams.clock import local_clock
from bci_live.streams.inlet import EegInlet, MarkerInlet
from bci_live.types import Chunk, Epoch, Marker

_POLL_S = 0.02
# Two markers of the demo come in the meantime.
_FIRST_PICTURE_S = 4.0
# An error that did not come again for so long need not be shown any more.
_SHOWN_S = 60.0


class LiveSession:
    """EEG and markers in, outcomes out. Open it with `with`.

    Where every outcome is kept, models are warm before the first sample is asked for. Otherwise the signal is there at once,
    and pictures come after `draw` was called.

    `markers`: the stream, or which one is to be waited for. `keep_outcomes`: whether somebody calls `drain`; a window does not.

    Raises
    ------
    MontageError
        On entering, if the stream lacks channels of the decoder, or is too slow for its filter.
    StreamError
        On entering, if a stream does not answer.
    """

    def __init__(
        self,
        eeg: pylsl.StreamInfo,
        markers: pylsl.StreamInfo | MarkerSearch,
        decoder: Decoder,
        reconstructor: Reconstructor,
        config: Config,
        clock: Callable[[], float] = local_clock,
        keep_outcomes: bool = True,
    ) -> None:
        self._infos = eeg, markers
        self._decoder, self._reconstructor = SteadyDecoder.of(decoder), reconstructor
        self._config, self._clock = config, clock
        self._keep_outcomes = keep_outcomes
        self._errors = ErrorLog()
        self._telemetry = Telemetry(config.live.history, keep_outcomes)
        # What is only watched must be of now: the newest waits while a picture is drawn, so that none is shown later than
        # one drawing after its turn. Where each outcome is written down, a burst is better drawn late than dropped.
        self._mailbox: Mailbox[Epoch] = Mailbox(config.live.waiting_epochs if keep_outcomes else 1)
        self._drawer = Drawer(
            self._mailbox, self._decoder, reconstructor, self._telemetry, self._errors,
            config.diffusion.seed, not keep_outcomes if config.live.abstain is None else config.live.abstain,
            give_way=not keep_outcomes,
        )  # fmt: skip
        self._closing = ExitStack()
        self._phase: Phase = "warming"
        self._began = clock()
        self.note = ""

    def __enter__(self) -> Self:
        card = self._decoder.card
        if self._keep_outcomes:
            self._warm_up()
        with ExitStack() as opening:
            streams = self._config.streams
            self._eeg = opening.enter_context(EegInlet(self._infos[0], streams.ring_s, self._clock, streams.stale_s))
            plan = EpochPlan(self._eeg.facts.rate, card.rate, card.filter, card.epoch, self._decoder.repair)
            self._markers = SlidingMarkers(opening.enter_context(self._marker_source()), self._clock)
            self._guesser = guesser = Guesser(self._eeg, plan, self._decoder, self._telemetry, self._clock)
            guesser.wanted = self._config.live.anytime
            self._epocher = Epocher(
                self._eeg, self._markers, plan, card, self._mailbox, self._telemetry, self._clock,
                self._config.live.marker_timeout_s, guesser.watch,
            )  # fmt: skip
            self._channels = ChannelWatch(self._eeg, self._epocher.needed, self._epocher.fills)
            notes = []
            if card.simulated and not self._eeg.facts.simulated:
                notes.append("A decoder of simulated EEG: on a real head it means nothing.")
            if plan.rate != plan.target_rate:
                notes.append(
                    f"The stream runs at {plan.rate:g} Hz; epochs are resampled to the decoder's {plan.target_rate:g} Hz."
                )
            self.note = " ".join(notes)
            self._epoch_stage = Stage("epoching", self._epocher.step, self._errors, self._epocher.give_up)
            channel_stage = Stage("watching the channels", self._channels.step, self._errors)
            self._closing = opening.pop_all()
        self._start(self._epoch_stage, channel_stage)
        if card.prefixes:
            self._start(Stage(guesser.name, guesser.step, self._errors))
        if self._keep_outcomes:
            self._begin_to_draw()
        return self

    def draw(self, until: threading.Event) -> None:
        """Load the pipeline, draw from now on, of what waits the newest, and warm the models up, unless `until` is set.

        Raises
        ------
        BciError
            If the pipeline cannot be loaded, or a model cannot be warmed up. What is read of the EEG is shown all the same.
        """
        try:
            self._reconstructor.load()
            cold = self._reconstructor.draws_cold
            if cold:
                self._begin_to_draw()
                self._await_a_picture(until)
            if not until.is_set():
                self._warm_up(beside_drawing=cold)
        finally:
            if self._phase == "warming":
                self._begin_to_draw()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.finish(0.0)
        finally:
            self._closing.close()

    @property
    def idle(self) -> bool:
        """Every marker that came in has ended."""
        return self._telemetry.open == 0

    def finish(self, timeout_s: float) -> None:
        """Take no more markers; those that came in get their window while samples come, and their picture, within `timeout_s`.

        After this every marker has ended.
        """
        deadline = time.monotonic() + timeout_s
        self._epocher.close()
        while not self.idle and time.monotonic() < deadline:
            if self._eeg.status().stale:
                self._epoch_stage.stop()
            time.sleep(_POLL_S)
        self._epoch_stage.stop()
        self._telemetry.give_up("the session ended before its picture was drawn")
        self._phase = "ended"

    def streams(self) -> list[pylsl.StreamInfo]:
        """What it listens to: the EEG, and the markers as soon as they are there."""
        return [info for info in (self._eeg.info, self._markers.info) if info is not None]

    def drain(self) -> list[Outcome]:
        """Every outcome since the last call."""
        return self._telemetry.drain()

    def signal(self, seconds: float) -> Chunk:
        """The newest `seconds` of EEG."""
        return self._eeg.ring.latest(seconds)

    def signal_since(self, count: int, seconds: float) -> SignalPart:
        """`part_since`: what of the EEG came after the first `count` samples, the newest `seconds` at most."""
        return part_since(self._eeg.ring, count, seconds)

    def snapshot(self) -> LiveSnapshot:
        """The state now."""
        status = self._eeg.status()
        if self._phase == "waiting" and status.samples:
            self._phase = "live"
        decoding, reconstruction, last = self._telemetry.newest()
        history, markers = self._telemetry.history()
        stream_errors = tuple(error for error in (status.error, self._markers.trouble()) if error)
        return LiveSnapshot(
            facts=self._eeg.facts,
            status=status,
            phase=self._phase,
            decoding=decoding,
            reconstruction=reconstruction,
            last_outcome=last,
            counts=self._telemetry.counts(),
            latency=self._telemetry.latency(),
            errors=stream_errors + self._channels.summary() + self._errors.recent(),
            present_errors=stream_errors + self._channels.troubles() + self._errors.recent(within_s=_SHOWN_S),
            history=history,
            markers=markers,
            labels=self._decoder.card.labels,
            epoch=self._decoder.card.epoch,
            missed=self._telemetry.missed(),
            note=" ".join(filter(None, (self.note, self._decoder.note, self._drawer.note))),
            simulated_decoder=self._decoder.card.simulated,
            guess=self._telemetry.guess(),
            faults=self._channels.now,
            fault_times=self._channels.times,
            channels=self._decoder.card.channels,
            pipeline=self._reconstructor.name,
            began=self._began,
            stream_errors=stream_errors,
        )

    def draw_with(self, choice: DrawingChoice) -> None:
        """Draw the next pictures so; guess early, and cut windows without markers, where that is chosen.

        Raises
        ------
        DiffusionError
            If the pipeline cannot draw so.
        """
        seed = None if choice.free_seed else choice.diffusion.seed
        self._drawer.draw_with(choice.diffusion, seed, choice.averaged)
        self._markers.every_s = choice.every_s
        self._guesser.wanted = choice.anytime

    def _marker_source(self) -> AbstractContextManager[MarkerSource]:
        wanted = self._infos[1]
        if isinstance(wanted, MarkerSearch):
            return AwaitedMarkers(wanted, self._clock)
        return MarkerInlet(wanted, self._clock)

    def _begin_to_draw(self) -> None:
        self._start(Stage(self._drawer.name, self._drawer.step, self._errors))
        self._phase = "waiting"

    def _start(self, *stages: Stage) -> None:
        for stage in stages:
            stage.start()
            self._closing.callback(stage.stop)

    def _await_a_picture(self, until: threading.Event) -> None:
        """Beside the warming up the first picture would take many times as long; where no marker comes, it is not waited for."""
        deadline = time.monotonic() + _FIRST_PICTURE_S
        while time.monotonic() < deadline and not self._telemetry.counts().shown and not until.wait(_POLL_S):
            pass

    def _warm_up(self, beside_drawing: bool = False) -> None:
        """The first decoding and the first picture cost what no later one does."""
        card = self._decoder.card
        plan = EpochPlan(card.rate, card.rate, card.filter, card.epoch)
        blank = np.zeros((len(card.channels), plan.n_times), dtype=np.float32)
        now = self._clock()
        epoch = Epoch(blank, now, Marker(card.labels[0], now), now, now)
        for until_s in card.prefixes:
            self._decoder.guess(replace(epoch, data=blank[:, : plan.until(until_s).n_times]), until_s)
        decoding = self._decoder.decode(epoch)
        self._reconstructor.warm_up(len(decoding.embedding), beside_drawing)
