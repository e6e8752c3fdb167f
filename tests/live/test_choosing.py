"""Other models are loaded: what was chosen of the drawing stays."""

from __future__ import annotations

from dataclasses import replace

from bci_live.config import DiffusionConfig, bundled
from bci_live.live.choosing import Choices
from bci_live.live.controls import DrawingChoice, ModelChoice
from bci_live.live.launcher import LiveRequest, load_models


def test_another_device_or_decoder_changes_nothing_of_how_pictures_are_drawn() -> None:
    request = LiveRequest(decoder=bundled("models/decoder-demo"), device="cpu")
    models = load_models(request, lambda _: None)
    choices = Choices(request)
    chosen = DrawingChoice(free_seed=True, averaged=3, every_s=1.5, anytime=False)
    choices.drawing = chosen
    choices.models = ModelChoice(request.decoder, DiffusionConfig().pipeline, "auto")
    taken, others = choices.load(request, models, lambda _: None)
    assert (taken.device, choices.problem) == ("auto", "")
    assert others is not models
    assert choices.drawing == replace(chosen, diffusion=taken.config.diffusion)
