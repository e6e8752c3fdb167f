"""The line beside REC names a stream that sent nothing so far."""

from __future__ import annotations

from bci_live.sessions.recorder import StreamProgress
from bci_live.sessions.silence import silence_text

MUSE, MARKERS = StreamProgress("Muse", 0, kind="EEG"), StreamProgress("stimuli", 0, kind="Markers")


def test_a_stream_without_a_sample_is_named() -> None:
    assert silence_text([MUSE, StreamProgress("cap", 3)], 5.0) == "no sample yet from 'Muse'"
    assert silence_text([MUSE, MARKERS], 5.0) == "no sample yet from 'Muse' and 1 more"
    assert silence_text([StreamProgress("cap", 3)], 5.0) == ""


def test_the_first_second_is_too_early_to_say() -> None:
    assert silence_text([MUSE], 0.2) == ""


def test_a_long_name_does_not_push_the_rest_away() -> None:
    assert len(silence_text([StreamProgress("x" * 500, 0)], 5.0)) < 50
