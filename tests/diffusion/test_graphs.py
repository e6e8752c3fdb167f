"""Drawn as on CUDA, in half precision and by graphs that overwrite what they gave: the same pictures as without graphs."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from bci_live.config import DiffusionConfig
from bci_live.diffusion.memory import is_of_memory
from bci_live.diffusion.pipeline import load_pipeline
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.errors import DiffusionError
from bci_live.types import Decoding
from tests.diffusion.made_up_cuda import made_up_cuda

CPU = torch.device("cpu")
TOKENS = 8
SCHEDULERS = {
    "DDIMScheduler": {},
    "EulerDiscreteScheduler": {},
    "EulerAncestralDiscreteScheduler": {},
    "LCMScheduler": {},
    # Keeps what the network predicted as it is, until its next step.
    "DPMSolverMultistepScheduler": {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"},
}


def _half(folder: Path, scheduler: str = "DDIMScheduler") -> DiffusionReconstructor:
    pipeline = load_pipeline(folder, CPU)
    pipeline.unet.to(torch.bfloat16)
    pipeline.vae.to(torch.bfloat16)
    settings = {"beta_schedule": "scaled_linear", "timestep_spacing": "trailing", "prediction_type": "epsilon"}
    pipeline.scheduler = getattr(diffusers, scheduler)(**settings, **SCHEDULERS[scheduler])
    return DiffusionReconstructor(pipeline, "half", DiffusionConfig(steps=4, strength=1.0), lambda: 0.0)


def _pictures(reconstructor: DiffusionReconstructor, decoding: Decoding) -> list[np.ndarray]:
    return [it.image for it in reconstructor.reconstruct(decoding, seed=3)]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_graphs_draw_in_half_precision_what_the_networks_draw(
    exported: Path, decoding: Decoding, scheduler: str
) -> None:
    with made_up_cuda():
        captured = _half(exported, scheduler)
        captured.warm_up(TOKENS)
        first, again = _pictures(captured, decoding), _pictures(captured, decoding)
    captured.engine.denoise._fast.clear()
    called = _pictures(captured, decoding)
    assert len(first) == 4
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[-1], called[-1])


def test_what_cannot_be_captured_is_drawn_without_a_graph_and_told(
    exported: Path, decoding: Decoding, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def refuses(*_: object, **__: object) -> Any:
        raise RuntimeError("operation not permitted when stream is capturing\nand how to find out more")
        yield

    with made_up_cuda(refuses) as set_stream, caplog.at_level(logging.WARNING):
        reconstructor = _half(exported)
        reconstructor.warm_up(TOKENS)
    assert len(_pictures(reconstructor, decoding)) == 4
    told = [it.message for it in caplog.records if it.name.startswith("bci_live")]
    why = "operation not permitted when stream is capturing"
    assert told[0] == f"A network cannot be captured as a CUDA graph, which takes longer: {why}"
    # The stream of a capture that failed is left.
    assert set_stream.called


def test_memory_that_lacks_in_a_capture_is_told_as_that(exported: Path) -> None:
    @contextmanager
    def spoilt(*_: object, **__: object) -> Any:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        finally:
            # As `torch.cuda.graph` does where the capture's end fails, too.
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")
        yield

    with made_up_cuda(spoilt), pytest.raises(DiffusionError, match="Choose a smaller pipeline, or --device cpu"):
        _half(exported).warm_up(TOKENS)


@pytest.mark.parametrize(
    ("told", "lacks"),
    [
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", True),
        ("cuDNN error: CUDNN_STATUS_ALLOC_FAILED", True),
        ("GET was unable to find an engine to execute this computation", True),
        ("CUDA error: out of memory", True),
        ("CUDA error: an illegal memory access was encountered", False),
    ],
)
def test_a_lack_of_memory_is_known_by_what_the_libraries_say(told: str, lacks: bool) -> None:
    assert is_of_memory(RuntimeError(told)) == lacks
