"""A rendering shows the picture where, how large and how turned its layout says."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from bci_live.stimuli.catalogue import load_catalogue
from bci_live.stimuli.rendering import Layout, layout_from_dict, layout_to_dict, random_layout, render, turn_hue

GREY = (128, 128, 128)
WHITE_DISC = np.zeros((256, 256, 4), dtype=np.uint8)
_rows, _columns = np.mgrid[:256, :256] - 127.5
WHITE_DISC[np.hypot(_rows, _columns) < 100] = 255
# A bar that points to the right, so that a turn can be told.
WHITE_BAR = np.zeros((256, 256, 4), dtype=np.uint8)
WHITE_BAR[118:138, 128:250] = 255


def _object(image: np.ndarray) -> np.ndarray:
    """How much of each pixel is the white object on grey, 0…1."""
    return (image[..., 0].astype(float) - 128) / 127


def _centre(image: np.ndarray) -> tuple[float, float]:
    weight = _object(image)
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    return (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()


@pytest.mark.parametrize(("x", "y"), [(0.5, 0.5), (0.36, 0.5), (0.5, 0.64), (0.6, 0.4)])
def test_centre_is_where_the_layout_says(x: float, y: float) -> None:
    image = render(WHITE_DISC, Layout(x=x, y=y, size=0.5, background=(GREY, GREY)), 64)
    assert _centre(image) == pytest.approx((64 * x, 64 * y), abs=0.15)


@pytest.mark.parametrize("size", [0.5, 0.7, 0.85])
def test_area_grows_with_the_square_of_the_size(size: float) -> None:
    image = render(WHITE_DISC, Layout(size=size, background=(GREY, GREY)), 64)
    radius = 64 * size * 100 / 256
    assert _object(image).sum() == pytest.approx(np.pi * radius**2, rel=0.03)


@pytest.mark.parametrize("turn", [0.0, 25.0, -25.0, 90.0])
def test_turn_is_counter_clockwise_as_seen(turn: float) -> None:
    x, y = _centre(render(WHITE_BAR, Layout(size=0.8, turn=turn, background=(GREY, GREY)), 128))
    assert np.degrees(np.arctan2(64 - y, x - 64)) == pytest.approx(turn, abs=1.0)


def test_edges_take_no_colour_from_transparent_pixels() -> None:
    red_outside = WHITE_DISC.copy()
    red_outside[red_outside[..., 3] == 0] = (255, 0, 0, 0)
    layout = Layout(size=0.6, turn=10, background=(GREY, GREY))
    np.testing.assert_array_equal(render(red_outside, layout), render(WHITE_DISC, layout))


def test_background_runs_from_the_top_colour_to_the_bottom_colour() -> None:
    empty = np.zeros((256, 256, 4), dtype=np.uint8)
    image = render(empty, Layout(background=((200, 100, 0), (0, 100, 200))), 64)
    assert image[0, 0] == pytest.approx((198, 100, 2), abs=1)
    assert image[-1, 0] == pytest.approx((2, 100, 198), abs=1)


def test_hue_turns_all_the_way_round_and_leaves_grey_alone() -> None:
    colours = np.array([[0.8, 0.3, 0.2], [0.5, 0.5, 0.5]], dtype=np.float32)
    np.testing.assert_allclose(turn_hue(colours, 360), colours, atol=1e-5)
    turned = turn_hue(colours, 25)
    np.testing.assert_allclose(turned[1], colours[1], atol=5e-3)
    assert np.abs(turned[0] - colours[0]).max() > 0.05


def test_random_layouts_stay_moderate_and_repeat_with_their_seed() -> None:
    rng = np.random.default_rng(3)
    layouts = [random_layout(rng) for _ in range(300)]
    assert all(0.34 <= layout.x <= 0.66 and 0.34 <= layout.y <= 0.66 for layout in layouts)
    assert all(0.5 <= layout.size <= 0.85 and abs(layout.turn) <= 25 and abs(layout.hue) <= 25 for layout in layouts)
    assert random_layout(np.random.default_rng(3)) == layouts[0]


def test_layout_survives_json() -> None:
    layout = random_layout(np.random.default_rng(0))
    assert layout_from_dict(json.loads(json.dumps(layout_to_dict(layout)))) == layout


@pytest.mark.parametrize("change", [{"x": "left"}, {"background": [[1, 2], [3, 4]]}, {"background": 7}, {"size": None}])
def test_what_is_no_layout_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no layout"):
        layout_from_dict(layout_to_dict(Layout()) | change)


def test_layout_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Layout().x = 0.1  # type: ignore[misc]


def test_every_picture_of_the_catalogue_renders() -> None:
    catalogue = load_catalogue("objects")
    for label in catalogue.labels:
        image = render(catalogue.picture(label), Layout(), 64)
        assert image.shape == (64, 64, 3)
        assert image.dtype == np.uint8
        assert np.abs(image.astype(int) - 128).mean() > 2
