"""Pipelines on the Hugging Face hub: downloaded when that is asked for, never otherwise; read from the hub's cache ever after."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from bci_live.config import KNOWN_PIPELINES, known_pipeline
from bci_live.diffusion.hub_files import HubFile, check_room, drop_damaged, go_on, look_up, no_room
from bci_live.diffusion.index import INDEX, read_index
from bci_live.errors import DiffusionError

# A decoder of 1.2 M parameters for the latents of all Stable Diffusions before XL.
TINY_DECODER = "madebyollin/taesd"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
# Bytes; a smaller file is no loss.
_LARGE = 8_000_000
_PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
WITH_WEIGHTS = ("unet", "vae", "text_encoder")
_TEXTS = {".json", ".txt"}
_HALF = re.compile(r"\.fp16(-\d+-of-\d+)?\.safetensors$")
_FULL = re.compile(r"^(diffusion_pytorch_)?model(-\d+-of-\d+)?\.safetensors$")
# Of a disk, and of what a user may have on it.
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_OTHERS = f"Choose another: {', '.join(KNOWN_PIPELINES)}, or a name on the hub (OWNER/NAME)."


def hub_name(name: str) -> str | None:
    """The hub name that a short name stands for; a hub name as it is; None of what is neither."""
    if known := known_pipeline(name):
        return known.hub
    # "models/diffusion-demo" is spelled like a hub name, too; a parent folder that exists tells that a path is meant.
    path = Path(name)
    looks_so = _HUB_NAME.fullmatch(name) and path.parts[0] != "models" and not path.parent.exists()
    return name if looks_so else None


def cached(hub: str, mark: str = INDEX) -> Path | None:
    """The folder in the hub's cache, if the repository was downloaded before; asks nobody."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(hub, mark)
    return Path(found).parent if isinstance(found, str) else None


def hub_of(folder: Path) -> str | None:
    """The hub name of what lies in a folder of the hub's cache, models--OWNER--NAME/snapshots/COMMIT; None of all others."""
    repository = folder.parent.parent.name.split("--")
    in_cache = folder.parent.name == "snapshots" and repository[0] == "models" and len(repository) == 3
    return "/".join(repository[1:]) if in_cache else None


def download(name: str, tell: Callable[[str], None]) -> Path:
    """Get a pipeline, and the tiny decoder for its latents, into the hub's cache; what is there already is not fetched again.

    Safetensors and settings alone, of the parts that are used, in half precision where the repository has that. What was
    interrupted goes on where it was, and what is damaged in the cache is fetched anew.

    Parameters
    ----------
    name : a short name, or a name on the hub
    tell : is told in words what is being done; the library draws the bars

    Raises
    ------
    DiffusionError
        If the hub cannot be reached, has no such pipeline, or has it in pickles only; if it is of a kind that cannot be
        used, which is found before weights are fetched; or if the disk has no room for what is left to fetch.
    """
    hub = hub_name(name)
    if hub is None:
        raise DiffusionError(
            f"'{name}' is no pipeline on the hub: choose {', '.join(KNOWN_PIPELINES)}, or a name such as "
            f"{KNOWN_PIPELINES['sd-turbo'].hub}."
        )
    if hub == TINY_DECODER:
        return _fetch(hub, tell)
    folder = _fetch(hub, tell)
    if read_index(folder / INDEX, hub, _OTHERS)["vae"] == ["diffusers", "AutoencoderKL"]:
        _fetch(TINY_DECODER, tell)
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
    if PurePosixPath(INDEX) not in paths:
        raise DiffusionError(f"it has no {INDEX}, so it is no diffusers pipeline")
    wanted = [INDEX]
    for part in _PARTS:
        of_part = [path for path in paths if path.parts[0] == part and len(path.parts) == 2]
        wanted += [str(path) for path in of_part if path.suffix in _TEXTS]
        weights = [path for path in of_part if _HALF.search(path.name)] or [
            path for path in of_part if _FULL.match(path.name)
        ]
        if part in WITH_WEIGHTS and not weights:
            raise DiffusionError(f"its part '{part}' has no safetensors, and pickles are not read")
        wanted += [str(path) for path in weights]
    return wanted


def _fetch(hub: str, tell: Callable[[str], None]) -> Path:
    """The repository's folder in the cache, with the files that are needed in it."""
    from huggingface_hub import HfApi, constants, snapshot_download

    with _told_in_words(hub):
        names = [file.rfilename for file in HfApi().model_info(hub).siblings or ()]
        wanted = _tiny_files(names) if hub == TINY_DECODER else _pipeline_files(hub, names, tell)
        files = _without_damage(hub, wanted, tell)
        total, left = sum(file.size or 0 for file in files), sum(file.left() for file in files)
        check_room(hub, left)
        tell(
            f"{hub}: {len(files)} files, {total / 1e9:.2f} GB, of which {left / 1e9:.2f} GB are to be fetched, to "
            f"{constants.HF_HUB_CACHE}"
        )
        for file in files:
            if (file.size or 0) > _LARGE:
                go_on(file)
        return Path(snapshot_download(hub, allow_patterns=wanted))


def _pipeline_files(hub: str, names: list[str], tell: Callable[[str], None]) -> list[str]:
    """The files that are needed, after the index was fetched and read: weights of another kind would be fetched for nothing."""
    from huggingface_hub import hf_hub_download

    if INDEX in names:
        _without_damage(hub, [INDEX], tell)
        read_index(Path(hf_hub_download(hub, INDEX)), hub, _OTHERS)
    try:
        return wanted_files(names)
    except DiffusionError as error:
        raise DiffusionError(f"{hub} cannot be used: {error}.") from error


def _without_damage(hub: str, names: Iterable[str], tell: Callable[[str], None]) -> list[HubFile]:
    """What the hub tells of the files; what the cache has of them is whole from now on, or gone."""
    files = look_up(hub, names)
    for file in files:
        if drop_damaged(file):
            tell(f"{hub}: {file.name} is damaged on this machine, and is fetched anew")
    return files


@contextmanager
def _told_in_words(hub: str) -> Iterator[None]:
    """What the library raises is one error, in one sentence with its remedy."""
    from huggingface_hub import constants
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
        yield
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
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            raise no_room(f"{hub} does not fit: {constants.HF_HUB_CACHE} has no room left") from error
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise DiffusionError(
            f"{hub} could not be downloaded from the hub {constants.ENDPOINT}: {reason}. Check the connection, and try "
            "again: it goes on where it was."
        ) from error
