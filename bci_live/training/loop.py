"""What both trainings share: the clock, the learning rate, the averaged weights, the progress bar, the checkpoints."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from bci_live.errors import DiffusionError
from bci_live.training import checkpoints

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """`minutes` is the whole training's length over all its runs; the learning rate falls to zero by then."""

    name: str
    minutes: float
    learning_rate: float
    warmup_steps: int = 100
    average_decay: float = 0.998
    clip: float = 1.0
    momentum: float = 0.9
    save_every_s: float = 120.0
    log_every: int = 25
    max_steps: int | None = None


def run_loop(
    model: Network,
    loss_at: Callable[[Network, int], Tensor],
    settings: LoopSettings,
    work: Path,
    on_save: Callable[[Network], None] | None = None,
) -> Network:
    """Minimise `loss_at(model, step)` for the given time and return the averaged weights.

    The loss draws its randomness from the step's number, so a resumed training sees what an unbroken one would.
    Interrupted (Ctrl-C), it saves a checkpoint before it passes the interruption on.
    """
    work.mkdir(parents=True, exist_ok=True)
    average = copy.deepcopy(model).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(settings.momentum, 0.99), weight_decay=0.01, fused=True)
    checkpoint = checkpoints.Checkpoint(work / settings.name)
    begun = checkpoint.load(model, average, optimizer)
    step, started = begun.step, time.monotonic() - begun.seconds
    saved = time.monotonic()
    threads = ThreadChooser()

    def save() -> None:
        checkpoint.save(checkpoints.Progress(step, time.monotonic() - started), model, average, optimizer)
        if on_save is not None:
            on_save(average)

    with _progress_bar() as bar:
        task = bar.add_task(settings.name, total=1.0, loss="")
        try:
            while (done := _share_done(settings, step, time.monotonic() - started)) < 1:
                threads.next_step(step)
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(settings, step, done)
                model.train()
                loss = loss_at(model, step)
                if not torch.isfinite(loss):
                    raise DiffusionError(
                        f"The training of '{settings.name}' diverged at step {step}: its loss is no number any more. "
                        "Run the same command again: it goes on from the last checkpoint."
                    )
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                step += 1
                follow(average, model, min(settings.average_decay, (1 + step) / (10 + step)))
                if step % settings.log_every == 0:
                    bar.update(task, completed=done, loss=f"loss {loss.item():.4f}")
                    _log(work / f"{settings.name}.jsonl", step, time.monotonic() - started, loss.item())
                if time.monotonic() - saved > settings.save_every_s:
                    save()
                    saved = time.monotonic()
        except (KeyboardInterrupt, SystemExit):
            save()
            raise
    save()
    return average


class ThreadChooser:
    """Finds out again and again whether all cores or half of them make the faster step.

    While other programs are busy, threads that wait for each other at every operation lose far more than the cores
    that they gain.
    """

    def __init__(self, every: int = 64, trials: int = 2) -> None:
        most = torch.get_num_threads()
        self._counts = (most, max(1, most // 2))
        self._every, self._trials = every, trials
        self._seconds: list[list[float]] = [[], []]
        self._began = time.monotonic()

    def next_step(self, step: int) -> None:
        """Call before each step: times the step before and sets the threads of the next."""
        now, turn = time.monotonic(), step % self._every
        if 0 < turn <= 2 * self._trials:
            self._seconds[(turn - 1) // self._trials].append(now - self._began)
        if turn == 0:
            self._seconds = [[], []]
        if turn % self._trials == 0 and turn <= 2 * self._trials:
            choice = turn // self._trials
            if choice == 2:
                choice = int(sum(self._seconds[1]) < sum(self._seconds[0]))
            torch.set_num_threads(self._counts[choice])
        self._began = time.monotonic()


def learning_rate(settings: LoopSettings, step: int, done: float) -> float:
    """A short linear warm-up, then half a cosine over the share of the time that is `done`."""
    return settings.learning_rate * min(1.0, (step + 1) / settings.warmup_steps) * 0.5 * (1 + math.cos(math.pi * done))


def _share_done(settings: LoopSettings, step: int, seconds: float) -> float:
    steps = step / settings.max_steps if settings.max_steps is not None else 0.0
    return min(1.0, max(seconds / (60 * settings.minutes), steps))


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Let an exponential average of weights and measured statistics take in the model's newest."""
    for ours, newest in ((average.parameters(), model.parameters()), (average.buffers(), model.buffers())):
        pairs = [(a, b) for a, b in zip(ours, newest, strict=True) if a.is_floating_point()]
        if pairs:
            torch._foreach_lerp_([a for a, _ in pairs], [b for _, b in pairs], 1 - decay)


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[loss]}")
    )


def _log(file: Path, step: int, seconds: float, loss: float) -> None:
    with file.open("a") as log:
        log.write(json.dumps({"step": step, "seconds": round(seconds, 1), "loss": round(loss, 5)}) + "\n")
