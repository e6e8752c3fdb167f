"""A few minutes of one more person, on top of a decoder of others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bci_live.decoding.decoder import load_decoder
from bci_live.decoding.storage import read_card
from bci_live.errors import DecoderError, RecordingError
from bci_live.evaluation.evaluate import check_unseen
from bci_live.sessions.recording import read_recording
from bci_live.sessions.xdf_writer import write_recording
from tests.training.test_decoder import TRIALS, auc_on, session, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fine-tuning")


@pytest.fixture(scope="module")
def others(folder: Path) -> Path:
    train([session(folder / f"other-{seed}.xdf", seed) for seed in (1, 2, 3)], folder / "others")
    return folder / "others"


def test_one_short_session_is_enough_and_the_decoder_is_cut_like_the_one_it_began_from(
    others: Path, folder: Path
) -> None:
    own = session(folder / "own.xdf", 11, amplitude_uv=4.0)
    # Ten of each label would be refused without the other decoder.
    recording = read_recording(own)
    write_recording(folder / "short.xdf", replace(recording, markers=recording.markers[: TRIALS // 2]))
    train([folder / "short.xdf"], folder / "own", fine_tune=others)
    assert auc_on(folder / "own", session(folder / "later.xdf", 12, amplitude_uv=4.0)) > 0.75
    ours, theirs = read_card(folder / "own"), read_card(others)
    assert (ours.channels, ours.labels, ours.filter, ours.epoch, ours.sizes, ours.prefixes) == (
        theirs.channels, theirs.labels, theirs.filter, theirs.epoch, theirs.sizes, theirs.prefixes,
    )  # fmt: skip
    assert [file.name for file in ours.files] == ["short.xdf"]


def test_what_the_first_decoder_was_trained_on_is_never_unseen_again(others: Path, folder: Path) -> None:
    train([session(folder / "mine.xdf", 14)], folder / "mine", fine_tune=others)
    with pytest.raises(RecordingError, match=r"was trained on '.*other-2\.xdf'"):
        check_unseen(load_decoder(folder / "mine"), [read_recording(folder / "other-2.xdf")])
    for again in ("other-3.xdf", "mine.xdf"):
        with pytest.raises(DecoderError, match=rf"was trained on '.*{again}' already"):
            train([folder / again], folder / "again", fine_tune=folder / "mine")
    assert not (folder / "again").exists()


def test_another_headset_is_refused_with_the_channel_that_it_lacks(others: Path, folder: Path) -> None:
    recording = read_recording(session(folder / "cap.xdf", 13))
    facts = replace(recording.facts, channels=("Fz", "Cz", "Pz", "O2"))
    write_recording(folder / "another-cap.xdf", replace(recording, facts=facts))
    with pytest.raises(DecoderError, match=r"reads Oz, which '.*another-cap\.xdf' does not have"):
        train([folder / "another-cap.xdf"], folder / "refused", fine_tune=others)


def test_other_labels_are_refused(others: Path, folder: Path) -> None:
    path = session(folder / "dogs.xdf", 14, labels=("face", "dog"))
    with pytest.raises(DecoderError, match="same labels: dog, house"):
        train([path], folder / "refused", fine_tune=others)
