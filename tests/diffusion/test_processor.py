"""Networks compiled for the processor give the same numbers, tell nobody, and give way where they cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bci_live.diffusion import processor
from bci_live.diffusion.fixed_shapes import FixedShapes


class Attends(nn.Module):
    """Convolution, group norm and attention, as a UNet has them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 8, 3, padding=1), nn.GroupNorm(2, 8)
        self.project = nn.Linear(8, 24)

    def forward(self, latents: Tensor, moments: Tensor) -> Tensor:
        mixed = self.norm(torch.nn.functional.silu(self.conv(latents + moments[:, None, None, None])))
        tokens = mixed.flatten(2).transpose(1, 2)
        query, key, value = self.project(tokens).chunk(3, dim=2)
        attended: Tensor = torch.nn.functional.scaled_dot_product_attention(query, key, value)
        return attended


def some_inputs() -> tuple[Tensor, Tensor]:
    return torch.randn(1, 4, 8, 8).contiguous(memory_format=torch.channels_last), torch.tensor([3])


def test_it_computes_the_same_and_tells_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    import openvino_telemetry

    def told(*_: object, **__: object) -> None:
        raise AssertionError("something was sent")

    for name in ("__init__", "init", "send_event", "start_session"):
        monkeypatch.setattr(openvino_telemetry.Telemetry, name, told)
    used: list[bool] = []
    compile_it = processor.compiled

    def seen(*arguments: Any) -> Any:
        made = compile_it(*arguments)
        used.append(True)
        return made

    monkeypatch.setattr(processor, "compiled", seen)
    network = Attends()
    fast = FixedShapes(network)
    fast.prepare(*some_inputs())
    assert used == [True]
    with torch.inference_mode():
        for _ in range(3):
            inputs = some_inputs()
            torch.testing.assert_close(fast(*inputs), network(*inputs), rtol=1e-4, atol=1e-5)


def test_where_it_cannot_compile_pytorch_runs_the_network(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("Operation aten::dream is not known.\nA long list follows.")

    monkeypatch.setattr(processor, "can_compile", lambda _: True)
    monkeypatch.setattr(processor, "compiled", refuse)
    network, inputs = Attends(), some_inputs()
    fast = FixedShapes(network)
    fast.prepare(*inputs)
    with torch.inference_mode():
        torch.testing.assert_close(fast(*inputs), network(*inputs))
    assert [record.getMessage() for record in caplog.records] == [
        "OpenVINO cannot compile a network, so PyTorch runs it: Operation aten::dream is not known."
    ]


def test_it_is_for_small_networks_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):
        large = nn.Linear(20_000, 20_000)
    assert not processor.can_compile(large)
    monkeypatch.setattr(processor.importlib.util, "find_spec", lambda _: None)
    assert not processor.can_compile(Attends())


# OpenVINO 2026.4.1 crashed on this, in `compile_model`, and took the whole program with it.
_SCALED = """
import torch
from bci_live.diffusion import processor
from bci_live.training.diffusion import DiffusionTraining, build_unet

unet = build_unet(DiffusionTraining(widths=(16, 32)), 16, 32).eval()

class Alone(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.unet = unet

    def forward(self, latents, moment, prompt):
        return self.unet(latents, moment, prompt, return_dict=False)[0]

inputs = torch.randn(1, 8, 16, 16), torch.tensor([499]), torch.randn(1, 8, 32)
with torch.no_grad():
    alone = Alone().eval()
    traced = torch.jit.trace(alone, inputs, check_trace=False)
    torch.testing.assert_close(processor.compiled(alone, traced, inputs)(*inputs), traced(*inputs), rtol=1e-3, atol=1e-4)
"""


@pytest.mark.parametrize("instructions", ["all there are", "AVX2"])
def test_a_unet_whose_blocks_are_scaled_is_compiled(instructions: str) -> None:
    pytest.importorskip("openvino")
    limited = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"} if instructions == "AVX2" else {}
    ended = subprocess.run(
        [sys.executable, "-c", _SCALED],
        env=os.environ | limited,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
