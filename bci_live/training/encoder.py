"""Trains the EEG encoder and the label layer on it, for the objective that the configuration names."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bci_live.config import ObjectiveConfig, TrainingConfig
from bci_live.decoding.card import DecoderCard
from bci_live.decoding.decoder import DecoderNetwork
from bci_live.decoding.encoder import LabelLayer, make_encoder
from bci_live.training.loop import follow
from bci_live.training.objective import Objective
from bci_live.training.patterns import spatial_whitener
from bci_live.training.processes import Processes
from bci_live.types import FloatArray

Report = Callable[[float, str], None]
# Weights are averaged over about twenty steps, at the beginning over fewer: training ends, where few trials are to be read,
# while steps are still long, and leaves the weights to one side or another of where they should be.
_AVERAGE_DECAY = 0.95


@dataclass(frozen=True, slots=True)
class EncoderTraining:
    """What the training can be told.

    `encoder`, `objective`, `subject_layer`: see `TrainingConfig`. `passes`: over the data, at most; `patience`: after so many without an
    improvement it ends. `shift_share`: the most by which a trial is shifted, of its window.
    """

    encoder: str = TrainingConfig().encoder
    objective: ObjectiveConfig = TrainingConfig().objective
    subject_layer: bool = TrainingConfig().subject_layer
    passes: int = 30
    patience: int = 5
    batch: int = 64
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    shift_share: float = 0.025
    noise: float = 0.1


@dataclass(frozen=True, slots=True)
class Setup:
    """What every encoder of one decoder is trained with.

    `captions`: (labels, tokens, width), of the card's labels. `known`: another person's decoder to begin from, of the same sizes.
    """

    card: DecoderCard
    captions: Tensor
    settings: EncoderTraining
    seed: int
    processes: Processes
    known: DecoderNetwork | None = None


class EncoderWithLabels(nn.Module):
    """The encoder and its label layer."""

    def __init__(self, card: DecoderCard) -> None:
        super().__init__()
        self.encoder = make_encoder(card)
        self.labels = LabelLayer(card.sizes.feature, len(card.labels))

    @torch.inference_mode()
    def read(self, data: FloatArray, whose: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """(n, channels, times) of the subjects (n,) → features (n, feature) and logits (n, labels), on the CPU."""
        self.eval()
        device = self.encoder.whitener.device
        parts = zip(torch.from_numpy(data).split(256), torch.from_numpy(whose).split(256), strict=True)
        features = torch.cat([self.encoder(part.to(device), of.to(device)) for part, of in parts])
        return features.cpu(), self.labels(features).cpu()


def train_encoder(
    data: FloatArray, labels: NDArray[np.int64], whose: NDArray[np.int64], setup: Setup, report: Report
) -> Iterator[EncoderWithLabels]:
    """Yield the network after each pass over the data, the same object, for the caller to look at or to stop.

    It has the average of the weights that the last steps had.

    Parameters
    ----------
    data : (n, channels, times), µV
    labels : (n,), index into the card's labels
    whose : (n,), index into the card's subjects, if it has any
    """
    settings, processes, device = setup.settings, setup.processes, setup.processes.device
    torch.manual_seed(setup.seed)
    network = EncoderWithLabels(setup.card)
    if setup.known is not None:
        network.encoder.load_state_dict(setup.known.encoder.state_dict())
        network.labels.load_state_dict(setup.known.labels.state_dict())
    network.encoder.whitener.copy_(torch.from_numpy(spatial_whitener(data, labels)))
    objective = Objective(settings.objective, setup.card.sizes.feature, setup.captions)
    network.to(device)
    objective.to(device)
    average, step = copy.deepcopy(network), 0
    rng = processes.diverge(setup.seed)
    learned = [*network.parameters(), *objective.parameters()]
    steps = max(1, len(data) // (settings.batch * processes.count))
    optimizer = torch.optim.AdamW(learned, settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.passes * steps
    )
    targets, subjects = torch.from_numpy(labels).to(device), torch.from_numpy(whose).to(device)
    white = torch.cat([network.encoder.whiten(part.to(device)) for part in torch.from_numpy(data).split(256)])
    for number in range(settings.passes):
        network.train()
        for _ in range(steps):
            chosen = torch.from_numpy(balanced_batch(labels, settings.batch, rng)).to(device)
            with processes.autocast():
                feature = network.encoder.read(augment(white[chosen], settings), subjects[chosen])
            loss, terms = objective(feature.float(), network.labels, targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            processes.average_gradients(learned)
            optimizer.step()
            schedule.step()
            step += 1
            follow(average, network, min(_AVERAGE_DECAY, (1 + step) / (10 + step)))
        processes.average_buffers(average)
        told = ", ".join(f"{name} {term.item():.3f}" for name, term in terms.items())
        report((number + 1) / settings.passes, told)
        random = torch.get_rng_state()
        yield average
        torch.set_rng_state(random)  # whatever was drawn meanwhile, by other folds for instance


def balanced_batch(labels: NDArray[np.int64], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of a batch with equally many trials (at least four) of each of its labels."""
    different = np.unique(labels)
    chosen = rng.permutation(different)[: max(2, size // 4)]
    each = size // len(chosen)
    return np.concatenate([rng.choice(np.flatnonzero(labels == label), each) for label in chosen])


def augment(batch: Tensor, settings: EncoderTraining) -> Tensor:
    """A little earlier or later (edges repeated), larger or smaller, noisier: white (n, channels, times) → the same."""
    count, channels, length = batch.shape
    device = batch.device
    most = round(settings.shift_share * length)
    shifts = torch.randint(-most, most + 1, (count, 1), device=device)
    places = (torch.arange(length, device=device)[None] + shifts).clamp(0, length - 1)
    shifted = batch.gather(2, places[:, None].expand(-1, channels, -1))
    gain = 1 + settings.noise * torch.randn(count, 1, 1, device=device)
    return shifted * gain + settings.noise * torch.randn(shifted.shape, device=device)
