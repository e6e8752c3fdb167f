"""Captions as a pipeline reads them: from the bank that lies in its folder, or by its own text encoder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError

from bci_live.diffusion.memory import free_memory, is_of_memory
from bci_live.diffusion.pipeline import quiet_libraries, remedy, variant_of
from bci_live.diffusion.spaces import text_space
from bci_live.errors import DiffusionError
from bci_live.stimuli.captions import BANK_FILE, CaptionBank, load_bank
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.types import FloatArray

_log = logging.getLogger(__name__)


def caption_bank(folder: Path, device: torch.device | str = "cpu") -> CaptionBank:
    """The embeddings of the catalogue's captions in the text space of the pipeline in `folder`.

    `device`: where its text encoder runs, if it has no bank; the largest takes half a minute on a processor.

    Raises
    ------
    DiffusionError
        If it has neither a bank nor a text encoder, or one that is damaged.
    """
    if (folder / BANK_FILE).is_file():
        return load_bank(folder)
    catalogue = load_catalogue()
    captions = tuple(catalogue.caption(label) for label in catalogue.labels)
    encoder = text_space(folder).rpartition("/")[0]
    return CaptionBank(catalogue.labels, embed(folder, captions, device), captions, encoder)


def embed(folder: Path, captions: Sequence[str], device: torch.device | str = "cpu") -> FloatArray:
    """(n, tokens, width): last hidden states of the pipeline's text encoder, as the pipeline itself makes them.

    Where the device has no memory for it, the processor does it instead, which takes up to a minute, and a warning says so.

    Raises
    ------
    DiffusionError
        If the encoder or its tokenizer is absent or damaged.
    """
    device = torch.device(device)
    try:
        return _states(folder, captions, device)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        if device.type == "cpu" or not is_of_memory(error):
            first = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise DiffusionError(f"The text encoder in {folder} cannot be used: {first}. {remedy(folder)}") from error
    # Outside of the handler: the traceback would keep the tensors that have to go.
    free_memory()
    _log.warning("The device ran out of memory: captions are embedded by the processor, which takes up to a minute.")
    return embed(folder, captions)


@torch.inference_mode()
def _states(folder: Path, captions: Sequence[str], device: torch.device) -> FloatArray:
    from transformers import CLIPTextModel, CLIPTokenizer

    with quiet_libraries():
        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
        encoder = (
            CLIPTextModel.from_pretrained(
                folder / "text_encoder",
                local_files_only=True,
                use_safetensors=True,
                variant=variant_of(folder, "text_encoder"),
                dtype=torch.float32,
            )
            .to(device)
            .eval()
        )
        length = encoder.config.max_position_embeddings
        tokens = tokenizer(
            list(captions), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )
        # The padding is attended to, as in training.
        states: FloatArray = encoder(tokens.input_ids.to(device)).last_hidden_state.cpu().numpy()
        return states
