"""The student is judged as a picture: by what tells objects apart, and by a discriminator."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
import torch
from torch import Tensor, nn

from bci_live.errors import DiffusionError
from bci_live.training import sharpening
from bci_live.training.denoising import DiffusionLoss, LatentSet
from bci_live.training.diffusion import build_scheduler
from bci_live.training.latent_features import LatentFeatures, trained_features
from bci_live.training.sharpening import SharpeningLoss

CPU = torch.device("cpu")
SCHEDULER = build_scheduler()
SIDE = 16


def stripes(labels: Tensor, places: Tensor) -> Tensor:
    """(n, 8, 16, 16), beginning at each one's place: stripes across for label 0, down for label 1, both for what is neither."""
    phase = (torch.arange(SIDE)[None] + places[:, None]) % 4 < 2
    across = (phase.float()[:, None, :, None] * 2 - 1).expand(-1, 8, -1, SIDE)
    down, label = across.transpose(2, 3), labels[:, None, None, None]
    return torch.where(label == 0, across, torch.where(label == 1, down, across * down)).contiguous()


PLACES = torch.randint(4, (403,), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def data() -> LatentSet:
    """Two labels of the catalogue, and one of others; the last three latents are one of each."""
    labels = torch.cat((torch.arange(400) % 3, torch.arange(3)))
    return LatentSet(stripes(labels, PLACES), labels, torch.eye(3)[:, None].repeat(1, 8, 1), catalogue=2)


@pytest.fixture(scope="module")
def layouts() -> Tensor:
    """The size is what tells the place of the stripes."""
    rows = torch.zeros(400, 11)
    rows[:, :2] = 0.5
    rows[:, 2] = 0.67 + 0.17 * (PLACES[:400] - 1.5)
    return rows


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="module")
def features(data: LatentSet, layouts: Tensor, kept: Path) -> LatentFeatures:
    return trained_features(data, layouts, kept, CPU)


class Draws(nn.Module):
    """A network that always draws the same picture, from whatever noise: v = (α x − picture) / σ."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.picture = nn.Parameter(picture)

    def forward(self, noisy: Tensor, timesteps: Tensor, _: Tensor) -> SimpleNamespace:
        share = SCHEDULER.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
        return SimpleNamespace(sample=(share.sqrt() * noisy - self.picture) / (1 - share).sqrt())


def lesson_of(data: LatentSet, features: LatentFeatures) -> SharpeningLoss:
    return SharpeningLoss(DiffusionLoss(data, SCHEDULER, 16, 0, CPU), features, data.embeddings, CPU)


def test_the_features_tell_labels_and_layouts_and_are_kept(
    data: LatentSet, layouts: Tensor, features: LatentFeatures, kept: Path
) -> None:
    logits, told = features(data.latents[:300])
    assert (logits.argmax(1) == data.labels[:300]).float().mean() > 0.95
    known = data.labels[:300] < 2  # where others lie is not asked
    size, wanted = told[known, 2], PLACES[:300][known] - 1.5
    assert torch.corrcoef(torch.stack((size, wanted)))[0, 1] > 0.8
    with patch.object(LatentFeatures, "forward", side_effect=AssertionError("trained again")):
        again = trained_features(data, layouts, kept, CPU)
        assert all(torch.equal(a, b) for a, b in zip(again.parameters(), features.parameters(), strict=True))
        with pytest.raises(AssertionError, match="trained again"):
            trained_features(data, 2 * layouts, kept, CPU)


def test_who_draws_the_picture_has_less_to_learn_than_who_draws_a_blur(features: LatentFeatures) -> None:
    picture = stripes(torch.zeros(6, dtype=torch.long), torch.zeros(6, dtype=torch.long))
    data = LatentSet(picture, torch.zeros(6, dtype=torch.long), torch.eye(2)[:1, None].repeat(1, 8, 1), catalogue=1)
    right, blurred = Draws(picture[0]), Draws(torch.zeros_like(picture[0]))
    lesson = lesson_of(data, features)
    assert lesson(right, 0).item() < 1e-3
    loss = lesson(blurred, 0)
    assert loss.item() > 0.1
    loss.backward()
    assert blurred.picture.grad is not None
    assert float((blurred.picture.grad * picture[0]).sum()) < 0  # a step downhill is one towards the picture


def test_the_discriminator_learns_to_tell_guesses_from_renderings_and_then_has_a_say(
    data: LatentSet, features: LatentFeatures, tmp_path: Path
) -> None:
    lesson, blurred = lesson_of(data, features), Draws(torch.zeros(8, SIDE, SIDE))
    prompts = data.embeddings[data.labels[:16]]
    blur = torch.zeros(16, 8, SIDE, SIDE)

    def apart() -> float:
        scores = (lesson.discriminator(it, features.maps(it), prompts) for it in (data.latents[:16], blur))
        real, drawn = (sum(float(score.detach().mean()) for score in of_each) / 4 for of_each in scores)
        return real - drawn

    def adversarial() -> float:
        """How much of the loss is that a blur is no rendering."""
        told = lesson(blurred, 0).item()
        with patch.object(sharpening, "_ADVERSARIAL", 0.0):
            return told - lesson(blurred, 0).item()

    with patch.object(sharpening, "_ALONE", 40), patch.object(sharpening, "_GROWS", 1):
        assert adversarial() == pytest.approx(0, abs=1e-3)  # it has learned nothing yet, and has no say
        for step in range(40):
            lesson(blurred, step)
        assert apart() > 0.5
        assert adversarial() > 0.01
    lesson.save(tmp_path / "discriminator.pt")
    before = apart()
    lesson = lesson_of(data, features)
    lesson.load(tmp_path / "nothing.pt")
    assert apart() < before
    lesson.load(tmp_path / "discriminator.pt")
    assert apart() == pytest.approx(before)
    again = tmp_path / "again.pt"
    lesson.save(again)
    kept, told = (torch.load(it, weights_only=True) for it in (tmp_path / "discriminator.pt", again))
    assert kept["optimizer"]["state"][0]["step"] == told["optimizer"]["state"][0]["step"] > 40
    assert kept["learned"] == told["learned"]


def test_a_discriminator_that_diverges_is_told_and_not_kept(data: LatentSet, features: LatentFeatures) -> None:
    lesson = lesson_of(data, features)
    with torch.no_grad():
        lesson.discriminator.caption.bias.fill_(float("nan"))
    with pytest.raises(DiffusionError, match=r"diverged.*--learning-rate"):
        lesson(Draws(torch.zeros(8, SIDE, SIDE)), 0)
