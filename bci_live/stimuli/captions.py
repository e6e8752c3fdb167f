"""The caption bank: the text embedding of every label's caption, as the diffusion pipeline reads it.

Only this file is read at run time; the sentence encoder that made it is needed for training alone.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from bci_live.errors import DiffusionError, LabelError
from bci_live.types import FloatArray

BANK_FILE = "caption_bank.safetensors"
# What the pipelines that are trained here read (`training.captions`).
SENTENCE_ENCODER = "all-MiniLM-L6-v2 centred"
_LONGEST_TABLE = 1_000_000  # characters


@dataclass(frozen=True, slots=True)
class CaptionBank:
    """Embeddings by label.

    `labels`: n names. `embeddings`: (n, tokens, width), float32. `captions`: what was embedded, one a label. `encoder`: by what.
    """

    labels: tuple[str, ...]
    embeddings: FloatArray
    captions: tuple[str, ...]
    encoder: str = SENTENCE_ENCODER

    def __post_init__(self) -> None:
        if self.embeddings.ndim != 3 or not len(self.labels) == len(self.captions) == len(self.embeddings):
            raise ValueError(
                f"{len(self.labels)} labels and {len(self.captions)} captions do not fit "
                f"embeddings of the shape {self.embeddings.shape}"
            )

    @property
    def space(self) -> str:
        """The text space that it speaks: the encoder, and the shape of what it makes of a caption."""
        return space_of(self.encoder, *self.embeddings.shape[1:])

    def embedding(self, label: str) -> FloatArray:
        """(tokens, width).

        Raises
        ------
        LabelError
            If the bank has no such label.
        """
        try:
            embedding: FloatArray = self.embeddings[self.labels.index(label)]
            return embedding
        except ValueError:
            raise LabelError(f"The caption bank does not know {label!r}. It has: {', '.join(self.labels)}.") from None

    def of(self, labels: Sequence[str]) -> FloatArray:
        """(labels, tokens, width), in the order of `labels`.

        Raises
        ------
        LabelError
            If the bank does not know one of them.
        """
        return np.stack([self.embedding(label) for label in labels])

    def save(self, path: Path) -> None:
        """Write the bank; the labels and captions stand in the file's metadata."""
        metadata = {
            "labels": json.dumps(self.labels),
            "captions": json.dumps(self.captions),
            "encoder": self.encoder,
        }
        save_file({"embeddings": np.ascontiguousarray(self.embeddings, dtype=np.float32)}, path, metadata)


def read_captions(path: Path) -> dict[str, str]:
    """A table of captions, as a captioner writes it: CSV with the columns `label` and `caption`, one line a label.

    Raises
    ------
    LabelError
        If it cannot be read, or a line is not as it should be.
    """
    told: dict[str, str] = {}
    # Strict: a quote that is left open would swallow the lines after it.
    rows = csv.DictReader(io.StringIO(_table(path), newline=""), strict=True)
    try:
        if sorted(rows.fieldnames or ()) != ["caption", "label"]:
            raise LabelError(
                f"'{path}' begins with {','.join(rows.fieldnames or ())[:80]!r}. Write a first line label,caption and then a line a "
                "label, for instance: dog,a yellow dog on grass"
            )
        for row in rows:
            if None in row:
                raise LabelError(
                    f"Line {rows.line_num} of '{path}' has more than a label and a caption. Put a caption that has a comma "
                    'in quotes, for instance: dog,"a yellow dog, asleep"'
                )
            label, caption = (" ".join((row.get(name) or "").split()) for name in ("label", "caption"))
            if not label or not caption or label in told:
                raise LabelError(
                    f"Line {rows.line_num} of '{path}' has no label, no caption, or a label that was there already. Write for "
                    "instance: dog,a yellow dog on grass"
                )
            told[label] = caption
    except csv.Error as error:
        raise LabelError(
            f"What follows line {rows.line_num} of '{path}' is no CSV ({error}). "
            'Close every quote, and write for instance: dog,"a yellow dog, asleep"'
        ) from error
    if not told:
        raise LabelError(f"'{path}' has no caption. Write a first line label,caption and then a line a label.")
    return told


def _table(path: Path) -> str:
    """The text of a table; spreadsheets begin theirs with a byte order mark."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read(_LONGEST_TABLE + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"The captions '{path}' cannot be read ({error}). Name a CSV file in UTF-8.") from error
    if len(text) > _LONGEST_TABLE:
        raise LabelError(f"'{path}' is longer than {_LONGEST_TABLE:,} characters. Name a CSV file with a line a label.")
    return text


def space_of(encoder: str, tokens: int, width: int) -> str:
    """The name of a text space: embeddings of one fit wherever it is read."""
    return f"{encoder}/{tokens}x{width}"


def load_bank(path: Path) -> CaptionBank:
    """Read a bank from its file, or from the pipeline folder that holds it.

    Raises
    ------
    DiffusionError
        If the file is absent or damaged.
    """
    file = path / BANK_FILE if path.is_dir() else path
    try:
        with safe_open(file, "np") as bank:
            metadata = bank.metadata() or {}
            labels, captions = (tuple(map(str, json.loads(metadata[key]))) for key in ("labels", "captions"))
            encoder = metadata.get("encoder", SENTENCE_ENCODER)
            return CaptionBank(labels, bank.get_tensor("embeddings"), captions, encoder)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise DiffusionError(
            f"The caption bank {file} cannot be read ({error}). Get the pipeline folder anew, "
            "or train one: bci-live train-diffusion"
        ) from error
