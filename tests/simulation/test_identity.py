"""A recording tells which head it is of, and only that head is built anew."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from bci_live.simulation.background import Background
from bci_live.simulation.head import SimulatedHead
from bci_live.simulation.identity import describe_head, rebuilt_head


def build(seed: int) -> SimulatedHead:
    rng = np.random.default_rng(7)
    return SimulatedHead.build(rng.integers(0, 255, (24, 64, 64, 3), dtype=np.uint8), np.arange(24) % 4, seed=seed)


def test_the_head_is_built_anew_from_what_it_tells() -> None:
    told = describe_head(build(3))
    assert len(told) < 1000  # it stands in every recording's header
    found = rebuilt_head(told, build)
    assert found is not None
    np.testing.assert_array_equal(found.late, build(3).late)


def test_a_head_of_other_constants_or_of_another_seed_is_not_taken_for_it() -> None:
    head = build(3)
    weaker = replace(head, early=0.9 * head.early)
    assert rebuilt_head(describe_head(head), lambda _: weaker) is None
    assert rebuilt_head(describe_head(head), lambda _: build(4)) is None
    broadband, *others = head.background.parts
    quieter = replace(head, background=Background((replace(broadband, topography=0.9 * broadband.topography), *others)))
    assert rebuilt_head(describe_head(head), lambda _: quieter) is None


@pytest.mark.parametrize("told", ["", "{", "[1]", '{"seed": -1, "second_uv": []}', '{"seed": 0, "second_uv": ["x"]}'])
def test_what_tells_no_head_is_none(told: str) -> None:
    assert rebuilt_head(told, build) is None


def test_numbers_that_do_not_fit_are_no_head() -> None:
    assert rebuilt_head(json.dumps({"seed": 0, "second_uv": [1.0, 2.0]}), build) is None
