"""What is fetched of a repository that is partly in the cache, damaged there, too large for the disk, or of another kind."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants, file_download

from bci_live.diffusion import hub_files
from bci_live.diffusion.hub import download, hub_of
from bci_live.diffusion.pipeline import load_pipeline, pipeline_folder
from bci_live.diffusion.text import embed
from bci_live.errors import DiffusionError
from tests.diffusion.hub_server import HubServer

CPU = torch.device("cpu")
NAME = "someone/large-sd"
WEIGHTS = "unet/diffusion_pytorch_model.fp16.safetensors"
MIB = 2**20
# More than what is fetched by the library itself; TAESD has 10 MB.
SIZE = 14 * MIB


class Usage(NamedTuple):
    """Of a disk, as `shutil.disk_usage` tells it."""

    total: int
    used: int
    free: int


@pytest.fixture
def cache(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this process, whose hub also has a repository with large weights; the repository's folder in it."""
    large = Path(shutil.copytree(hub.root / "someone" / "small-sd", hub.root / NAME))
    (large / WEIGHTS).write_bytes(bytes(SIZE))
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    huggingface_hub.close_session()
    return tmp_path / "cache" / "models--someone--large-sd"


@pytest.fixture
def told() -> list[str]:
    return []


def leave_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(hub_files.shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))


def blob_of(cache: Path, file: Path) -> Path:
    return cache / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()


def spoil(file: Path) -> None:
    """Other content of the same size."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(DiffusionError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(("kind", "network"), [("StableDiffusionXLPipeline", "unet"), ("FluxPipeline", "transformer")])
def test_another_kind_of_pipeline_is_refused_before_its_weights_are_fetched(
    hub: HubServer, cache: Path, told: list[str], kind: str, network: str
) -> None:
    repo = hub.root / NAME
    index = json.loads((repo / "model_index.json").read_text())
    (repo / "model_index.json").write_text(json.dumps(index | {"_class_name": kind}))
    (repo / "unet").rename(repo / network)
    reason = refused(lambda: download(NAME, told.append))
    assert f"{NAME} cannot be used: it is a {kind}" in reason
    assert "What can be used is Stable Diffusion 1 and 2 and their latent consistency models" in reason
    assert hub.fetched() == {"model_index.json"}
    # Nor is what lies in the cache now taken for something that only has to be fetched wholly.
    assert "cannot be used" in refused(lambda: pipeline_folder(NAME))


def test_only_what_is_left_has_to_fit_on_the_disk(
    hub: HubServer, cache: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A try of before ended 2 MiB before the end. 11 MB are less than the weights have, and TAESD fits in them.
    blob = blob_of(cache, hub.root / NAME / WEIGHTS)
    blob.parent.mkdir(parents=True)
    blob.with_name(f"{blob.name}.part").write_bytes(bytes(SIZE - 2 * MIB))
    leave_free(monkeypatch, 11_000_000)
    folder = download(NAME, told.append)
    assert (folder / WEIGHTS).read_bytes() == bytes(SIZE)
    assert [wanted for _, path, wanted in hub.asked if wanted and "/unet/" in path] == [f"bytes={SIZE - 2 * MIB}-"]
    leave_free(monkeypatch, 0)
    assert download(NAME, told.append) == folder
    assert "of which 0.00 GB are to be fetched" in told[-1]


def test_too_small_a_disk_is_told_with_what_is_missing_and_not_as_a_bad_connection(
    hub: HubServer, cache: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_free(monkeypatch, 3_000_000)
    reason = refused(lambda: download(NAME, told.append))
    # 14 MiB of weights are 14.7 MB; all else is 1.1 MB.
    assert f"{NAME} needs 16 MB more, and {cache.parent} has 3 MB left. Free some, or set HF_HOME" in reason
    assert "connection" not in reason
    assert hub.fetched() == {"model_index.json"}


def test_a_disk_that_gets_full_is_told_so_and_the_download_goes_on_where_it_was(
    hub: HubServer, cache: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def filling(url: str, target: Any, **settings: Any) -> None:
        if WEIGHTS not in url:
            return fetch(url, target, **settings)
        target.write(bytes(5 * MIB))
        raise OSError(errno.ENOSPC, "No space left on device")

    fetch = file_download.http_get
    with monkeypatch.context() as full:
        full.setattr(file_download, "http_get", filling)
        reason = refused(lambda: download(NAME, told.append))
    assert f"{NAME} does not fit: {cache.parent} has no room left. Free some, or set HF_HOME" in reason
    assert "connection" not in reason
    download(NAME, told.append)
    assert [wanted for _, path, wanted in hub.asked if wanted and "/unet/" in path] == [f"bytes={5 * MIB}-"]


@pytest.mark.parametrize("links", [True, False])
def test_what_is_damaged_in_the_cache_is_fetched_anew_and_nothing_else(
    hub: HubServer, cache: Path, told: list[str], monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_SYMLINKS", not links)
    folder = download(NAME, told.append)
    assert (folder / WEIGHTS).is_symlink() == links
    spoil(folder / WEIGHTS)
    (folder / "vae" / "config.json").write_text("{")
    hub.asked.clear()
    told.clear()
    assert download(NAME, told.append) == folder
    assert [text.split(" is damaged")[0] for text in told if "fetched anew" in text] == [
        f"{NAME}: {WEIGHTS}", f"{NAME}: vae/config.json",
    ]  # fmt: skip
    # Without links the library keeps the large content twice, and copies the one to the other.
    assert hub.fetched() == ({WEIGHTS, "vae/config.json"} if links else {"vae/config.json"})
    for file in (WEIGHTS, "vae/config.json"):
        assert (folder / file).read_bytes() == (hub.root / NAME / file).read_bytes()


def test_a_part_that_is_longer_than_the_file_is_begun_anew(hub: HubServer, cache: Path, told: list[str]) -> None:
    blob = blob_of(cache, hub.root / NAME / WEIGHTS)
    blob.parent.mkdir(parents=True)
    blob.with_name(f"{blob.name}.part").write_bytes(bytes(SIZE + 1))
    assert (download(NAME, told.append) / WEIGHTS).read_bytes() == bytes(SIZE)


def test_what_is_half_fetched_names_the_command_that_fetches_the_rest(cache: Path, told: list[str]) -> None:
    folder = download(NAME, told.append)
    assert pipeline_folder(NAME) == folder
    (folder / WEIGHTS).resolve().unlink()
    reason = refused(lambda: load_pipeline(NAME, CPU))
    assert "its part 'unet' has no weights. Get the rest: bci-live download someone/large-sd" in reason
    assert "train-diffusion" not in reason
    download(NAME, told.append)
    assert pipeline_folder(NAME) == folder


@pytest.mark.parametrize("harm", ["model_index.json", "scheduler", "unet"])
def test_what_is_damaged_in_the_cache_names_the_command_that_mends_it(cache: Path, told: list[str], harm: str) -> None:
    folder = download(NAME, told.append)
    if harm == "unet":
        spoil(folder / WEIGHTS)  # zeros to begin with: no safetensors
    elif harm == "scheduler":
        shutil.rmtree(folder / harm)
    else:
        (folder / harm).write_text("{")
    reason = refused(lambda: load_pipeline(NAME, CPU))
    assert "Get it anew: bci-live download someone/large-sd" in reason
    assert "train-diffusion" not in reason


def test_a_damaged_text_encoder_of_the_hub_names_the_download(cache: Path, told: list[str]) -> None:
    folder = download(NAME, told.append)
    next((folder / "text_encoder").glob("*.safetensors")).write_bytes(b"rubbish")
    assert "Get it anew: bci-live download someone/large-sd" in refused(lambda: embed(folder, ["An image of a dog"]))


def test_only_a_folder_of_the_hubs_cache_is_of_the_hub(tmp_path: Path) -> None:
    assert hub_of(tmp_path / "models--some-one--small.sd" / "snapshots" / "c0ffee") == "some-one/small.sd"
    assert hub_of(tmp_path / "models--some-one--small.sd" / "c0ffee") is None
    assert hub_of(Path("models/diffusion-demo")) is hub_of(tmp_path) is None
