"""Two processes that `accelerate launch` starts train one decoder together, on the CPU (gloo)."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bci_live.decoding.storage import read_card
from bci_live.training.processes import Processes
from tests.training.test_decoder import auc_on, session

ROOT = Path(__file__).resolve().parents[2]
# What each process runs: an encoder whose weights and first random number it tells, then a whole decoder.
PROGRAM = """
import hashlib, json, sys
from pathlib import Path
import numpy as np, torch
from safetensors.torch import save
from bci_live.training.encoder import EncoderTraining, Setup, train_encoder
from bci_live.training.processes import join
from tests.training.test_encoders import card_of
from tests.training.test_resume import train
folder, *sessions = map(Path, sys.argv[1:])
processes, rng = join("cpu"), np.random.default_rng(0)
data, labels = rng.normal(0, 5, (64, 4, 70)).astype(np.float32), np.arange(64) % 2
setup = Setup(card_of("nice"), torch.zeros(2, 1, 1), EncoderTraining(passes=3, batch=16), 0, processes)
*_, network = train_encoder(data, labels, np.zeros_like(labels), setup, lambda *_: None)
weights = hashlib.sha256(save(network.state_dict())).hexdigest()
told = {"rank": processes.rank, "count": processes.count, "weights": weights, "random": torch.rand(1).item()}
train(sessions, folder / "decoder")
(folder / f"rank-{processes.rank}.json").write_text(json.dumps(told))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.timeout(400)
def test_two_processes_have_the_same_weights_from_other_batches_and_write_one_decoder(tmp_path: Path) -> None:
    sessions = [session(tmp_path / f"run-{seed}.xdf", seed) for seed in (1, 2)]
    (tmp_path / "program.py").write_text(PROGRAM)
    # With --cpu alone, accelerate starts two processes through MPI only.
    done = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
         "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", str(free_port()),
         str(tmp_path / "program.py"), str(tmp_path), *map(str, sessions)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"rank-{rank}.json").read_text()) for rank in (0, 1))
    assert first["count"] == second["count"] == 2
    assert first["weights"] == second["weights"]
    assert first["random"] != second["random"]
    assert done.stderr.count("runs left out in turn") == 1  # told by the main process alone
    assert not (tmp_path / ".decoder.training").exists()
    assert auc_on(tmp_path / "decoder", session(tmp_path / "new.xdf", 9)) > 0.9


@pytest.mark.timeout(300)
def test_the_command_itself_runs_in_two_processes_and_tells_once(tmp_path: Path) -> None:
    sessions = [session(tmp_path / f"run-{seed}.xdf", seed) for seed in (1, 2)]
    done = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
         "--main_process_port", str(free_port()), "-m", "bci_live", "train", *map(str, sessions),
         "--out", str(tmp_path / "decoder"), "--device", "cpu", "--band", "1-30", "--saliency", "steps=20"],
        cwd=ROOT, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("The decoder is in") == 1
    assert read_card(tmp_path / "decoder").scores["auc"] > 0.9  # of sessions left out


def test_alone_nothing_is_averaged_and_the_cpu_keeps_its_bits() -> None:
    alone = Processes(torch.device("cpu"))
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([1.0, 2.0])
    alone.average_gradients([weight])
    assert weight.grad.tolist() == [1, 2]
    assert alone.mean(0.1) == 0.1
    with alone.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
