"""A trained decoder: one epoch in, one `Decoding` out; and the folder it lives in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from pylsl import local_clock
from torch import Tensor, nn

from bci_live.decoding.card import DecoderCard
from bci_live.decoding.encoder import LabelLayer, make_encoder
from bci_live.decoding.heads import CaptionHead, ContrastHead, LabelBlend, PrefixHead, StructureHead
from bci_live.decoding.plain import PlainHead
from bci_live.decoding.saliency import SaliencyGenerator
from bci_live.decoding.storage import read_card, read_weights
from bci_live.errors import DecoderError, MontageError
from bci_live.signal.repair import ChannelRepair
from bci_live.types import Decoding, Epoch, FloatArray, Guess


class DecoderNetwork(nn.Module):
    """All heads on their encoder. The card gives every tensor its shape.

    `covariance`: (channels, channels) of clean epochs, µV², where the decoder can fill channels in.
    """

    covariance: Tensor | None

    def __init__(self, card: DecoderCard) -> None:
        super().__init__()
        channels, sizes, labels = len(card.channels), card.sizes, len(card.labels)
        self.encoder = make_encoder(card)
        self.labels = LabelLayer(sizes.feature, labels)
        self.plain = PlainHead(channels, card.n_times, labels, sizes)
        self.blend = LabelBlend()
        self.caption = CaptionHead(card)
        self.structure = StructureHead(card)
        self.contrast = ContrastHead(card)
        self.saliency = SaliencyGenerator(labels, sizes)
        self.register_buffer("covariance", torch.eye(channels, dtype=torch.float64) if card.repairs else None)
        self.prefixes = nn.ModuleList(PrefixHead(card, until_s) for until_s in card.prefixes)

    @property
    def repair(self) -> ChannelRepair | None:
        """What fills in channels that carry no EEG."""
        return None if self.covariance is None else ChannelRepair(self.covariance.numpy())

    def condition(self, probabilities: Tensor, coordinates: Tensor) -> Tensor:
        """What the saliency generator draws from: (n, labels + structure axes).

        Probabilities of many labels are small: without the factor the label would have no say beside place and noise.
        """
        shares = probabilities.shape[1] ** 0.5 * probabilities.float()
        return torch.cat([shares, coordinates / self.structure.spread], dim=1)


class TrainedDecoder:
    """Decodes epochs, deterministically.

    The convolutions run on `device`; the linear heads are too small to be worth the way there.
    """

    def __init__(
        self,
        card: DecoderCard,
        network: DecoderNetwork,
        device: torch.device,
        clock: Callable[[], float] = local_clock,
    ) -> None:
        self.card = card
        self._network = network.eval().requires_grad_(False)
        self._clock = clock
        self.to(device)

    def to(self, device: torch.device | str) -> None:
        """Read the next epochs there; not while one is read."""
        self._network.encoder.to(device)
        self._network.saliency.to(device)
        self._device = torch.device(device)

    @property
    def repair(self) -> ChannelRepair | None:
        """What fills in channels that carry no EEG, before an epoch comes here."""
        return self._network.repair

    @property
    def captions(self) -> FloatArray:
        """(labels, tokens, width): what it says of each label of its card, as the pipeline reads it."""
        return self._network.caption.spoken.numpy()

    def read_as(self, subject: str | None) -> None:
        """Read the next epochs by the layer of one of the card's subjects; of None, whom nobody knows, by the mean layer.

        Raises
        ------
        DecoderError
            If the card has no such subject.
        """
        layer, known = self._network.encoder.subjects, self.card.subjects
        if subject is not None and subject not in known:
            has = f"It knows {', '.join(known)}; others are" if known else "It has no layer per subject: all are"
            raise DecoderError(f"The decoder does not know the subject '{subject}'. {has} read without --subject.")
        if layer is not None:
            layer.chosen = None if subject is None else known.index(subject)

    @torch.inference_mode()
    def decode(self, epoch: Epoch) -> Decoding:
        """Read one epoch.

        Raises
        ------
        MontageError
            If the epoch's shape is not the decoder's.
        """
        network = self._network
        data = self._batch_of(epoch, self.card.n_times)
        feature = network.encoder(data.to(self._device)).cpu()
        logits = network.blend(network.labels(feature), network.plain(data))
        coordinates = network.structure(data)
        probabilities = torch.softmax(logits, dim=1)
        condition = network.condition(probabilities, coordinates).to(self._device)
        saliency = network.saliency.live(condition, network.contrast(data).to(self._device)).cpu()
        latent = network.structure.latent(coordinates)[0].numpy() if self.card.latent_shape else None
        return Decoding(
            saliency=np.ascontiguousarray(saliency[0].permute(1, 2, 0).numpy()),
            embedding=network.caption(logits, feature)[0].numpy(),
            latent=latent,
            scores=dict(zip(self.card.labels, probabilities[0].tolist(), strict=True)),
            epoch=epoch,
            made=self._clock(),
            abstained=float(probabilities.max()) < self.card.certainty,
        )

    @torch.inference_mode()
    def read_alone(self, data: FloatArray) -> dict[str, FloatArray]:
        """What each label head, the caption's ridge and each first guess read: (n, channels, times) → (n, labels) by name."""
        network, batch = self._network, torch.from_numpy(data)
        feature = network.encoder(batch.to(self._device)).cpu()
        told = {
            "encoder": network.labels(feature),
            "plain head": network.plain(batch),
            "caption ridge": network.caption.nearness(feature),
        }
        for until_s, head in zip(self.card.prefixes, network.prefixes, strict=True):
            told[f"guess at {1000 * until_s:.0f} ms"] = head(batch[:, :, : self.card.n_times_until(until_s)])
        return {name: torch.softmax(logits, dim=1).numpy() for name, logits in told.items()}

    @torch.inference_mode()
    def contrasts(self, data: FloatArray) -> FloatArray:
        """The contrast maps that the ridge reads, in the unit of `ContrastHead`: (n, channels, times) → (n, side, side)."""
        maps: FloatArray = self._network.contrast(torch.from_numpy(data))[:, 0].numpy()
        return maps

    @torch.inference_mode()
    def guess(self, epoch: Epoch, until_s: float) -> Guess:
        """Read the beginning of a window; `until_s` is one of the card's prefixes.

        Raises
        ------
        MontageError
            If the epoch's shape is not that of the prefix.
        """
        head = self._network.prefixes[self.card.prefixes.index(until_s)]
        data = self._batch_of(epoch, self.card.n_times_until(until_s))
        probabilities = torch.softmax(head(data)[0], dim=0).tolist()
        return Guess(dict(zip(self.card.labels, probabilities, strict=True)), until_s, epoch, self._clock())

    def _batch_of(self, epoch: Epoch, n_times: int) -> Tensor:
        """The epoch alone, (1, channels, times), if it has the shape that is read."""
        shape = (len(self.card.channels), n_times)
        if epoch.data.shape != shape:
            raise MontageError(
                f"The decoder reads epochs of {shape[0]} channels × {shape[1]} samples, this one has the shape "
                f"{epoch.data.shape}. Cut it with the decoder's own channels, rate and window."
            )
        return torch.from_numpy(np.ascontiguousarray(epoch.data, dtype=np.float32))[None]


def load_decoder(folder: Path, device: torch.device | str = "cpu", subject: str | None = None) -> TrainedDecoder:
    """Read a decoder folder, to decode with it, as of that subject; raises as `load_network` and `read_as` do."""
    decoder = TrainedDecoder(*load_network(Path(folder)), torch.device(device))
    decoder.read_as(subject)
    return decoder


def load_network(folder: Path) -> tuple[DecoderCard, DecoderNetwork]:
    """Read a decoder folder: `decoder.json` and `weights.safetensors`. Nothing in it is ever executed.

    Raises
    ------
    DecoderError
        If the folder is no decoder, is damaged, or is from another version.
    """
    card = read_card(folder)
    weights = read_weights(folder, card)
    try:
        network = DecoderNetwork(card)
    except (RuntimeError, ValueError) as error:
        raise DecoderError(
            f"The card of the decoder '{folder}' describes no possible network ({error}). {_ANEW}"
        ) from error
    _check_tensors(folder, network.state_dict(), weights)
    network.load_state_dict(weights)
    if network.covariance is not None and torch.linalg.cholesky_ex(network.covariance).info:
        raise DecoderError(f"The weights of the decoder '{folder}' are damaged: covariance is none. {_ANEW}")
    return card, network


_ANEW = "Get the folder anew, or train a decoder: bci-live train"


def _check_tensors(folder: Path, expected: dict[str, Tensor], found: dict[str, Tensor]) -> None:
    strange = sorted(expected.keys() ^ found.keys())
    if strange:
        raise DecoderError(
            f"The weights of the decoder '{folder}' do not belong to its card: {', '.join(strange[:3])} is missing or "
            f"unknown. {_ANEW}"
        )
    for name, tensor in expected.items():
        if tensor.shape != found[name].shape or tensor.dtype != found[name].dtype:
            raise DecoderError(
                f"The weights of the decoder '{folder}' do not belong to its card: {name} has the shape "
                f"{tuple(found[name].shape)}, not {tuple(tensor.shape)}. {_ANEW}"
            )
        if tensor.is_floating_point() and not torch.isfinite(found[name]).all():
            raise DecoderError(f"The weights of the decoder '{folder}' are damaged: {name} is not finite. {_ANEW}")
