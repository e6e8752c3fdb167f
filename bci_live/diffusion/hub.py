"""Pipelines on the Hugging Face hub: downloaded when that is asked for, never otherwise; read from the hub's cache ever after."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from bci_live.config import KNOWN_PIPELINES, known_pipeline
from bci_live.errors import DiffusionError

# A decoder of 1.2 M parameters for the latents of all Stable Diffusions before XL.
TINY_DECODER = "madebyollin/taesd"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
# Bytes; a smaller file is no loss.
_LARGE = 8_000_000
_PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
_WITH_WEIGHTS = ("unet", "vae", "text_encoder")
_TEXTS = {".json", ".txt"}
_HALF = re.compile(r"\.fp16(-\d+-of-\d+)?\.safetensors$")
_FULL = re.compile(r"^(diffusion_pytorch_)?model(-\d+-of-\d+)?\.safetensors$")


def hub_name(name: str) -> str | None:
    """The hub name that a short name stands for; a hub name as it is; None of what is neither."""
    if known := known_pipeline(name):
        return known.hub
    # "models/diffusion-demo" is spelled like a hub name, too; a parent folder that exists tells that a path is meant.
    path = Path(name)
    looks_so = _HUB_NAME.fullmatch(name) and path.parts[0] != "models" and not path.parent.exists()
    return name if looks_so else None


def cached(hub: str, mark: str = "model_index.json") -> Path | None:
    """The folder in the hub's cache, if the repository was downloaded before; asks nobody."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(hub, mark)
    return Path(found).parent if isinstance(found, str) else None


def download(name: str, tell: Callable[[str], None]) -> Path:
    """Get a pipeline, and the tiny decoder for its latents, into the hub's cache; what is there already is not fetched again.

    Safetensors and settings alone, of the parts that are used, in half precision where the repository has that. What was
    interrupted goes on where it was.

    Parameters
    ----------
    name : a short name, or a name on the hub
    tell : is told in words what is being done; the library draws the bars

    Raises
    ------
    DiffusionError
        If the hub cannot be reached, has no such pipeline, or has it in pickles only; or if the disk is full.
    """
    hub = hub_name(name)
    if hub is None:
        raise DiffusionError(
            f"'{name}' is no pipeline on the hub: choose {', '.join(KNOWN_PIPELINES)}, or a name such as "
            f"{KNOWN_PIPELINES['sd-turbo'].hub}."
        )
    if hub == TINY_DECODER:
        return _fetch(hub, _tiny_files, tell)
    folder = _fetch(hub, wanted_files, tell)
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    if index.get("vae") == ["diffusers", "AutoencoderKL"]:
        _fetch(TINY_DECODER, _tiny_files, tell)
    return folder


def _tiny_files(files: Iterable[str]) -> list[str]:
    return [file for file in ("config.json", "diffusion_pytorch_model.safetensors") if file in files]


def wanted_files(files: Iterable[str]) -> list[str]:
    """Of a repository's files those that are needed.

    Raises
    ------
    DiffusionError
        If it is no pipeline, or a part has no safetensors.
    """
    paths = [PurePosixPath(file) for file in files]
    if PurePosixPath("model_index.json") not in paths:
        raise DiffusionError("it has no model_index.json, so it is no diffusers pipeline")
    wanted = ["model_index.json"]
    for part in _PARTS:
        of_part = [path for path in paths if path.parts[0] == part and len(path.parts) == 2]
        wanted += [str(path) for path in of_part if path.suffix in _TEXTS]
        weights = [path for path in of_part if _HALF.search(path.name)] or [
            path for path in of_part if _FULL.match(path.name)
        ]
        if part in _WITH_WEIGHTS and not weights:
            raise DiffusionError(f"its part '{part}' has no safetensors, and pickles are not read")
        wanted += [str(path) for path in weights]
    return wanted


def _fetch(hub: str, choose: Callable[[list[str]], list[str]], tell: Callable[[str], None]) -> Path:
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    # What every version of the library raises where there is no connection, whichever client it has.
    unreachable: type[Exception] = next(kind for kind in HfHubHTTPError.__mro__ if kind.__name__ == "HTTPError")
    try:
        info = HfApi().model_info(hub, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        files = choose(list(sizes))
        total = sum(sizes[file] for file in files)
        _check_disk(Path(constants.HF_HUB_CACHE), hub, total)
        tell(f"{hub}: {len(files)} files, {total / 1e9:.2f} GB, to {constants.HF_HUB_CACHE}")
        for file in files:
            if sizes[file] > _LARGE:
                _go_on(hub, file)
        return Path(snapshot_download(hub, allow_patterns=files))
    except OfflineModeIsEnabled as error:
        raise DiffusionError(f"{hub} cannot be downloaded: HF_HUB_OFFLINE is set. Unset it for this once.") from error
    except GatedRepoError as error:
        raise DiffusionError(
            f"{hub} asks for an agreement to its terms: give it on {constants.ENDPOINT}/{hub}, then: hf auth login"
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise DiffusionError(
            f"The hub {constants.ENDPOINT} has no {hub}, or not for everyone. Check the name."
        ) from error
    except (OSError, unreachable) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise DiffusionError(
            f"{hub} could not be downloaded from the hub {constants.ENDPOINT}: {reason}. Check the connection, and try "
            "again: it goes on where it was."
        ) from error
    except DiffusionError as error:
        raise DiffusionError(f"{hub} cannot be used: {error}.") from error


def _go_on(hub: str, file: str) -> None:
    """Fetch a large file to where the library keeps it, from where an earlier try ended: the library itself begins anew.

    Raises
    ------
    OSError
        If what came is not what the hub told.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    url = hf_hub_url(hub, file)
    told = get_hf_file_metadata(url)
    blobs = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=hub, repo_type="model") / "blobs"
    if told.etag is None or (blobs / told.etag).exists():
        return
    blobs.mkdir(parents=True, exist_ok=True)
    part = blobs / f"{told.etag}.part"
    part.touch()
    with part.open("r+b") as target:
        there = target.seek(0, os.SEEK_END)
        http_get(
            url, target, resume_size=there, headers=build_hf_headers(), expected_size=told.size, displayed_filename=file
        )
    with part.open("rb") as written:
        # Large files are named after their content.
        if len(told.etag) == 64 and hashlib.file_digest(written, "sha256").hexdigest() != told.etag:
            part.unlink()
            raise OSError(f"{file} came damaged")
    os.replace(part, blobs / told.etag)


def _check_disk(cache: Path, hub: str, size: int) -> None:
    there = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < size:
        raise OSError(f"it needs {size / 1e9:.1f} GB, and {there} has {free / 1e9:.1f} GB left")
