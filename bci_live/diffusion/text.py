"""Captions as a pipeline reads them: from the bank that lies in its folder, or by its own text encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError

from bci_live.diffusion.pipeline import quiet_libraries, variant_of
from bci_live.diffusion.spaces import text_space
from bci_live.errors import DiffusionError
from bci_live.stimuli.captions import BANK_FILE, CaptionBank, load_bank
from bci_live.stimuli.catalogue import load_catalogue
from bci_live.types import FloatArray


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


@torch.inference_mode()
def embed(folder: Path, captions: Sequence[str], device: torch.device | str = "cpu") -> FloatArray:
    """(n, tokens, width): last hidden states of the pipeline's text encoder, as the pipeline itself makes them.

    Raises
    ------
    DiffusionError
        If the encoder or its tokenizer is absent or damaged.
    """
    from transformers import CLIPTextModel, CLIPTokenizer

    try:
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
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise DiffusionError(f"The text encoder in {folder} cannot be used: {first}. Get the folder anew.") from error
