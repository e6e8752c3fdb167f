"""The true picture of a marker, whatever the marker brings along."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import Layout, layout_to_dict, random_layout, render
from bci_live.stimuli.truth import stimulus_of
from bci_live.types import Marker


def test_the_truth_is_the_picture_as_it_was_rendered() -> None:
    catalogue, layout = load_catalogue(), random_layout(np.random.default_rng(7))
    marker = Marker("dog", 0.0, detail=json.dumps({"layout": layout_to_dict(layout)}))
    shown = render(catalogue.picture("dog"), layout, 48)
    np.testing.assert_array_equal(stimulus_of(marker, catalogue, 48), shown)


def test_a_label_that_the_catalogue_does_not_know_has_no_picture() -> None:
    assert stimulus_of(Marker("../../etc/passwd", 0.0), load_catalogue(), 64) is None


LAYOUT = layout_to_dict(Layout(x=0.3))


@pytest.mark.parametrize(
    "detail",
    [
        "",
        "no JSON",
        "[1, 2]",
        '{"layout": 5}',
        '{"layout": {"x": 0.5}}',
        "[" * 100_000,
        json.dumps({"layout": LAYOUT | {"size": 0}}),
        json.dumps({"layout": LAYOUT | {"size": 5e-324}}),
        json.dumps({"layout": LAYOUT | {"size": float("nan")}}),
        json.dumps({"layout": LAYOUT | {"turn": float("inf")}}),
        json.dumps({"layout": LAYOUT | {"x": 10**400}}),
    ],
    ids=lambda detail: detail[-40:],
)
def test_without_a_usable_layout_the_picture_is_centred_on_grey(detail: str) -> None:
    catalogue = load_catalogue()
    centred = render(catalogue.picture("dog"), Layout(), 64)
    np.testing.assert_array_equal(stimulus_of(Marker("dog", 0.0, detail=detail), catalogue, 64), centred)
