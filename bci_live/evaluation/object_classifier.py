"""An independent judge of drawn pictures: a small network that names the object.

It learns from renderings of its own (another seed), never from what the diffusion model drew or was trained on.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from bci_live.stimuli.catalogue import Catalogue
from bci_live.training.renderings import Renderings, draw_renderings
from bci_live.types import Picture

_SEED = 9_001
_HELD_OUT_SEED = 9_002


class ObjectClassifier(nn.Module):
    """(n, 3, 64, 64) pictures in -1…1 → (n, labels) logits."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        widths = (3, 24, 48, 96, 128)
        blocks = [
            nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in itertools.pairwise(widths)
        ]
        self.features = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(widths[-1] * 16, labels))

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.head(self.features(pictures))
        return logits


def train_object_classifier(
    catalogue: Catalogue, count: int = 12_000, epochs: int = 8
) -> tuple[ObjectClassifier, float]:
    """Train on `count` renderings; returns the classifier and its accuracy on 2,000 held-out ones."""
    torch.manual_seed(_SEED)
    drawn = draw_renderings(catalogue, count, 64, _SEED)
    model = ObjectClassifier(len(catalogue.labels))
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    batch = 64
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=epochs * (count // batch))
    for _ in range(epochs):
        for picks in torch.randperm(count)[: count // batch * batch].view(-1, batch):
            pictures = _augmented(as_input(drawn.images[picks.numpy()]))
            targets = torch.from_numpy(drawn.labels[picks.numpy()].astype(np.int64))
            loss = functional.cross_entropy(model(pictures), targets, label_smoothing=0.05)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
    model.eval()
    return model, accuracy(model, draw_renderings(catalogue, 2_000, 64, _HELD_OUT_SEED))


def cached_object_classifier(catalogue: Catalogue, folder: Path) -> tuple[ObjectClassifier, float]:
    """As `train_object_classifier`, kept in `folder` for the next time."""
    file = folder / "object-classifier.safetensors"
    if file.exists():
        model = ObjectClassifier(len(catalogue.labels)).eval()
        model.load_state_dict(load_file(file))
        return model, accuracy(model, draw_renderings(catalogue, 2_000, 64, _HELD_OUT_SEED))
    model, held_out = train_object_classifier(catalogue)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), file)
    return model, held_out


def accuracy(model: ObjectClassifier, drawn: Renderings) -> float:
    """Share of the pictures that are named right."""
    return float((name_objects(model, drawn.images) == drawn.labels).mean())


@torch.inference_mode()
def name_objects(model: ObjectClassifier, images: Picture) -> np.ndarray:
    """(n, 64, 64, 3) → (n,) indices into the catalogue's labels."""
    parts = (as_input(images[first : first + 256]) for first in range(0, len(images), 256))
    return torch.cat([model(part).argmax(1) for part in parts]).numpy()


def as_input(images: Picture) -> Tensor:
    """(n, h, w, 3) uint8 → (n, 3, h, w) in -1…1."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def _augmented(pictures: Tensor) -> Tensor:
    """A little softness and noise, so that the judge goes by the shape and not by the sharpness."""
    if torch.rand(()) < 0.4:
        small = functional.avg_pool2d(pictures, 2)
        pictures = functional.interpolate(small, pictures.shape[-2:], mode="bilinear")
    return pictures + 0.08 * torch.rand(()) * torch.randn_like(pictures)
