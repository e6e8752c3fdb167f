"""What makes an EEG stream or a marker stream, live and in files alike."""

from __future__ import annotations

# Hz. Slower is no EEG, faster no amplifier: a header says so by mistake, and buffers would be as long as it says.
LEAST_RATE = 0.1
MOST_RATE = 100_000.0

_EEG = "eeg"
_MARKER_TYPES = ("marker", "event", "stim", "trigger")


def why_no_rate(rate: float) -> str | None:
    """What is wrong with the announced rate of an EEG stream, Hz; None when nothing is."""
    if rate == 0:
        return "its rate is irregular"
    if not LEAST_RATE <= rate <= MOST_RATE:  # NaN, too
        return f"its rate is {rate:g} Hz, not one from {LEAST_RATE:g} to {MOST_RATE:,.0f} Hz"
    return None


def why_no_eeg(kind: str, rate: float, channels: int, *, text: bool) -> str | None:
    """Why a stream of the type `kind` is no EEG stream; None when it is one. `text`: it sends text."""
    if kind.lower() != _EEG:
        return f"its type is '{kind}'"
    if text:
        return "it sends text"
    if channels < 1:
        return "it has no channel"
    return why_no_rate(rate)


def why_no_markers(kind: str, rate: float, *, text: bool) -> str | None:
    """Why a stream of the type `kind` is no marker stream; None when it is one. `text`: it sends text.

    Numbers without a rate may be anything (a heart rate, a gaze), so they need a type that says what they are.
    """
    if rate:
        return f"it sends samples at {rate:g} Hz, not markers"
    if not (text or names_markers(kind)):
        return f"it sends numbers of the type '{kind}', and that of marker numbers has 'marker', 'event', 'stim' or 'trigger' in it"
    return None


def names_markers(kind: str) -> bool:
    """Whether the type says that it is a marker stream, in any of the words that senders use."""
    return any(word in kind.lower() for word in _MARKER_TYPES)
