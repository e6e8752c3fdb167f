"""The real client of the hub against a hub of our own: what is fetched, when, and what is told where nothing can be."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderTiny
from huggingface_hub import constants

from bci_live.config import DiffusionConfig, bundled
from bci_live.diffusion.hub import hub_name, wanted_files
from bci_live.diffusion.pipeline import load_pipeline, pipeline_name
from bci_live.diffusion.reconstructor import DiffusionReconstructor
from bci_live.errors import DiffusionError
from tests.diffusion.hub_server import HubServer

CPU = torch.device("cpu")


def run(command: str, url: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`bci-live COMMAND` where the hub is at `url` and its cache at `home`."""
    told = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    told |= {"HF_ENDPOINT": url, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", "bci_live", *command.split()], capture_output=True, text=True, timeout=200,
        env=told | environment, check=False,
    )  # fmt: skip


def nobody() -> str:
    """An address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_only_what_is_needed_is_downloaded_and_then_the_hub_is_not_needed(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("download someone/small-sd", hub.url, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "someone/small-sd is in" in done.stdout
    assert hub.fetched() == {
        "model_index.json", "scheduler/scheduler_config.json", "config.json", "diffusion_pytorch_model.safetensors",
        *(f"{part}/config.json" for part in ("unet", "vae", "text_encoder")),
        *(f"{part}/diffusion_pytorch_model.fp16.safetensors" for part in ("unet", "vae")),
        "text_encoder/model.fp16.safetensors",
        *(f"tokenizer/{file.name}" for file in (hub.root / "someone/small-sd/tokenizer").iterdir()),
    }  # fmt: skip
    sent = len(hub.asked)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    pipeline = load_pipeline("someone/small-sd", CPU)
    assert type(pipeline.vae) is AutoencoderTiny
    assert pipeline_name("someone/small-sd") == "someone/small-sd"
    config = DiffusionConfig(pipeline="someone/small-sd", steps=2, strength=0.5, initial="grey")
    reconstructor = DiffusionReconstructor.load("someone/small-sd", CPU, config, clock=lambda: 0.0)
    reconstructor.warm_up(tokens=77)
    assert len(hub.asked) == sent
    again = run("download someone/small-sd", hub.url, tmp_path)
    assert again.returncode == 0
    assert not any("safetensors" in path for method, path, _ in hub.asked[sent:] if method == "GET")


def test_an_interrupted_download_goes_on_where_it_was(hub: HubServer, tmp_path: Path) -> None:
    large = hub.root / "someone" / "large-sd"
    shutil.copytree(hub.root / "someone" / "small-sd", large)
    # The client writes to the disk by 10 MiB; what came of the next when the connection broke is lost.
    (large / "unet" / "diffusion_pytorch_model.fp16.safetensors").write_bytes(bytes(14 * 2**20))
    hub.cut = 12 * 2**20
    broken = run("download someone/large-sd", hub.url, tmp_path)
    assert broken.returncode == 2
    assert "it goes on where it was" in broken.stderr
    assert "Traceback" not in broken.stderr
    hub.cut, hub.broken, before = None, False, len(hub.asked)
    done = run("download someone/large-sd", hub.url, tmp_path)
    assert done.returncode == 0, done.stderr
    ranges = {
        path.rsplit("/", 2)[1]: wanted for method, path, wanted in hub.asked[before:] if method == "GET" and wanted
    }
    assert ranges == {"unet": f"bytes={10 * 2**20}-"}
    blobs = tmp_path / "hub" / "models--someone--large-sd" / "blobs"
    assert bytes(14 * 2**20) in [blob.read_bytes() for blob in blobs.iterdir() if blob.stat().st_size == 14 * 2**20]
    assert not list(blobs.glob("*.part"))


def test_without_a_connection_and_offline_it_says_so(tmp_path: Path) -> None:
    unreachable = run("download sd-turbo", nobody(), tmp_path)
    assert unreachable.returncode == 2
    assert "stabilityai/sd-turbo could not be downloaded from the hub http://127.0.0.1" in unreachable.stderr
    assert "Traceback" not in unreachable.stderr
    offline = run("download sd-turbo", nobody(), tmp_path, HF_HUB_OFFLINE="1")
    assert offline.returncode == 2
    assert "HF_HUB_OFFLINE is set" in offline.stderr


def test_live_never_downloads_but_names_the_command_that_does(hub: HubServer, tmp_path: Path) -> None:
    session = f"--replay {bundled('recordings/demo.xdf')} --out {tmp_path / 'out'}"
    refused = run(f"live --headless --diffusion someone/small-sd {session}", hub.url, tmp_path)
    assert refused.returncode == 2
    assert "is not on this machine. Get it first, once: bci-live download someone/small-sd" in refused.stderr
    assert hub.asked == []


def test_what_the_hub_does_not_have_is_told(hub: HubServer, tmp_path: Path) -> None:
    absent = run("download someone/else", hub.url, tmp_path)
    assert absent.returncode == 2
    assert "has no someone/else" in absent.stderr
    assert "Traceback" not in absent.stderr


def test_a_path_is_no_hub_name(tmp_path: Path) -> None:
    assert hub_name("sd-turbo") == hub_name("stabilityai/sd-turbo") == "stabilityai/sd-turbo"
    assert hub_name("someone/small-sd") == "someone/small-sd"
    assert hub_name("models/diffusion-demo") is hub_name("one-word") is hub_name(str(tmp_path / "sd")) is None
    assert hub_name("../someone/small-sd") is None


def test_pickles_are_not_fetched() -> None:
    files = ["model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.bin"]
    with pytest.raises(DiffusionError, match="'unet' has no safetensors, and pickles are not read"):
        wanted_files(files)
    with pytest.raises(DiffusionError, match=r"no model_index\.json"):
        wanted_files(files[1:])


def test_without_the_tiny_decoder_the_pipelines_own_decodes_and_that_is_said(
    repositories: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    folder = Path(shutil.copytree(repositories / "someone" / "small-sd", tmp_path / "sd"))
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    assert type(load_pipeline(folder, CPU).vae).__name__ == "AutoencoderKL"
    assert "bci-live download madebyollin/taesd" in caplog.text
