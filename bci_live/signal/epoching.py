"""From a raw stretch of samples to the epoch that a decoder reads: the one function that live and training share."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from bci_live.config import EpochConfig, FilterConfig
from bci_live.signal.filters import design
from bci_live.signal.montage import Montage
from bci_live.signal.quality import LOUD, faults, in_words
from bci_live.signal.repair import ChannelRepair, can_fill
from bci_live.types import FloatArray


class EpochPlan:
    """How many samples to take around an onset, and what to make of them.

    Parameters
    ----------
    rate : of the stream, Hz
    target_rate : of the decoder, Hz; the epoch is resampled when they differ
    repair : what fills in the decoder's channels that carry no EEG; without it such a channel costs the epoch

    `before`, `after`: samples from the onset's; the first `pre_roll` of them are for the filter alone.
    """

    def __init__(
        self,
        rate: float,
        target_rate: float,
        filter_config: FilterConfig,
        epoch_config: EpochConfig,
        repair: ChannelRepair | None = None,
    ) -> None:
        self.rate = rate
        self.repair = repair
        self.target_rate = target_rate
        self.filter, self.epoch = filter_config, epoch_config
        self._band = design(rate, filter_config)
        self._resampled = rate != target_rate
        first, last = round(epoch_config.start_s * target_rate), round(epoch_config.stop_s * target_rate)
        self.times: NDArray[np.float64] = np.arange(first, last) / target_rate
        self._lead, self.after = -first, last
        if self._resampled:
            # Interpolation needs own samples on both sides of the first and of the last point.
            self._lead = math.ceil(-first / target_rate * rate)
            self.after = math.floor((last - 1) / target_rate * rate) + 2
        self.pre_roll = round(filter_config.pre_roll_s * rate)
        self.before = self.pre_roll + self._lead

    @property
    def n_times(self) -> int:
        """Samples of an epoch at the decoder's rate."""
        return len(self.times)

    def until(self, until_s: float) -> EpochPlan:
        """The plan of the window's beginning, up to `until_s` seconds after the onset.

        The filter is causal and the baseline lies before the onset, so its epochs are to the bit the beginnings of the
        whole ones; where they are resampled, to what the interpolation's end makes of the last few samples. Whether a channel
        carries EEG is judged by what there is of it.
        """
        beginning = self.epoch.model_copy(update={"stop_s": until_s})
        return EpochPlan(self.rate, self.target_rate, self.filter, beginning, self.repair)

    def prepare(self, samples: FloatArray) -> FloatArray:
        """Filter, crop, resample, subtract the baseline, transpose.

        Resampling is interpolation at the decoder's times from the onset sample on: it shifts nothing, and the band-pass
        before it leaves little that could alias (at its default 30 Hz, 38 dB down where 250 Hz would fold it back to 30 Hz).

        Parameters
        ----------
        samples : (before + after, channels), µV

        Returns
        -------
        (channels, times), µV
        """
        window = self._band.run(samples)[self.pre_roll :]
        if self._resampled:
            own_times = (np.arange(len(window)) - self._lead) / self.rate
            window = CubicSpline(own_times, window, axis=0)(self.times)
        before_onset = self.times < 0
        if self.epoch.baseline and before_onset.any():
            window = window - window[before_onset].mean(axis=0)
        return np.ascontiguousarray(window.T, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Prepared:
    """`data`: (the decoder's channels, times), µV. `filled`: those of the channels that were filled in from the others."""

    data: FloatArray
    filled: tuple[str, ...] = ()


def make_epoch(samples: FloatArray, plan: EpochPlan, montage: Montage) -> Prepared | str:
    """What the decoder reads of a marker's stretch, or, in words, why it is thrown away. Live, in training and in evaluation.

    A channel that is flat, railed or NaN in the window itself, or so much louder than the others that it is over the limit
    alone, is filled in by the plan's `repair`, where that may be. Else it costs the epoch: the decoder was made with that
    electrode on the head. The channel is judged as recorded, because a reference makes noise of a flat one.

    Parameters
    ----------
    samples : (before + after, the stream's channels), µV
    """
    found = faults(montage.pick_needed(samples[plan.pre_roll :]), montage.needed) if montage.faults_count else {}
    bad = fillable(found, plan, montage)
    if bad is None:
        return in_words(found)
    picked = montage.pick(samples)
    if bad:
        picked = picked.copy()
        picked[:, bad] = 0.0  # interpolation refuses what is not a number
    data = plan.prepare(picked)
    loud = fillable([*found, *_loud(data, montage)], plan, montage)
    bad = bad if loud is None else loud
    if bad and plan.repair is not None:
        data[: montage.decoded] = plan.repair.fill(data[: montage.decoded], bad)
    return artefact(data, montage.names, montage.limits_uv) or Prepared(
        data[: montage.decoded], tuple(montage.names[row] for row in bad)
    )


def fillable(names: Collection[str], plan: EpochPlan, montage: Montage) -> list[int] | None:
    """The rows of these channels of the stream in the decoder's epoch, if all of them may be filled in; else None.

    What the others are referenced to cannot be: it is in all of them.
    """
    if not names:
        return []
    rows = [montage.own_rows.get(name) for name in names]
    own = sorted({row for row in rows if row is not None})
    if plan.repair is None or None in rows or not can_fill(len(own), montage.decoded):
        return None
    return own


def _loud(data: FloatArray, montage: Montage) -> list[str]:
    """The stream's channels that are over their limit though most others are far from it: an electrode, not the person."""
    span = np.ptp(data[: montage.decoded], axis=1)
    limits = np.maximum(montage.limits_uv[: montage.decoded], LOUD * np.median(span))
    return [name for name, row in montage.own_rows.items() if span[row] > limits[row]]


def artefact(data: FloatArray, channels: Sequence[str], limits_uv: NDArray[np.float64]) -> str | None:
    """Why the epoch (channels, times), µV, is to be thrown away, in words; None when it is clean.

    `limits_uv`: (channels,), the largest span of each, infinite where any will do.
    """
    if not np.isfinite(data).all():
        return "the samples are not all numbers"
    span = np.ptp(data, axis=1)
    worst = int((span / limits_uv).argmax())
    if span[worst] <= limits_uv[worst]:
        return None
    return f"{channels[worst]} spans {span[worst]:.0f} µV, more than {limits_uv[worst]:g} µV"
