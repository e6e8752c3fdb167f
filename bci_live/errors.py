"""What can go wrong for a user: each error is one sentence with the thing, the value and the remedy.

A command prints such an error and exits with 2; a live stage counts it and goes on with the next item.
Anything that is not a `BciError` is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence


def some_of(things: Sequence[str], most: int = 5) -> str:
    """The first of them, and how many more there are: a sentence with forty is read by nobody."""
    return ", ".join(things[:most]) + (f" and {len(things) - most} more" if len(things) > most else "")


class BciError(Exception):
    """Something outside the program is not as it has to be."""


class StreamError(BciError):
    """An LSL stream is absent, is of another kind, or changed under us."""


class AbsentStreamError(StreamError):
    """There is no such LSL stream, or not yet."""


class RecordingError(BciError):
    """A file is no recording, is damaged, or lacks what is asked of it."""


class MontageError(BciError):
    """The channels or the rate of a stream do not fit the decoder."""


class DecoderError(BciError):
    """A decoder folder is damaged, incomplete, or from another version."""


class DiffusionError(BciError):
    """A diffusion pipeline cannot be loaded, or is asked for something impossible."""


class LabelError(BciError):
    """A label that the catalogue, the caption bank or the decoder does not know."""
