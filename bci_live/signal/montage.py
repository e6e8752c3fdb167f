"""Which channels of a stream an epoch is made of, by name and by type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bci_live.config import EpochConfig
from bci_live.errors import MontageError
from bci_live.types import FloatArray, StreamFacts

AVERAGE = "average"


class Montage:
    """A decoder's channels in a stream, those they are referenced to, and the guards: others that are only judged.

    `names` are the decoder's channels, then the guards; `limits_uv` (names,) the largest span of each, infinite where
    there is none. `decoded`: how many are the decoder's. `needed`: the channels without which nothing can be decoded, those
    of the reference too. `faults_count`: whether one of them that is at fault counts, as when EEG has a limit. `own_rows`: of
    each channel that is the decoder's and not of the reference, as the stream calls it, the place in `names`.

    Parameters
    ----------
    channels : of the decoder, in its order
    facts : of the stream
    source : what to call the stream in a sentence

    Raises
    ------
    MontageError
        If the stream lacks channels of the decoder or of the reference.
    """

    def __init__(self, channels: Sequence[str], facts: StreamFacts, config: EpochConfig, source: str) -> None:
        there, types = facts.channels, facts.channel_types
        self._picked = pick_channels(channels, there, source)
        reference_names = _reference(config.reference, channels, there, source)
        self._reference = np.array(_places(reference_names, there), dtype=np.intp) if reference_names else None
        own = {name.lower() for name in (*channels, *config.reference)}
        self._guards = [
            index
            for index, (name, type_) in enumerate(zip(there, types, strict=True))
            if type_ in config.reject_uv and type_ != "eeg" and name.lower() not in own
        ]
        self.decoded = len(channels)
        self.names = (*channels, *(there[index] for index in self._guards))
        self._needed = sorted({*_places(channels, there), *_places(reference_names, there)})
        self.needed = tuple(there[index] for index in self._needed)
        referenced = _places(reference_names, there)
        self.own_rows = {
            there[place]: row for row, place in enumerate(_places(channels, there)) if place not in referenced
        }
        self.faults_count = "eeg" in config.reject_uv
        eeg = config.reject_uv.get("eeg", np.inf)
        limits = [eeg] * self.decoded + [config.reject_uv[types[index]] for index in self._guards]
        self.limits_uv: NDArray[np.float64] = np.array(limits)

    def pick_needed(self, samples: FloatArray) -> FloatArray:
        """(n, the stream's channels) → (n, needed), as recorded, µV."""
        return samples[:, self._needed]

    def pick(self, samples: FloatArray) -> FloatArray:
        """(n, the stream's channels) → (n, names), the decoder's channels re-referenced, µV."""
        picked = samples[:, self._picked]
        if self._reference is not None:
            picked = picked - samples[:, self._reference].mean(axis=1, keepdims=True)
        return np.hstack([picked, samples[:, self._guards]]) if self._guards else picked


def pick_channels(wanted: Sequence[str], there: Sequence[str], source: str) -> NDArray[np.intp] | slice:
    """Indices into `there` of the channels `wanted`, whatever their case; a slice, which copies nothing, of all in order.

    Raises
    ------
    MontageError
        If channels are missing; the sentence names them.
    """
    missing = _missing(wanted, there)
    if missing:
        raise MontageError(
            f"The decoder needs the channels {', '.join(missing)}, which '{source}' does not have. "
            f"It has {', '.join(there)}. Train a decoder for this headset: bci-live train SESSION… --out DIR"
        )
    picked = _places(wanted, there)
    return slice(None) if picked == [*range(len(there))] else np.array(picked, dtype=np.intp)


def _reference(reference: Sequence[str], channels: Sequence[str], there: Sequence[str], source: str) -> Sequence[str]:
    """The names of the channels whose mean is subtracted; none where nothing is."""
    names = channels if [name.lower() for name in reference] == [AVERAGE] else reference
    missing = _missing(names, there)
    if missing:
        raise MontageError(
            f"The reference {', '.join(missing)} is no channel of '{source}', which has {', '.join(there)}. "
            f"Name channels that are there, or take --reference {AVERAGE}."
        )
    return names


def _missing(wanted: Sequence[str], there: Sequence[str]) -> list[str]:
    known = {name.lower() for name in there}
    return [name for name in wanted if name.lower() not in known]


def _places(wanted: Sequence[str], there: Sequence[str]) -> list[int]:
    places = {name.lower(): index for index, name in reversed(list(enumerate(there)))}
    return [places[name.lower()] for name in wanted]
