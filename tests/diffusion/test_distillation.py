"""The student learns where the teacher arrives."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn

from bci_live.training.denoising import DiffusionLoss, LatentSet
from bci_live.training.diffusion import build_scheduler
from bci_live.training.distillation import DistillationLoss

CPU = torch.device("cpu")
SCHEDULER = build_scheduler()
PICTURE = torch.randn(8, 16, 16, generator=torch.Generator().manual_seed(1))
DATA = LatentSet(PICTURE.repeat(6, 1, 1, 1), torch.tensor([0, 1, 0, 1, 0, 1]), torch.zeros(2, 8, 4), catalogue=2)


class Draws(nn.Module):
    """A network that always draws the same picture, from whatever noise: v = (α x − picture) / σ."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.picture = nn.Parameter(picture)

    def forward(self, noisy: Tensor, timesteps: Tensor, _: Tensor) -> SimpleNamespace:
        share = SCHEDULER.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
        return SimpleNamespace(sample=(share.sqrt() * noisy - self.picture) / (1 - share).sqrt())


def test_the_teacher_arrives_at_its_picture_from_every_timestep() -> None:
    lesson = DistillationLoss(DiffusionLoss(DATA, SCHEDULER, 4, 0, CPU), Draws(PICTURE), SCHEDULER, CPU)
    noisy = torch.randn(4, 8, 16, 16, generator=torch.Generator().manual_seed(2))
    arrived = lesson.walk(noisy, torch.tensor([999, 749, 249, 60]), torch.zeros(4, 8, 4))
    torch.testing.assert_close(arrived, PICTURE.expand(4, -1, -1, -1), atol=1e-3, rtol=1e-3)


def test_a_student_that_arrives_there_at_once_has_nothing_to_learn_and_another_has() -> None:
    lesson = DistillationLoss(DiffusionLoss(DATA, SCHEDULER, 4, 0, CPU), Draws(PICTURE), SCHEDULER, CPU)
    assert lesson(Draws(PICTURE), 0).item() < 1e-5
    other = Draws(torch.zeros_like(PICTURE))
    loss = lesson(other, 0)
    assert loss.item() > 0.1
    loss.backward()
    assert other.picture.grad is not None
    assert float((other.picture.grad * PICTURE).sum()) < 0  # a step downhill is one towards the teacher's picture
