"""Splits: whole groups on one side, and never by random trial."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bci_live.errors import BciError, LabelError, RecordingError
from bci_live.evaluation.splits import (
    Split,
    by_concept,
    by_stimulus,
    check_disjoint,
    check_kind,
    groups_of,
    leave_one_group_out,
)
from bci_live.sessions.naming import origin_of


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=40))
def test_every_trial_is_held_out_once_and_its_group_with_it(groups: list[str]) -> None:
    splits = leave_one_group_out(groups, "run")
    assert sorted(int(i) for split in splits for i in split.hold) == list(range(len(groups)))
    for split in splits:
        assert {groups[i] for i in split.hold} == {split.name}
        assert split.name not in {groups[i] for i in split.fit}


@pytest.mark.parametrize("name", ["trial", "random", "Random-Trial"])
def test_a_random_trial_split_is_refused_with_its_reason(name: str) -> None:
    with pytest.raises(BciError, match="neighbours in time resemble each other"):
        check_kind(name)


def test_an_unknown_split_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BciError, match="run, session, subject, stimulus"):
        check_kind("weekday")


def test_subject_session_and_run_are_told_by_the_name_or_by_the_folders() -> None:
    told = origin_of(Path("data/sub-02/ses-03/eeg/sub-02_ses-03_task-x_run-04_eeg.xdf"))
    assert (told.subject, told.session, told.run) == ("02", "03", "04")
    folders = origin_of(Path("data/sub-02/ses-03/eeg/morning.xdf"))
    assert (folders.subject, folders.session, folders.run) == ("02", "03", "morning.xdf")
    assert origin_of(Path("data/muse-n170_run-01.xdf")).subject is None


def test_a_session_number_counts_within_its_subject() -> None:
    paths = [Path(f"sub-{subject}_ses-01_run-01.xdf") for subject in ("01", "02")]
    assert groups_of(paths, "session") == ("01/01", "02/01")


def test_a_name_that_does_not_tell_the_subject_is_named() -> None:
    with pytest.raises(RecordingError, match=r"muse_run-01\.xdf.*does not tell the subject"):
        groups_of([Path("muse_run-01.xdf"), Path("muse_run-02.xdf")], "subject")


def test_recordings_of_one_session_cannot_be_split_by_session() -> None:
    with pytest.raises(RecordingError, match="at least two sessions"):
        groups_of([Path("sub-01_ses-01_run-01.xdf"), Path("sub-01_ses-01_run-02.xdf")], "session")


def test_by_stimulus_neither_the_stimulus_nor_its_run_is_known() -> None:
    rng = np.random.default_rng(0)
    labels = [("face", "house")[i % 2] for i in range(120)]
    stimuli = [f"{label} {rng.integers(6)}" for label in labels]
    runs = [f"run {i // 40}" for i in range(120)]
    splits = by_stimulus(stimuli, labels, runs, seed=0)
    assert len(splits) == 3
    for split in splits:
        assert len(split.hold)
        assert len(split.fit)
        assert not {stimuli[i] for i in split.fit} & {stimuli[i] for i in split.hold}
        assert not {runs[i] for i in split.fit} & {runs[i] for i in split.hold}
        assert {labels[i] for i in split.hold} <= {labels[i] for i in split.fit}


def test_stimuli_that_are_shown_once_are_still_not_split_by_random_trial() -> None:
    labels = [("face", "house")[i % 2] for i in range(40)]
    splits = by_stimulus([f"{i}" for i in range(40)], labels, [f"run {i // 20}" for i in range(40)], seed=0)
    assert [split.hold.tolist() for split in splits] == [list(range(20)), list(range(20, 40))]


def test_one_stimulus_a_label_cannot_be_split_by_stimulus() -> None:
    with pytest.raises(LabelError, match="all of 'face' are the same"):
        by_stimulus(["f", "h1", "h2", "f"], ["face", "house", "house", "face"], ["a", "a", "b", "b"], seed=0)


def test_by_concept_neither_the_label_nor_its_run_is_known() -> None:
    labels = [f"label {i % 11}" for i in range(220)]
    runs = [f"run {i // 22}" for i in range(220)]
    splits = by_concept(labels, runs, seed=0)
    assert len(splits) == 3  # each leaves three labels out at least; two fill no group
    for split in splits:
        assert len(split.among) == 3
        assert {labels[i] for i in split.hold} == set(split.among)
        assert {labels[i] for i in split.fit} == set(labels) - set(split.among)
        assert not {runs[i] for i in split.fit} & {runs[i] for i in split.hold}
    assert len({label for split in splits for label in split.among}) == 9


def test_five_labels_are_too_few_to_leave_concepts_out() -> None:
    with pytest.raises(LabelError, match="there are 5: a, b, c, d, e"):
        by_concept(list("abcde") * 4, ["one"] * 10 + ["two"] * 10, seed=0)


def test_labels_that_are_never_shown_where_they_would_be_left_out_are_told() -> None:
    first = by_concept(list("abcdef") * 2, ["one"] * 6 + ["two"] * 6, seed=0)[0].among  # left out in run one
    second = sorted(set("abcdef") - set(first))
    with pytest.raises(LabelError, match="No part of the recordings"):
        by_concept([*second, *first], ["one"] * 3 + ["two"] * 3, seed=0)


def test_a_group_on_both_sides_is_a_bug_that_raises() -> None:
    with pytest.raises(ValueError, match="on both sides"):
        check_disjoint(Split("run", "a", np.array([0, 1]), np.array([2])), ["a", "b", "a"])
