"""The oracle of an evaluation: built for the head that a recording tells of, or a reason why there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from bci_live.config import EpochConfig, FilterConfig
from bci_live.evaluation.oracle import OracleReading, ask_oracle
from bci_live.evaluation.reading import Cut, Preparation, cut_all, indices_of, read_sessions
from bci_live.evaluation.result import share_of, shares
from bci_live.sessions.recording import Recording
from bci_live.simulation.conduction import CHANNELS
from bci_live.stimuli.catalogue import Catalogue, load_catalogue
from bci_live.training.demo import demo_head, make_session

NAMES = ("dog", "guitar", "piano", "banana")
# Some of the electrodes, in another order, at another rate, re-referenced: the oracle reads what the decoder does.
PREPARATION = Preparation(
    tuple(reversed(CHANNELS[20:])), 125.0, FilterConfig(pre_roll_s=1.0), EpochConfig(reference=("average",), reject_uv={})
)  # fmt: skip


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Recording]:
    catalogue = load_catalogue("objects")
    few = Catalogue(MappingProxyType({name: catalogue[name] for name in NAMES}))
    path = tmp_path_factory.mktemp("oracle") / "simulated.xdf"
    make_session(path, demo_head(catalogue), few, 48, 1.1, seed=5)
    return read_sessions([path], {})


@pytest.fixture(scope="module")
def cut(recordings: list[Recording]) -> Cut:
    wanted = PREPARATION
    return cut_all(recordings, wanted.filter, wanted.epoch, wanted.channels, wanted.rate)


@pytest.fixture(scope="module")
def reading(recordings: list[Recording], cut: Cut) -> OracleReading:
    found = ask_oracle(recordings, cut, NAMES, PREPARATION)
    assert isinstance(found, OracleReading), found
    return found


def test_it_names_what_was_seen_and_where(reading: OracleReading, cut: Cut) -> None:
    right = reading.probabilities.argmax(axis=1) == indices_of(cut.labels, NAMES)
    assert right.mean() > 0.6  # of four: chance is 0.25 ± 0.06
    wanted = np.array([(it["x"], it["y"]) for it in (json.loads(m.detail)["layout"] for m in cut.markers)])
    found = np.array([(it.x, it.y) for it in reading.layouts])
    middle = np.linalg.norm(wanted - 0.5, axis=1)
    assert np.median(np.linalg.norm(found - wanted, axis=1)) < 0.85 * np.median(middle)
    assert reading.pictures(NAMES, 5).shape == (5, 64, 64, 3)


def test_without_the_head_it_says_why(recordings: list[Recording], cut: Cut) -> None:
    def of(head: str) -> list[Recording]:
        return [replace(it, facts=replace(it.facts, head=head)) for it in recordings]

    assert "do not tell which simulated head" in str(ask_oracle(of(""), cut, NAMES, PREPARATION))
    assert "another head" in str(ask_oracle(of('{"seed": 0}'), cut, NAMES, PREPARATION))
    assert "one simulated head" in str(ask_oracle([*recordings, *of("")], cut, NAMES, PREPARATION))


def test_a_label_without_a_picture_has_no_oracle(recordings: list[Recording], cut: Cut) -> None:
    assert "'dragon'" in str(ask_oracle(recordings, cut, ("dog", "dragon"), PREPARATION))


def test_the_share_of_a_score_and_of_an_error_are_both_1_at_the_oracles() -> None:
    assert share_of("top1", 0.6, 0.8) == pytest.approx(0.75)
    assert share_of("position", 0.12, 0.08) == pytest.approx(2 / 3)
    assert np.isnan(share_of("top1", 0.5, 0.0))
    assert shares({"top1": 0.6}, {"top1": 0.8, "ssim": 1.0}) == {"top1": {"oracle": 0.8, "share": pytest.approx(0.75)}}


def test_a_file_keeps_which_head_it_is_of(recordings: list[Recording]) -> None:
    assert json.loads(recordings[0].facts.head)["seed"] == 0
