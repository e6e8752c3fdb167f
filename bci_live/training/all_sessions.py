"""The encoder of all sessions, and what the same training scores with shuffled labels: here, or in the second process."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import torch

from bci_live.training.encoder import Setup, train_encoder
from bci_live.training.heads import Blend
from bci_live.training.preparation import TrainingSet
from bci_live.training.resume import Resume, Tensors, prefixed
from bci_live.training.second import Agree, Lost, Second, leave_if_orphaned
from bci_live.training.validation import Phase, shuffled_control


def train_on_all(
    examples: TrainingSet,
    setup: Setup,
    blend: Blend,
    passes: int,
    resume: Resume,
    phase: Phase,
    second: Second | None,
) -> Callable[[], Tensors]:
    """What gives them: `network.…`, the encoder with its label layer; `features`, (n, feature), of the examples; `control.…`, the scores.

    With a `second` process it trains them while this one goes on, and whoever asks waits for them. Else they are trained at once.
    """
    here = partial(_train, examples, setup, blend, passes, phase)
    if second is None or resume.recall("encoder") is not None:
        made = resume.once("encoder", here)
        return lambda: made
    task = second.begin(partial(_train_unseen, examples, setup, blend, passes, resume))

    def wait() -> Tensors:
        phase("encoder, all sessions: waiting for the second process")
        try:
            return task.result()
        except Lost:
            return resume.once("encoder", here)

    return wait


def _train_unseen(examples: TrainingSet, setup: Setup, blend: Blend, passes: int, resume: Resume, _: Agree) -> Tensors:
    """In the second process, which keeps what it made by itself: the first may be killed meanwhile."""
    unseen = partial(leave_if_orphaned, os.getppid())
    return resume.once("encoder", partial(_train, examples, setup, blend, passes, lambda _: lambda *_: unseen()))


def _train(examples: TrainingSet, setup: Setup, blend: Blend, passes: int, phase: Phase) -> Tensors:
    scores = shuffled_control(examples, setup, blend, passes, phase)
    networks = train_encoder(examples.data, examples.labels, examples.whose, setup, phase("encoder, all sessions"))
    trained = [member for member, _ in zip(networks, range(passes), strict=False)][-1]
    features, _ = trained.read(examples.data, examples.whose)
    controls = {name: torch.tensor(score, dtype=torch.float64) for name, score in scores.items()}
    return {"features": features} | prefixed("control", controls) | prefixed("network", trained.state_dict())
