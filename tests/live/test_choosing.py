"""Other models are loaded: what was chosen of the drawing stays, and the models come back at the next start."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock, patch

import pytest

from bci_live.config import Config, DiffusionConfig, bundled
from bci_live.errors import BciError, MontageError
from bci_live.live import choosing
from bci_live.live.choosing import Choices
from bci_live.live.controls import DrawingChoice, ModelChoice
from bci_live.live.launcher import LiveRequest, load_models
from bci_live.live.remembered import remember_drawing
from tests.live.background_sessions import forgotten

__all__ = ["forgotten"]  # a fixture

FRESH = LiveRequest(decoder=bundled("models/decoder-demo"))


def test_another_device_or_decoder_changes_nothing_of_how_pictures_are_drawn() -> None:
    request = LiveRequest(decoder=bundled("models/decoder-demo"), device="cpu")
    models = load_models(request, lambda _: None)
    choices = Choices(request)
    chosen = DrawingChoice(free_seed=True, averaged=3, every_s=1.5, anytime=False)
    choices.drawing = chosen
    choices.want(ModelChoice(request.decoder, DiffusionConfig().pipeline, "auto"))
    taken, others = choices.load(request, models, lambda _: None)
    assert (taken.device, choices.problem) == ("auto", "")
    assert others is not models
    assert choices.drawing == replace(chosen, diffusion=taken.config.diffusion)


DEMO = DiffusionConfig().pipeline


@pytest.mark.parametrize(
    ("before", "pipeline", "drawn"),
    [
        ("sdxs", DEMO, (4, 0.75, "saliency")),  # nothing is known of it
        ("IDKiro/sdxs-512-0.9", DEMO, (4, 0.75, "saliency")),
        ("sd-turbo", DEMO, (4, 0.75, "saliency")),
        (DEMO, "sdxs", (1, 1.0, "grey")),
        ("sdxs", "sd-turbo", (2, 0.5, "saliency")),
    ],
)
def test_steps_that_belong_to_a_known_pipeline_neither_follow_it_nor_are_followed(
    before: str, pipeline: str, drawn: tuple[int, float, str]
) -> None:
    request = replace(FRESH, config=Config(diffusion=DiffusionConfig(pipeline=before, seed=3)))
    choices = Choices(request)
    choices.want(ModelChoice(FRESH.decoder, pipeline, "cpu"))
    diffusion = choices.adopt(request).config.diffusion
    assert (diffusion.steps, diffusion.strength, diffusion.initial) == drawn
    assert (diffusion.pipeline, diffusion.seed) == (pipeline, 3)
    assert choices.drawing.diffusion == diffusion


def test_of_pipelines_that_nothing_is_known_of_the_steps_are_carried_over() -> None:
    diffusion = DiffusionConfig(steps=7, strength=0.4, initial="grey")
    request = replace(FRESH, config=Config(diffusion=diffusion))
    choices = Choices(request)
    choices.want(ModelChoice(FRESH.decoder, "my-pipeline", "cpu"))
    assert choices.adopt(request).config.diffusion == diffusion.model_copy(update={"pipeline": "my-pipeline"})


@pytest.mark.parametrize("pipeline", [DEMO, "my-pipeline", "sd-turbo"])
@pytest.mark.parametrize(
    ("device", "at_hand", "compiled"),
    [
        ("cuda", ("cuda", "cpu"), True),
        ("auto", ("cuda", "cpu"), True),
        ("cpu", ("cuda", "cpu"), False),  # there it is refused, and the window has no switch for it
        ("auto", ("mps", "cpu"), False),
    ],
)
def test_a_pipeline_stays_compiled_as_long_as_it_is_on_cuda(
    pipeline: str, device: str, at_hand: tuple[str, ...], compiled: bool
) -> None:
    request = replace(FRESH, config=Config(diffusion=DiffusionConfig(compiled=True)))
    choices = Choices(request)
    choices.want(ModelChoice(FRESH.decoder, pipeline, device))
    with patch("bci_live.decoding.device.devices_at_hand", return_value=at_hand):
        assert choices.adopt(request).config.diffusion.compiled == compiled


@pytest.fixture
def mine(tmp_path: Path) -> ModelChoice:
    """A decoder and a pipeline of one's own, as far as they are read before they are loaded."""
    (tmp_path / "mine").mkdir()
    shutil.copy(FRESH.decoder / "decoder.json", tmp_path / "mine")
    shutil.copytree(bundled(DiffusionConfig().pipeline), tmp_path / "drawing")
    return ModelChoice(tmp_path / "mine", str(tmp_path / "drawing"), "cpu")


def used(choice: ModelChoice) -> None:
    """A session with these was begun from the window."""
    choices = Choices(FRESH)
    assert choices.choose(choice, FRESH)
    choices.begin(choices.adopt(FRESH))


def test_models_that_were_chosen_come_back_at_the_next_start_with_how_they_drew(mine: ModelChoice) -> None:
    assert Choices(FRESH).recall(FRESH) == FRESH  # the first start
    used(mine)
    drawn = DrawingChoice(DiffusionConfig(pipeline=mine.pipeline, steps=7, strength=0.4, seed=3), averaged=2)
    remember_drawing(drawn)
    choices = Choices(FRESH)
    recalled = choices.recall(FRESH)
    assert (recalled.models, choices.drawing, choices.problem) == (mine, drawn, "")
    assert not choices.loading


def test_models_that_were_only_looked_at_or_asked_for_do_not_come_back(mine: ModelChoice) -> None:
    choices = Choices(FRESH)
    choices.begin(replace(FRESH, decoder=mine.decoder))  # by the command line
    assert choices.choose(mine, FRESH)  # and then the window was closed
    assert Choices(FRESH).recall(FRESH) == FRESH


@pytest.mark.parametrize(
    ("asked", "decoder", "pipeline", "device"),
    [
        ({"device"}, True, True, False),
        ({"pipeline"}, True, False, True),
        ({"decoder"}, False, False, True),  # what drew for another decoder may not even fit this one
        ({"decoder", "pipeline", "device"}, False, False, False),
    ],
)
def test_what_is_asked_for_by_name_wins(
    mine: ModelChoice, asked: set[str], decoder: bool, pipeline: bool, device: bool
) -> None:
    used(mine)
    request = replace(FRESH, asked=frozenset(asked))
    got, given = Choices(request).recall(request).models, request.models
    assert got.decoder == (mine if decoder else given).decoder
    assert got.pipeline == (mine if pipeline else given).pipeline
    assert got.device == (mine if device else given).device


def test_steps_that_are_asked_for_hold_for_the_models_of_the_last_time(mine: ModelChoice) -> None:
    used(mine)
    request = replace(FRESH, config=Config(diffusion=DiffusionConfig(steps=9)), asked=frozenset({"steps"}))
    diffusion = Choices(request).recall(request).config.diffusion
    assert (diffusion.pipeline, diffusion.steps) == (mine.pipeline, 9)


def test_models_that_are_gone_are_told_once_and_those_asked_for_are_used(mine: ModelChoice) -> None:
    used(mine)
    shutil.rmtree(mine.decoder)
    choices = Choices(FRESH)
    assert choices.recall(FRESH) == FRESH
    assert choices.problem.startswith("The models of the last time are not used. ")
    assert str(mine.decoder) in choices.problem
    again = Choices(FRESH)
    assert (again.recall(FRESH), again.problem) == (FRESH, "")


def test_a_mixture_with_the_command_line_that_does_not_fit_is_told_and_costs_no_memory(mine: ModelChoice) -> None:
    used(mine)
    config = Config(diffusion=DiffusionConfig(pipeline="sd-turbo"))  # not on this machine
    request = replace(FRESH, config=config, asked=frozenset({"pipeline"}))
    choices = Choices(request)
    assert choices.recall(request) == request
    assert "sd-turbo" in choices.problem
    assert Choices(FRESH).recall(FRESH).models == mine


def test_whose_layer_reads_stays_where_it_is_asked_for_or_the_decoder_is_the_same(mine: ModelChoice) -> None:
    used(mine)
    request = replace(FRESH, subject="03", asked=frozenset({"subject"}))
    assert Choices(request).recall(request).subject == "03"
    same = replace(FRESH, decoder=mine.decoder / ".." / mine.decoder.name, subject="03")
    assert Choices(same).recall(same).subject == "03"


def test_what_goes_wrong_once_they_draw_or_with_another_headset_costs_no_memory(mine: ModelChoice) -> None:
    used(mine)
    choices = Choices(FRESH)
    choices.recall(FRESH)
    choices.drew()
    assert choices.fall_back(BciError("Out of memory, hours later.")) is None
    assert choices.recall(FRESH) == FRESH  # once a start
    choices = Choices(FRESH)
    choices.recall(FRESH)
    assert choices.fall_back(MontageError("It needs the channels Cz, Oz.")) == FRESH
    assert Choices(FRESH).recall(FRESH).models == mine


def test_a_memory_that_cannot_be_deleted_is_no_trouble(mine: ModelChoice) -> None:
    used(mine)
    shutil.rmtree(mine.decoder)
    with patch.object(Path, "unlink", side_effect=PermissionError("read-only")):
        assert Choices(FRESH).recall(FRESH) == FRESH


def test_a_choice_while_another_one_fails_to_load_is_remembered_all_the_same(mine: ModelChoice) -> None:
    choices = Choices(FRESH)

    def fails(*_: object) -> None:
        choices.want(mine, next_time=True)
        raise BciError("Its weights are damaged.")

    choices.want(FRESH.models, next_time=True)
    with patch.object(choosing, "load_models", fails):
        choices.load(FRESH, MagicMock(), lambda _: None)
    choices.begin(choices.adopt(FRESH))
    assert Choices(FRESH).recall(FRESH).models == mine


def test_a_choice_that_failed_does_not_make_the_models_of_the_command_line_come_back(mine: ModelChoice) -> None:
    choices = Choices(FRESH)
    assert choices.choose(mine, FRESH)
    before = MagicMock()
    with patch.object(choosing, "load_models", side_effect=BciError("Its weights are damaged.")):
        assert choices.load(FRESH, before, lambda _: None) == (FRESH, before)
    choices.begin(replace(FRESH, device="cpu"))
    assert Choices(FRESH).recall(FRESH) == FRESH


def test_models_that_cannot_be_loaded_after_all_give_way_to_those_asked_for(mine: ModelChoice) -> None:
    used(mine)
    remember_drawing(DrawingChoice(averaged=3))
    choices = Choices(FRESH)
    assert choices.recall(FRESH).models == mine
    assert choices.fall_back(BciError("Its weights are damaged.")) == FRESH
    assert choices.problem == "The models of the last time are not used. Its weights are damaged."
    assert choices.fall_back(BciError("The same with others.")) is None
    choices.begin(FRESH)
    choices.redraw(FRESH, MagicMock())  # other than usual, as it was chosen the last time
    assert choices.problem  # it stays until something is chosen
    choices.draw(DrawingChoice(averaged=2))
    assert choices.problem == ""
    assert Choices(FRESH).recall(FRESH) == FRESH
