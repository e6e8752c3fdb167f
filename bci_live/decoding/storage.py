"""A decoder folder: `decoder.json` and `weights.safetensors`. Never a pickle: models come from strangers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from bci_live.decoding.card import FORMAT, DecoderCard
from bci_live.errors import DecoderError

CARD_FILE = "decoder.json"
WEIGHTS_FILE = "weights.safetensors"


def check_out(out: Path, overwrite: bool) -> None:
    """Whether a decoder may be written to `out`: only over nothing, or with `overwrite` over a decoder.

    Raises
    ------
    DecoderError
        If something is there that would be lost.
    """
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise DecoderError(
            f"'{out}' cannot be made, because '{there}' is no folder that can be written to. Choose another --out."
        )
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out.is_dir() and {entry.name for entry in out.iterdir()} <= {CARD_FILE, WEIGHTS_FILE, "README.md"}):
        raise DecoderError(f"'{out}' holds something that is no decoder, and is left alone. Choose another --out.")
    if not overwrite:
        raise DecoderError(f"'{out}' holds a decoder already. Choose another --out, or replace it with --overwrite.")


def save_decoder(out: Path, card: DecoderCard, weights: dict[str, Tensor]) -> DecoderCard:
    """Write the folder beside `out` and put it in its place; returns the card with the hash of the weights.

    A README.md that lies in `out` already is kept.
    """
    data = save({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()})
    card = card.model_copy(update={"weights_sha256": hashlib.sha256(data).hexdigest()})
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    (fresh / WEIGHTS_FILE).write_bytes(data)
    (fresh / CARD_FILE).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    if (out / "README.md").is_file():
        shutil.copy(out / "README.md", fresh / "README.md")
    replace_folder(out, fresh)
    return card


def replace_folder(out: Path, fresh: Path) -> None:
    """Put `fresh` in the place of `out`; killed in the middle, one of the two is still there, whole."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        os.replace(out, old)
    os.replace(fresh, out)
    shutil.rmtree(old, ignore_errors=True)


def read_card(folder: Path) -> DecoderCard:
    """The card of a decoder folder.

    Raises
    ------
    DecoderError
        If there is none, it is damaged, or it is of another format.
    """
    file = folder / CARD_FILE
    if not file.is_file():
        raise DecoderError(
            f"'{folder}' is no decoder: it has no {CARD_FILE}. Train one: bci-live train SESSION… --out DIR"
        )
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DecoderError(
            f"The decoder '{folder}' is damaged: {CARD_FILE} cannot be read ({error}). {_AGAIN}"
        ) from error
    found = values.get("format") if isinstance(values, dict) else None
    if found != FORMAT:
        raise DecoderError(
            f"The decoder '{folder}' has the format {found!r}, this version reads format {FORMAT}. {_AGAIN}"
        )
    try:
        return DecoderCard.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        told = f"{f', {place}' if place else ''}: {first['msg'].removeprefix('Value error, ')}"
        raise DecoderError(f"The decoder '{folder}' is damaged: {CARD_FILE}{told}. {_AGAIN}") from error


def read_weights(folder: Path, card: DecoderCard) -> dict[str, Tensor]:
    """The tensors of a decoder folder, if they are those that the card was written for.

    Raises
    ------
    DecoderError
        If they are absent, cut short, or others.
    """
    try:
        data = (folder / WEIGHTS_FILE).read_bytes()
        if hashlib.sha256(data).hexdigest() != card.weights_sha256:
            raise DecoderError(
                f"The decoder '{folder}' is damaged: {WEIGHTS_FILE} is not the file that its card was written for. "
                f"{_AGAIN}"
            )
        tensors: dict[str, Tensor] = load(data)
        return tensors
    except (OSError, SafetensorError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DecoderError(
            f"The decoder '{folder}' is damaged: {WEIGHTS_FILE} cannot be read ({why}). {_AGAIN}"
        ) from error


_AGAIN = "Get the folder anew, or train a decoder: bci-live train SESSION… --out DIR"
