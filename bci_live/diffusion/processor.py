"""A network compiled for the processor by OpenVINO: about two thirds of the time of PyTorch's own kernels, the same numbers."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

# Larger ones are for GPUs: compiled, a network is in memory a second time.
_MOST_WEIGHTS = 100_000_000


def can_compile(network: nn.Module) -> bool:
    """Whether OpenVINO is here, and the network is small enough for it to pay."""
    small = sum(weight.numel() for weight in network.parameters()) <= _MOST_WEIGHTS
    return small and importlib.util.find_spec("openvino") is not None


def compiled(network: nn.Module, traced: Any, inputs: tuple[Tensor, ...]) -> Callable[..., Tensor]:
    """What was traced of the network (`torch.jit.trace`), for inputs of these shapes; it takes a second or two.

    By way of OpenVINO's own reader of traces: its `convert_model` tells its maker of each call.

    Raises
    ------
    RuntimeError
        If it has operations that OpenVINO does not know.
    """
    import openvino
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    reader = FrontEndManager().load_by_framework("pytorch")
    graph = TorchScriptPythonDecoder(traced, example_input=inputs)  # held, because the reader only borrows it
    model = reader.convert(reader.load(graph))
    model.reshape({place: openvino.PartialShape(list(it.shape)) for place, it in enumerate(inputs)})
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,  # the live threads need the same cores
    }
    if any(getattr(block, "time_embedding_norm", "") == "scale_shift" for block in network.modules()):
        # OpenVINO 2026.4.1 crashes where it generates code for a scale that is computed. Without that code a UNet takes 6 to
        # 25 % longer, so others keep it.
        settings["SNIPPETS_MODE"] = "DISABLE"
    ready = openvino.Core().compile_model(model, "CPU", settings)

    def run(*inputs: Tensor) -> Tensor:
        # A request of its own, which takes 0.1 ms: one thread may draw while another warms up.
        results = ready.create_infer_request().infer([it.contiguous().numpy() for it in inputs], share_inputs=True)
        return torch.from_numpy(results[0])

    return run
