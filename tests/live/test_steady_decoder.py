"""Where the device that the decoder shares with the pipeline has no memory left, the processor decodes, once warned of."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import numpy as np
import pytest
import torch

from bci_live.config import bundled
from bci_live.decoding.card import DecoderCard
from bci_live.decoding.decoder import TrainedDecoder
from bci_live.errors import DecoderError
from bci_live.live.demo import DEMO_DECODER
from bci_live.live.drawing import Drawer
from bci_live.live.launcher import LiveRequest, load_models
from bci_live.live.mailbox import Mailbox
from bci_live.live.snapshot import Shown
from bci_live.live.stages import ErrorLog
from bci_live.live.steady_decoder import SteadyDecoder
from bci_live.live.telemetry import Telemetry
from bci_live.types import Decoding, Epoch, Guess, Marker
from tests.live.fakes import FakeDecoder, FakeReconstructor

NOTE = "The device ran out of memory: the EEG is decoded by the processor now."
MARKER = Marker("a", 1.0)
EPOCH = Epoch(np.zeros((2, 4), np.float32), 1.0, MARKER, 1.4, 1.4)


class Crowded(FakeDecoder):
    """Is on a GPU that the pipeline leaves no room on. `full`: what has no memory left, of all devices."""

    def __init__(self, full: tuple[str, ...] = ("cuda",), error: Exception | None = None) -> None:
        super().__init__()
        self.full, self.device, self.tried = full, "cuda", 0
        self.lack = error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.")

    def to(self, device: str) -> None:
        self.device = device

    def decode(self, epoch: Epoch) -> Decoding:
        self._compute()
        return super().decode(epoch)

    def guess(self, epoch: Epoch, until_s: float) -> Guess:
        self._compute()
        return super().guess(epoch, until_s)

    def _compute(self) -> None:
        self.tried += 1
        device = self.device
        time.sleep(0.01)  # long enough for another thread to come
        if device in self.full:
            raise self.lack


def test_an_epoch_that_runs_out_of_memory_is_decoded_once_more_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crowded = Crowded()
    decoder = SteadyDecoder.of(crowded)  # type: ignore[arg-type]
    assert (decoder.note, SteadyDecoder.of(decoder)) == ("", decoder)
    with caplog.at_level(logging.WARNING):
        assert decoder.decode(EPOCH).top == "a"
        assert decoder.guess(EPOCH, 0.1).top == "a"
        assert decoder.decode(EPOCH).top == "a"
    assert (crowded.device, crowded.tried) == ("cpu", 4)
    assert decoder.note == NOTE
    assert [record.message for record in caplog.records] == [NOTE]


def test_a_marker_whose_epoch_runs_out_of_memory_is_shown() -> None:
    mailbox, telemetry, errors = Mailbox[Epoch](1), Telemetry(10), ErrorLog()
    decoder = SteadyDecoder.of(Crowded())  # type: ignore[arg-type]
    drawer = Drawer(mailbox, decoder, FakeReconstructor(), telemetry, errors, seed=7)
    telemetry.marker(MARKER)
    mailbox.put(EPOCH)
    drawer.step()
    assert [type(outcome) for outcome in telemetry.drain()] == [Shown]
    assert errors.total == 0


def test_what_the_processor_has_no_memory_for_is_a_sentence_and_a_bug_stays_one() -> None:
    lack = RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory")
    decoder = SteadyDecoder.of(Crowded(full=("cuda", "cpu"), error=lack))  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(DecoderError, match="too little memory to decode"):
            decoder.decode(EPOCH)
    on_processor = SteadyDecoder.of(crowded := Crowded(full=("cpu",)))  # type: ignore[arg-type]
    on_processor.to("cpu")
    with pytest.raises(DecoderError):
        on_processor.guess(EPOCH, 0.1)
    assert (on_processor.note, crowded.tried) == ("", 1)  # it did not move
    bug = SteadyDecoder.of(Crowded(error=RuntimeError("mat1 and mat2 shapes cannot be multiplied")))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="mat1"):
        bug.decode(EPOCH)
    assert bug.note == ""


def test_two_threads_that_decode_at_once_share_one_step_down(caplog: pytest.LogCaptureFixture) -> None:
    """As the session's does, warming up, and the drawer's."""
    decoder = SteadyDecoder.of(crowded := Crowded())  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING), ThreadPoolExecutor(2) as threads:
        read = [threads.submit(decoder.decode, EPOCH) for _ in range(2)]
    assert [it.result().top for it in read] == ["a", "a"]
    assert crowded.tried == 3
    assert [record.message for record in caplog.records] == [NOTE]


def test_a_decoder_that_the_device_has_no_room_for_is_loaded_to_the_processor_and_that_is_noted() -> None:
    request = LiveRequest(bundled(DEMO_DECODER), device="cuda")
    moved: list[str] = []
    to = TrainedDecoder.to

    def crowded(decoder: TrainedDecoder, device: torch.device | str) -> None:
        moved.append(str(device))
        if str(device) == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        to(decoder, device)

    with (
        patch.object(TrainedDecoder, "to", crowded),
        patch("bci_live.decoding.device.devices_at_hand", return_value=("cuda", "cpu")),
    ):
        decoder, _ = load_models(request, lambda _: None, draws_later=True)
    assert isinstance(decoder, SteadyDecoder)
    assert decoder.note == NOTE
    assert moved == ["cpu", "cuda", "cpu", "cpu"]  # as read, as asked for, stepped down, asked for once more
    card = decoder.card
    assert isinstance(card, DecoderCard)
    blank = np.zeros((len(card.channels), card.n_times), np.float32)
    assert decoder.decode(Epoch(blank, 0.0, MARKER, 0.0, 0.0)).top in card.labels
