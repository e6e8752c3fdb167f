"""A network made fast for inputs of one shape; what it computes stays the same."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bci_live.diffusion import processor
from bci_live.diffusion.memory import is_of_memory

_log = logging.getLogger(__name__)

# As the same network may differ when its operations are fused or run in another order, of the largest output.
_ROUNDING = {torch.float32: 1e-3, torch.bfloat16: 5e-2, torch.float16: 1e-2}
# A trace is watched in its first runs and specialised after them; CUDA's libraries pick their kernels.
_RUNS_BEFORE = 3
_MOST_SHAPES = 64


class FixedShapes:
    """Calls `network`. Inputs of shapes that were prepared take a faster way; all others go as they would without it.

    On the CPU that is OpenVINO's network where that is installed, else a frozen trace in channels-last order: no Python
    between the operations. On CUDA it is one CUDA graph, of the network compiled by `torch.compile` where that is wanted:
    one launch in place of hundreds. A network that cannot be captured is called as it is.
    """

    def __init__(self, network: nn.Module, compiled: bool = False) -> None:
        self._network, self._compiled = network.eval(), compiled
        self._fast: dict[tuple[torch.Size, ...], Callable[..., Tensor]] = {}

    def __call__(self, *inputs: Tensor) -> Tensor:
        way = self._fast.get(_shapes(inputs), self._network)
        result: Tensor = way(*inputs)
        return result

    def prepare(self, *inputs: Tensor) -> None:
        """Find the faster way for inputs of these shapes: a second on the CPU, and on CUDA; minutes where it is compiled."""
        if _shapes(inputs) in self._fast:
            return
        kind = inputs[0].device.type
        if kind == "cpu":
            self._fast[_shapes(inputs)] = _on_processor(self._network, inputs)
        elif kind == "cuda":
            self._fast[_shapes(inputs)] = _on_cuda(self._network, self._compiled, inputs)


def _shapes(inputs: tuple[Tensor, ...]) -> tuple[torch.Size, ...]:
    return tuple(it.shape for it in inputs)


def _on_processor(network: nn.Module, inputs: tuple[Tensor, ...]) -> Callable[..., Tensor]:
    """The first way that gives what the network gives; itself, where none does: its Python then depends on values."""
    with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
        warnings.simplefilter("ignore")  # that the trace holds for these shapes alone: so it is meant
        inputs = tuple(it.clone() for it in inputs)
        wanted = network(*inputs)
        traced = torch.jit.trace(network, inputs, check_trace=False)
        if processor.can_compile(network):
            try:
                fast = processor.compiled(network, traced, inputs)
                if _same(fast(*inputs), wanted):
                    return fast
            except RuntimeError as error:
                _log.warning("OpenVINO cannot compile a network, so PyTorch runs it: %s", str(error).splitlines()[0])
        frozen = torch.jit.freeze(traced)
    with torch.inference_mode():
        for _ in range(_RUNS_BEFORE):
            got = frozen(*inputs)
    return frozen if _same(got, wanted) else network


def _same(got: Tensor, wanted: Tensor) -> bool:
    most = _ROUNDING.get(wanted.dtype, 1) * wanted.float().abs().max()
    return bool((got.float() - wanted.float()).abs().max() <= most)


def _on_cuda(network: nn.Module, compiled: bool, inputs: tuple[Tensor, ...]) -> Callable[..., Tensor]:
    """The first way that can be captured; the network itself, where none can.

    Raises
    ------
    RuntimeError
        Where that is for lack of memory.
    """
    from torch._dynamo import config as dynamo

    ways: list[Callable[..., Tensor]] = [torch.compile(network, dynamic=False)] if compiled else []
    ways.append(network)
    for way in ways:
        try:
            # After so many shapes it would go on uncompiled, without a word; here each is wanted.
            with dynamo.patch(recompile_limit=_MOST_SHAPES):
                return _graphed(way, inputs)
        except RuntimeError as error:
            if is_of_memory(error):
                raise
            _log.warning(
                "A network cannot be %s, which takes longer: %s",
                "captured as a CUDA graph" if way is network else "compiled",
                (str(error).strip() or type(error).__name__).splitlines()[0],
            )
    return network


def _graphed(network: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> Callable[..., Tensor]:
    """One CUDA graph of a call.

    Captured by hand, because the graphs of `torch.compile` belong to the thread that made them: here one warms up and
    another one draws.
    """
    held = tuple(it.clone() for it in inputs)
    aside = torch.cuda.Stream()
    ours = torch.cuda.current_stream()
    aside.wait_stream(ours)
    # The shapes stay, so it pays to try which of cuDNN's convolutions is the fastest; what the runs found the capture takes.
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, benchmark=True):
        with torch.cuda.stream(aside):
            for _ in range(_RUNS_BEFORE):
                network(*held)
        ours.wait_stream(aside)
        graph: Any = torch.cuda.CUDAGraph()
        try:
            # Other threads may use the GPU meanwhile.
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                result = network(*held)
        finally:
            # A capture that cannot be ended leaves its stream behind as this thread's.
            torch.cuda.set_stream(ours)

    def replay(*inputs: Tensor) -> Tensor:
        for place, it in zip(held, inputs, strict=True):
            place.copy_(it, non_blocking=True)
        graph.replay()
        # A copy: the next replay overwrites the graph's own, which a scheduler may still hold then.
        return result.clone()

    return replay
