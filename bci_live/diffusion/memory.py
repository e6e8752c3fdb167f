"""When a device has no memory left: how that is told, and what can be freed."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import torch

# PyTorch has a kind of its own for it on a GPU; the libraries below, and its allocator on the processor, tell it in words.
_WORDS = (
    "out of memory",
    "alloc_failed",
    "cublas_status_not_initialized",
    "unable to find an engine to execute",
    "defaultcpuallocator",
    "can't allocate memory",
)


def is_of_memory(error: BaseException) -> bool:
    """Whether a lack of memory is behind it: it may have been named anew, or have spoilt the end of a CUDA graph's capture."""
    return any(
        isinstance(it, (torch.OutOfMemoryError, MemoryError)) or any(words in str(it).lower() for words in _WORDS)
        for it in _behind(error)
    )


def free_memory() -> None:
    """Give back what nobody holds any more. Outside of any handler: the traceback would keep the tensors that have to go."""
    gc.collect()
    try:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if torch.backends.mps.is_available():
            torch.mps.empty_cache()
    except RuntimeError:
        pass  # a capture that could not be ended keeps the cache; what comes next needs little of it, or none


def _behind(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and what was being handled."""
    left, seen = [error], set()
    while left:
        it = left.pop()
        if id(it) not in seen:
            seen.add(id(it))
            left += [cause for cause in (it.__cause__, it.__context__) if cause is not None]
            yield it
