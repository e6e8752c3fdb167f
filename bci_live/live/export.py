"""Saves what is on display: a picture with all that is known of it, the session as an animation, the average responses."""

from __future__ import annotations

import atexit
import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bci_live import __version__
from bci_live.config import EpochConfig
from bci_live.errors import BciError
from bci_live.live.averages import Average
from bci_live.live.contact_sheet import Row, contact_sheet
from bci_live.live.telemetry import timings_of
from bci_live.types import Marker, Picture, Reconstruction

_FRAME_MS = 900


@dataclass(frozen=True, slots=True)
class Origin:
    """Where pictures come from. `badge`: LIVE, REPLAY or SIMULATED. `stream`: its name. `channels`: the decoder's.

    `decoder`: its folder's name. `device`: what was asked for.
    """

    badge: str
    stream: str
    channels: tuple[str, ...]
    pipeline: str
    decoder: str = ""
    device: str = ""


def provenance(reconstruction: Reconstruction, origin: Origin) -> dict[str, Any]:
    """All that is known of a picture, as JSON can hold it."""
    decoding, marker = reconstruction.decoding, reconstruction.decoding.epoch.marker
    times = timings_of(reconstruction, reconstruction.made)
    del times["first_image_ms"]  # of a picture that is finished it is not known any more
    return {
        "note": "Detail is invented by diffusion.",
        "data": origin.badge,
        "stream": origin.stream,
        "marker": {"label": marker.label, "time": marker.time, "stream": marker.stream, "detail": marker.detail},
        "onset": decoding.epoch.onset,
        "channels": list(origin.channels),
        "top": decoding.top,
        "confidence": round(decoding.confidence, 6),
        "scores": {label: round(p, 6) for label, p in sorted(decoding.scores.items(), key=lambda row: -row[1])},
        "trials": decoding.epoch.trials,
        "filled": list(decoding.epoch.filled),
        "decoder": origin.decoder,
        "pipeline": origin.pipeline,
        "device": origin.device,
        "program": f"bci_live {__version__}",
        "seed": reconstruction.seed,
        "repeated": reconstruction.repeated,
        "step": reconstruction.step,
        "steps": reconstruction.steps,
        "strength": reconstruction.strength,
        "initial": reconstruction.initial,
        **{name: round(value, 2) for name, value in times.items()},
    }


def save_picture(folder: Path, reconstruction: Reconstruction, origin: Origin) -> Path:
    """`NNNN-label.png` with `NNNN-label.json` beside it, in `folder`; nothing is overwritten.

    What was read as something else is `NNNN-label-read-as-other.png`. The PNG itself says what it is, too, wherever it goes.

    Raises
    ------
    BciError
        If the folder cannot be written.
    """
    shown, read = reconstruction.decoding.epoch.marker.label, reconstruction.decoding.top
    path = next_path(folder, shown if read == shown else f"{shown}-read-as-{read}", ".png")
    words = PngInfo()
    words.add_itxt("Description", f"Drawn from EEG by bci_live ({origin.badge}). Detail is invented by diffusion.")
    with _told(path):
        Image.fromarray(reconstruction.image).save(path, pnginfo=words)
        saved = datetime.now().astimezone().isoformat(timespec="seconds")
        told = provenance(reconstruction, origin) | {"image": path.name, "saved": saved}
        text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        path.with_suffix(".json").write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def save_animation(folder: Path, history: Sequence[Reconstruction], truth: Callable[[Marker], Picture | None]) -> Path:
    """A GIF of the finished pictures, one a second: what was shown, the saliency map, the reconstruction.

    Raises
    ------
    BciError
        If there is no picture, or the folder cannot be written.
    """
    if not history:
        raise BciError("There is no finished picture yet, so there is nothing to save.")
    frames = [contact_sheet([_row(it, truth(it.decoding.epoch.marker))]) for it in history]
    path = next_path(folder, "session", ".gif")
    with _whole(path) as part:
        frames[0].save(part, save_all=True, append_images=frames[1:], duration=_FRAME_MS, loop=0)
    return path


def save_averages(folder: Path, averages: Sequence[Average], channels: Sequence[str], epoch: EpochConfig) -> Path:
    """A FIF file of MNE with an Evoked for all trials together and one for each class.

    `epoch`: from when to when after the marker. The file name ends as MNE wants it.

    Raises
    ------
    BciError
        If there is no average, or the folder cannot be written.
    """
    import mne

    from bci_live.streams.mne_bridge import evoked

    if not averages:
        raise BciError("There is no average response yet, so there is nothing to save.")
    rate = averages[0].response.shape[1] / (epoch.stop_s - epoch.start_s)
    evokeds = [evoked(it.response, channels, rate, epoch.start_s, it.label, it.trials) for it in averages]
    path = next_path(folder, "average", "-ave.fif")
    with _whole(path) as part:
        mne.write_evokeds(part, evokeds, verbose="error")
    return path


class Saving:
    """Saves in a thread of its own: two hundred pictures, or MNE's import, take seconds, and a window never waits.

    `save` returns where it has saved. `what`: was saved there, to be told beside it.
    """

    def __init__(self, save: Callable[[], Path], what: str = "") -> None:
        self._told = "It could not be saved: the log says why."

        def run() -> None:
            try:
                self._told = f"Saved: {save()}" + (f" ({what})" if what else "")
            except BciError as error:
                self._told = str(error)

        self._thread = threading.Thread(target=run, name="saving", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is not saved yet."""
        return self._thread.is_alive()

    def told(self) -> str:
        """Where it is, or why it is not; empty as long as it is saved."""
        return "" if self.running else self._told


def _row(reconstruction: Reconstruction, truth: Picture | None) -> Row:
    decoding = reconstruction.decoding
    saliency = (np.clip(decoding.saliency, 0, 1) * 255).round().astype(np.uint8)
    label = decoding.epoch.marker.label
    return Row(truth, saliency, reconstruction.image, label, decoding.top, decoding.confidence)


def next_path(folder: Path, label: str, suffix: str) -> Path:
    """`NNNN-label` with a number that no file in `folder` has; the folder is made.

    Labels come from the network and lose what is no letter or digit.

    Raises
    ------
    BciError
        If the folder cannot be made.
    """
    name = re.sub(r"[^A-Za-z0-9]+", "-", label)[:40].strip("-") or "picture"
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(it.name[:4]) for it in folder.iterdir() if it.name[:4].isdigit()]
    return folder / f"{max(numbers, default=0) + 1:04d}-{name}{suffix}"


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """The name to write to, which becomes `path` when all of it is there: whoever leaves before leaves no half file."""
    part = path.with_name(f"{path.name[:5]}part-{path.name[5:]}")

    def forget() -> None:
        with suppress(OSError):
            part.unlink()

    atexit.register(forget)  # a thread that still writes is not waited for at the exit
    try:
        with _told(path):
            yield part
            os.replace(part, path)
    finally:
        forget()
        atexit.unregister(forget)


class _told:
    """An error of the disk becomes a sentence."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing to open."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise BciError(
                f"'{self._path}' cannot be written ({error.strerror or error}). Free the disk, or choose another folder "
                "on the page of streams."
            ) from error
