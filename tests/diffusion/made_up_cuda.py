"""CUDA's graphs as far as they exist without a GPU: what is captured is run again, into the same memory, when it is replayed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import MagicMock, patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from bci_live.diffusion import fixed_shapes


class Graph(TorchDispatchMode):
    """Holds each operation of a capture with the tensors that it read and wrote."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = operation(*args, **(kwargs or {}))
        self._calls.append((operation, args, kwargs or {}, result))
        return result

    def replay(self) -> None:
        for operation, args, kwargs, before in self._calls:
            result = operation(*args, **kwargs)
            pairs = zip(before, result, strict=True) if isinstance(before, tuple) else [(before, result)]
            for place, it in pairs:
                if isinstance(place, Tensor) and place.data_ptr() != it.data_ptr():
                    place.copy_(it)


@contextmanager
def made_up_cuda(capture: Any = lambda graph, **_: graph, compiled: bool = False) -> Iterator[MagicMock]:
    """Networks on the CPU are captured as on CUDA; yields the stand-in of `torch.cuda.set_stream`."""
    with (
        patch.object(fixed_shapes, "_on_processor", lambda it, inputs: fixed_shapes._on_cuda(it, compiled, inputs)),
        patch.multiple(torch.cuda, Stream=MagicMock(), current_stream=MagicMock(), CUDAGraph=Graph, graph=capture),
        patch.object(torch.cuda, "stream", lambda _: nullcontext()),
        patch.object(torch.cuda, "set_stream") as set_stream,
    ):
        yield set_stream
