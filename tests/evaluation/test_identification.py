"""Labels that no decoder learnt are identified by their captions, where EEG follows the captions, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bci_live.config import bundled
from bci_live.diffusion.text import caption_bank
from bci_live.evaluation.cross_validation import cross_validate
from bci_live.evaluation.drawing import Drawing
from bci_live.evaluation.folds import Training
from bci_live.evaluation.identification import identify, mixed
from bci_live.evaluation.scores import score_identified
from bci_live.sessions.recording import Recording
from bci_live.sessions.xdf_writer import write_recording
from bci_live.training.encoder import EncoderTraining
from bci_live.types import Marker, StreamFacts
from tests.evaluation.sessions import EPOCH, FILTER, RATE

PIPELINE = bundled("models/diffusion-demo")
BANK = caption_bank(PIPELINE)
NAMES = BANK.labels[:18]
CHANNELS = tuple(f"E{number}" for number in range(8))
TRAINING = Training(FILTER, EPOCH, {}, encoder=EncoderTraining(passes=6, batch=16))


def test_each_caption_is_nearest_to_itself_and_only_those_left_out_are_candidates() -> None:
    among = NAMES[4:7]
    shares = identify(BANK.embeddings[4:7], NAMES, among, BANK)
    assert shares.argmax(axis=1).tolist() == [4, 5, 6]
    assert set(np.flatnonzero(shares[0])) == {4, 5, 6}
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(mixed(np.eye(18), NAMES, BANK), BANK.embeddings[:18], atol=1e-6)


def test_an_embedding_without_direction_is_near_to_all_alike() -> None:
    shares = identify(np.zeros_like(BANK.embeddings[:1]), NAMES, NAMES[:4], BANK)
    np.testing.assert_allclose(shares[0, :4], 0.25)


def test_labels_that_are_right_or_wrong_as_one_are_no_finding_of_many_trials() -> None:
    """Of four folds of three candidates, 50 trials each label: half of the labels always right is as by accident."""
    labels, folds = np.repeat(np.arange(12), 50), np.repeat(np.arange(4), 150)
    candidates = np.repeat(np.eye(4, dtype=bool), 3, axis=1)[folds]
    read = np.array([0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 10, 11])[labels]
    found = score_identified(np.eye(12)[read], labels, folds, candidates, 0)["top1"]
    assert (found.score, found.chance) == (0.5, pytest.approx(1 / 3))
    # Three, one or none of a fold's captions stay in their place; eight of all twelve do in 6 % of all orders, ten in 1 %.
    assert 8 / 12 <= found.chance_interval[1] <= 10 / 12
    assert found.interval[1] - found.interval[0] > 0.3  # of 12 labels, not of 600 trials


def write_session(path: Path, seed: int, patterns: np.ndarray, repeats: int = 8) -> Path:
    """Each label's pattern (labels, channels), µV, as a bump 170 ms after its onset, in noise of 2 µV."""
    rng = np.random.default_rng(seed)
    shown = np.concatenate([rng.permutation(len(NAMES)) for _ in range(repeats)])
    times = 100 + np.arange(round((len(shown) + 3) * RATE)) / RATE
    samples = rng.normal(0, 2, (len(times), len(CHANNELS)))
    onsets = 102.0 + np.arange(len(shown))
    for onset, label in zip(onsets, shown, strict=True):
        samples += np.outer(np.exp(-0.5 * ((times - onset - 0.17) / 0.03) ** 2), patterns[label])
    markers = tuple(Marker(NAMES[label], float(onset), "s") for label, onset in zip(shown, onsets, strict=True))
    facts = StreamFacts("cap", "EEG", f"cap-{seed}", "", "", RATE, CHANNELS, ("microvolts",) * len(CHANNELS))
    write_recording(path, Recording(facts, samples.astype(np.float32), times, markers, path))
    return path


@pytest.mark.parametrize("follows_captions", [True, False])
def test_new_labels_are_found_where_their_eeg_is_like_their_caption(follows_captions: bool, tmp_path: Path) -> None:
    captions = BANK.embeddings[: len(NAMES)].reshape(len(NAMES), -1)
    captions = captions - captions.mean(axis=0)
    left, sizes, _ = np.linalg.svd(captions, full_matrices=False)
    patterns = left[:, : len(CHANNELS)] * sizes[: len(CHANNELS)]
    patterns *= 6 / patterns.std()
    if not follows_captions:
        patterns = np.random.default_rng(5).permutation(patterns)
    paths = [write_session(tmp_path / f"run-{seed}.xdf", seed, patterns) for seed in range(1, 4)]
    told = cross_validate(paths, "concept", TRAINING, drawing=Drawing(PIPELINE, count=0, judge=None)).summary()
    # The labels in three groups of six; of each run the trials of one group are scored.
    assert (told["n_way"], told["chance"], len(told["folds"])) == (6, pytest.approx(1 / 6, abs=1e-3), 3)
    assert told["trials"] == 3 * 6 * 8
    assert told["controls"]["shuffled_labels"]["within_chance"]
    assert told["controls"]["zeroed"]["score"] == pytest.approx(1 / 6, abs=1e-3)
    assert (told["top1"] > told["chance_interval"][1]) == follows_captions
    assert told["interval"][0] < told["top1"] <= told["interval"][1]
