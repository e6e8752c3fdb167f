"""Whether a decoder, a pipeline and a stream go together: told by cards and folders, before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from bci_live.config import DiffusionConfig, bundled
from bci_live.errors import DecoderError
from bci_live.live.controls import ModelChoice

if TYPE_CHECKING:
    from bci_live.decoding.card import DecoderCard
    from bci_live.types import StreamFacts


def check_fit(card: DecoderCard, diffusion: DiffusionConfig, decoder: Path) -> None:
    """The captions of `decoder`, a folder, must be of the pipeline's text space; the latent, where it is drawn from, of its latent space.

    Raises
    ------
    DecoderError
        If they are not, with the command that mends it.
    DiffusionError
        If the pipeline is not there.
    """
    from bci_live.diffusion.pipeline import pipeline_folder, pipeline_name
    from bci_live.diffusion.spaces import latent_space, text_space

    source = bundled(diffusion.pipeline)
    folder, name = pipeline_folder(source), pipeline_name(source)
    mending = f"bci-live retarget {quote(str(decoder))} {{}}--diffusion {quote(diffusion.pipeline)} --out FOLDER"
    space = text_space(folder)
    if card.text_space != space:
        raise DecoderError(
            f"The decoder {decoder} speaks '{card.text_space}', but the pipeline '{name}' reads '{space}'. Make one that "
            f"speaks it, in seconds: {mending.format('')}"
        )
    if diffusion.initial not in ("latent", "blend"):
        return
    if card.latent_shape is None:
        raise DecoderError(
            f"The decoder {decoder} predicts no latent to draw from. Choose saliency or grey to draw from (--initial)."
        )
    fits = card.latent_space == latent_space(folder) if card.latent_space else card.pipeline == name
    if not fits:
        raise DecoderError(
            f"The decoder {decoder} predicts latents of '{card.latent_space or card.pipeline}', which the pipeline '{name}' "
            "cannot draw from. Choose saliency or grey to draw from (--initial), or fit the latent to it: "
            f"{mending.format('SESSION… ')}"
        )


def check_models(choice: ModelChoice, diffusion: DiffusionConfig) -> None:
    """These models are there and fit each other, and the device is.

    Raises
    ------
    BciError
        If not, with the remedy.
    """
    from bci_live.decoding.device import pick_device
    from bci_live.decoding.storage import read_card

    pick_device(choice.device)
    check_fit(read_card(choice.decoder), diffusion, choice.decoder)


def check_stream(card: DecoderCard, facts: StreamFacts) -> None:
    """The stream has the decoder's channels, and is fast enough for its filter.

    Raises
    ------
    MontageError
        If not: a session of the two could not begin.
    """
    from bci_live.signal.filters import design
    from bci_live.signal.montage import Montage

    Montage(card.channels, facts, card.epoch, facts.name)
    design(facts.rate, card.filter)
