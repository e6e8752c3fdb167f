"""A diffusion pipeline with random weights, as small as diffusers lets it be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny

from bci_live.diffusion.hub import TINY_DECODER
from bci_live.stimuli.captions import CaptionBank
from bci_live.training.autoencoder import build_autoencoder
from bci_live.training.diffusion import DiffusionTraining, build_scheduler, build_unet
from bci_live.training.export import export_pipeline
from bci_live.types import Decoding, Epoch, Marker
from tests.diffusion.hub_server import HubServer, serving
from tests.diffusion.stable_diffusion import save_stable_diffusion

WIDTH = 32
TINY = DiffusionTraining(renderings=80, batch=4, widths=(16, 32), max_steps=3)


def random_bank(labels: tuple[str, ...] = ("dog", "cat")) -> CaptionBank:
    """Embeddings of 8 tokens, 32 wide."""
    embeddings = np.random.default_rng(0).standard_normal((len(labels), 8, WIDTH)).astype(np.float32)
    return CaptionBank(labels, embeddings, tuple(f"An image of a {label}" for label in labels))


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny pipeline; not to be changed."""
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("pipelines") / "tiny"
    unet = build_unet(TINY, 16, WIDTH)
    export_pipeline(out, build_autoencoder(8), unet, build_scheduler(), random_bank(), {})
    return out


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(exported, tmp_path / "tiny"))


@pytest.fixture
def decoding() -> Decoding:
    """What a decoder could have read, without a latent."""
    rng = np.random.default_rng(1)
    marker = Marker("dog", 10.0)
    epoch = Epoch(np.zeros((4, 200), np.float32), 10.0, marker, 11.0, 11.0)
    saliency = rng.random((32, 32, 3)).astype(np.float32)
    return Decoding(saliency, random_bank().embedding("dog"), None, {"dog": 0.7, "cat": 0.3}, epoch, 11.1)


@pytest.fixture(scope="session")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two repositories, the one with all that hubs have besides."""
    root = tmp_path_factory.mktemp("hub")
    repo = save_stable_diffusion(root / "someone" / "small-sd", half=True)
    for file in ("unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.bin", "sd.safetensors",
                 "safety_checker/model.safetensors", "README.md", "unet/trap.py"):  # fmt: skip
        (repo / file).parent.mkdir(exist_ok=True)
        (repo / file).write_bytes(b"not wanted")
    AutoencoderTiny().save_pretrained(root / TINY_DECODER)
    (root / TINY_DECODER / "taesd_decoder.pth").write_bytes(b"not wanted")
    return root


@pytest.fixture
def hub(repositories: Path, tmp_path: Path) -> Iterator[HubServer]:
    """A hub with these; a test may add to it."""
    with serving(Path(shutil.copytree(repositories, tmp_path / "repositories"))) as server:
        yield server
