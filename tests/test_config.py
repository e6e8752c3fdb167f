"""What the settings refuse, and what one setting means for another."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bci_live.config import DiffusionConfig, EpochConfig, FilterConfig


def test_grey_is_drawn_over_altogether_unless_a_strength_is_asked_for() -> None:
    assert DiffusionConfig(initial="grey").strength == 1.0
    assert DiffusionConfig(initial="grey", strength=0.5).strength == 0.5
    assert DiffusionConfig(initial="saliency").strength == DiffusionConfig().strength == 0.75


@pytest.mark.parametrize(
    ("part", "values", "sentence"),
    [
        (DiffusionConfig, {"steps": 1, "strength": 0.5}, "less than one step"),
        (FilterConfig, {"low_hz": 40.0}, "must begin below its end"),
        (FilterConfig, {"pre_roll_s": float("inf")}, "finite"),
        (EpochConfig, {"start_s": 0.1}, "must begin at or before the marker"),
        (EpochConfig, {"stopp_s": 0.1}, "Extra inputs"),
    ],
)
def test_impossible_settings_are_refused_with_the_reason(part: type, values: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        part.model_validate(values)
