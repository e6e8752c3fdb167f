"""Files of a hub's repository in the hub's cache: what is there and whole, what is left to fetch, and the room for it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bci_live.errors import DiffusionError

# Hexadecimal digits of a sha256, by which the hub calls large files; small ones have git's name.
_SHA256 = 64


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub tells it.

    `size`: bytes. `etag`: what the cache calls its content by. `store`: the repository's folder in the cache.
    """

    name: str
    url: str
    size: int | None
    etag: str
    commit: str
    store: Path

    @property
    def blob(self) -> Path:
        """Where the cache keeps the content."""
        return self.store / "blobs" / self.etag

    @property
    def part(self) -> Path:
        """What came of the content, until all of it has come."""
        return self.blob.with_name(f"{self.etag}.part")

    def copies(self) -> set[Path]:
        """Files with the content: one, as a rule; without symbolic links the snapshot has its own, or the only one."""
        snapshot = self.store / "snapshots" / self.commit / self.name
        return {path.resolve() for path in (self.blob, snapshot) if path.is_file()}

    def left(self) -> int:
        """Bytes that have not come yet."""
        if self.copies():
            return 0
        size, come = self.size or 0, self.part.stat().st_size if self.part.exists() else 0
        return size - come if come <= size else size


def look_up(hub: str, names: Iterable[str]) -> list[HubFile]:
    """Ask the hub about these files.

    Raises
    ------
    OSError
        If it does not answer, or not all of it.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import repo_folder_name

    store = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=hub, repo_type="model")
    files = []
    for name in names:
        url = hf_hub_url(hub, name)
        told = get_hf_file_metadata(url)
        if told.etag is None or told.commit_hash is None:
            raise OSError(f"it does not tell which content {name} has")
        files.append(HubFile(name, url, told.size, told.etag, told.commit_hash, store))
    return files


def drop_damaged(file: HubFile) -> bool:
    """Remove the copies that are not what the hub tells, so that they are fetched anew; whether there were any.

    The library takes what is there for whole. Reading some GB takes seconds.
    """
    damaged = [copy for copy in file.copies() if not _is_whole(copy, file)]
    for copy in damaged:
        copy.unlink()
    return bool(damaged)


def check_room(hub: str, left: int) -> None:
    """There must be room for so many bytes in the cache.

    Raises
    ------
    DiffusionError
        If there is not.
    """
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    there = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < left:
        raise no_room(f"{hub} needs {_in_words(left)} more, and {there} has {_in_words(free)} left")


def no_room(fact: str) -> DiffusionError:
    """The error for it, with what helps."""
    return DiffusionError(
        f"{fact}. Free some, or set HF_HOME to a folder on another disk, and run the same command again."
    )


def go_on(file: HubFile) -> None:
    """Fetch a large file to where the library keeps it, from where an earlier try ended: the library itself begins anew.

    Raises
    ------
    OSError
        If what came is not what the hub told, or cannot be written.
    """
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    if file.copies():
        return
    file.blob.parent.mkdir(parents=True, exist_ok=True)
    if file.size is not None and file.part.exists() and file.part.stat().st_size > file.size:
        file.part.unlink()
    file.part.touch()
    with file.part.open("r+b") as target:
        there = target.seek(0, os.SEEK_END)
        http_get(
            file.url,
            target,
            resume_size=there,
            headers=build_hf_headers(),
            expected_size=file.size,
            displayed_filename=file.name,
        )
    if not _is_whole(file.part, file):
        file.part.unlink()
        raise OSError(f"{file.name} came damaged")
    os.replace(file.part, file.blob)


def _is_whole(path: Path, file: HubFile) -> bool:
    if file.size is not None and path.stat().st_size != file.size:
        return False
    if len(file.etag) != _SHA256:
        return True
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == file.etag


def _in_words(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
