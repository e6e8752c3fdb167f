"""Models are loaded faster while Python does not look for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collecting() -> Iterator[None]:
    """Leave the garbage collector at rest.

    Importing torch and diffusers makes a million objects, all of which stay; walking through them again and again takes a
    third of the time (docs/performance.md).
    """
    rests_already = not gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not rests_already:
            gc.enable()
