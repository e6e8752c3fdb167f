"""Where memory runs out the next rung draws, once warned of; what is no lack of memory is no reason to step down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from bci_live.config import DiffusionConfig
from bci_live.diffusion.falling_back import FallingBack, Rung, ladder
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.errors import DiffusionError
from bci_live.types import Decoding, Reconstruction

CPU = torch.device("cpu")
CONFIG, TOKENS = DiffusionConfig(), 8


class Greedy(DiffusionReconstructor):
    """Draws, but has a step that needs more memory than there is."""

    fails_at = 2

    def reconstruct(self, decoding: Decoding, seed: int) -> Iterator[Reconstruction]:
        for reconstruction in super().reconstruct(decoding, seed):
            if reconstruction.step == self.fails_at:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            yield reconstruction


@pytest.fixture
def load(exported: Path) -> Callable[[type[DiffusionReconstructor]], DiffusionReconstructor]:
    return lambda kind: kind.load(exported, CPU, CONFIG, clock=lambda: 0.0)


def _greedy_when_warm(load: Callable) -> DiffusionReconstructor:
    reconstructor = load(DiffusionReconstructor)

    def out_of_memory(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    reconstructor._pipeline.unet.forward = out_of_memory
    return reconstructor


def test_a_drawing_that_runs_out_of_memory_is_begun_anew_one_rung_down_with_one_warning(
    load: Callable, decoding: Decoding, caplog: pytest.LogCaptureFixture
) -> None:
    rungs = [Rung("as asked for", lambda _: load(Greedy)), Rung("slowly", lambda _: load(DiffusionReconstructor))]
    drawer = FallingBack("tiny", rungs, CONFIG)
    drawer.warm_up(TOKENS)
    assert (drawer.name, drawer.note) == ("tiny", "")
    with caplog.at_level(logging.WARNING):
        assert [it.step for it in drawer.reconstruct(decoding, 1)] == [1, 1, 2, 3]
        assert [it.step for it in drawer.reconstruct(decoding, 1)] == [1, 2, 3]
    assert drawer.note == "The device ran out of memory: slowly."
    assert [record.message for record in caplog.records] == [drawer.note]


def test_memory_that_lacks_at_loading_or_warming_up_is_found_before_the_first_picture(
    load: Callable, decoding: Decoding
) -> None:
    def never(_: DiffusionConfig) -> DiffusionReconstructor:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    rungs = [
        Rung("", never),
        Rung("less", lambda _: _greedy_when_warm(load)),
        Rung("least", lambda _: load(DiffusionReconstructor)),
    ]
    drawer = FallingBack("tiny", rungs, CONFIG)
    drawer.load()
    assert drawer.note == "The device ran out of memory: less."
    drawer.warm_up(TOKENS)
    assert drawer.note == "The device ran out of memory: least."
    assert len(list(drawer.reconstruct(decoding, 1))) == 3
    drawer = FallingBack("tiny", [Rung("", lambda _: _greedy_when_warm(load)), rungs[-1]], CONFIG)
    drawer.warm_up(TOKENS)
    assert drawer.note == "The device ran out of memory: least."


def test_what_is_changed_while_the_next_rung_is_loaded_is_drawn_so(load: Callable, decoding: Decoding) -> None:
    def slow(_: DiffusionConfig) -> DiffusionReconstructor:
        drawer.draw_as(DiffusionConfig(steps=2, strength=1.0))
        return load(DiffusionReconstructor)

    drawer = FallingBack("tiny", [Rung("", lambda _: load(Greedy)), Rung("", slow)], CONFIG)
    assert [(it.step, it.steps) for it in drawer.reconstruct(decoding, 1)] == [(1, 3), (1, 2), (2, 2)]


@pytest.mark.parametrize(
    "lack",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried …"
        ),
        RuntimeError("[enforce fail at alloc_cpu.cpp:116] data. DefaultCPUAllocator: not enough memory: you tried …"),
        MemoryError("Unable to allocate 5.00 GiB for an array"),
    ],
    ids=["GPU", "processor", "processor of Windows", "NumPy"],
)
def test_without_a_rung_for_it_a_lack_of_memory_is_a_sentence_and_nothing_is_loaded_again(
    load: Callable, decoding: Decoding, lack: Exception
) -> None:
    tried = []

    def never(_: DiffusionConfig) -> DiffusionReconstructor:
        tried.append(lack)
        raise lack

    drawer = FallingBack("tiny", [Rung("", never), Rung("", never)], CONFIG)
    for draw in (drawer.load, lambda: list(drawer.reconstruct(decoding, 1)), lambda: drawer.warm_up(TOKENS)):
        with pytest.raises(DiffusionError, match=r"too little memory .* 'tiny'\. Choose a smaller one"):
            draw()
    assert len(tried) == 2


def test_the_last_rung_and_other_errors_raise(load: Callable, decoding: Decoding) -> None:
    with pytest.raises(DiffusionError, match="too little memory"):
        list(FallingBack("tiny", [Rung("", lambda _: load(Greedy))], CONFIG).reconstruct(decoding, 1))
    with pytest.raises(DiffusionError, match="too little memory"):
        FallingBack("tiny", [Rung("", lambda _: _greedy_when_warm(load))], CONFIG).warm_up(TOKENS)
    foreign = FallingBack(
        "tiny", [Rung("", lambda _: load(DiffusionReconstructor)), Rung("", lambda _: load(Greedy))], CONFIG
    )
    foreign._drawer._plan.scheduler.register_to_config(prediction_type="astrology")
    with pytest.raises(DiffusionError, match="cannot draw"):
        foreign.warm_up(TOKENS)
    assert foreign.note == ""


def test_the_processor_is_the_last_rung_of_any_other_device(exported: Path) -> None:
    assert [rung.told for rung in ladder(exported, CPU)] == ["as asked for"]
    told = [rung.told for rung in ladder(exported, torch.device("cuda"))]
    assert told == [
        "as asked for",
        "pictures are drawn without CUDA graphs now, which takes longer",
        "pictures are drawn by the processor now, which takes much longer",
    ]
    assert ladder(exported, torch.device("cuda"))[-1].load(CONFIG).name == "tiny"
