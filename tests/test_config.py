"""What the settings refuse, and what one setting means for another."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bci_live.config import KNOWN_PIPELINES, DiffusionConfig, EpochConfig, FilterConfig


def test_grey_is_drawn_over_altogether_unless_a_strength_is_asked_for() -> None:
    assert DiffusionConfig(initial="grey").strength == 1.0
    assert DiffusionConfig(initial="grey", strength=0.5).strength == 0.5
    assert DiffusionConfig(initial="saliency").strength == DiffusionConfig().strength == 0.75


@pytest.mark.parametrize("name", KNOWN_PIPELINES)
def test_a_known_pipeline_is_used_as_it_was_made_for_by_either_name_unless_asked_otherwise(name: str) -> None:
    known = KNOWN_PIPELINES[name]
    for pipeline in (name, known.hub):
        config = DiffusionConfig(pipeline=pipeline)
        assert (config.steps, config.strength, config.initial) == (known.steps, known.strength, known.initial)
        assert DiffusionConfig(pipeline=pipeline, initial="grey").strength == 1.0
    assert DiffusionConfig(pipeline="models/of-my-own") == DiffusionConfig().model_copy(
        update={"pipeline": "models/of-my-own"}
    )
    assert DiffusionConfig(pipeline="sd-turbo", steps=4, strength=0.25).steps == 4


@pytest.mark.parametrize(
    ("part", "values", "sentence"),
    [
        (DiffusionConfig, {"steps": 1, "strength": 0.5}, "less than one step"),
        (
            DiffusionConfig,
            {"pipeline": "sd-turbo", "steps": 5},
            "sd-turbo was made to draw in at most 4 steps, not in 5",
        ),
        (DiffusionConfig, {"pipeline": "IDKiro/sdxs-512-0.9", "steps": 2}, "made to draw in one step, not in 2"),
        (DiffusionConfig, {"pipeline": "sdxs", "strength": 0.9}, "1 steps × strength 0.9 is less than one step"),
        (DiffusionConfig, {"pipeline": "lcm", "strength": 0.2}, "4 steps × strength 0.2 is less than one step"),
        (FilterConfig, {"low_hz": 40.0}, "must begin below its end"),
        (FilterConfig, {"pre_roll_s": float("inf")}, "finite"),
        (EpochConfig, {"start_s": 0.1}, "must begin at or before the marker"),
        (EpochConfig, {"stopp_s": 0.1}, "Extra inputs"),
    ],
)
def test_impossible_settings_are_refused_with_the_reason(part: type, values: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        part.model_validate(values)
