"""Which channels carry no EEG, now and over the session, and what the user should be told of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from bci_live.signal.montage import pick_channels
from bci_live.signal.quality import Fault, FaultMeter, FaultTimes, in_words
from bci_live.streams.inlet import EegInlet

# How long to wait for new samples.
_WAIT_S = 0.1
# An electrode that is touched is off for a moment; one that is off for longer is said.
_SAID_AFTER_S = 3.0
_MOST_NAMED = 3


class ChannelWatch:
    """Follows a ring in blocks of a second. One step: wait for the next block, and judge it.

    Parameters
    ----------
    needed : the channels without which no epoch can be decoded; nothing where faults cost no epoch
    fills : whether these of them together can be filled in from the others
    """

    def __init__(
        self, eeg: EegInlet, needed: Collection[str], fills: Callable[[Collection[str]], bool] = lambda _: False
    ) -> None:
        facts = eeg.facts
        self._ring, self._needed, self._fills = eeg.ring, needed, fills
        # Triggers and counters stand still by nature, so EEG alone is judged; and whatever else the decoder reads.
        judged = [*facts.eeg_channels, *(name for name in needed if name not in facts.eeg_channels)]
        self._places = pick_channels(judged, facts.channels, facts.name)
        self._meter = FaultMeter(judged, facts.rate)
        self._done = 0

    @property
    def times(self) -> Mapping[str, FaultTimes]:
        """Of the channels that ever were at fault."""
        return self._meter.times

    @property
    def now(self) -> dict[str, Fault]:
        """The channels that are at fault, and what they are."""
        return {name: it.now for name, it in self._meter.times.items() if it.now is not None}

    def step(self) -> None:
        """Judge the next second, when it is there."""
        end = self._done + self._meter.block
        if self._ring.wait_newer(end - 1, _WAIT_S) < end:
            return
        self._meter.add(self._ring.between(self._done, end).samples[:, self._places])
        self._done = end

    def troubles(self) -> tuple[str, ...]:
        """What costs every epoch now, or is filled in, in a sentence that stays as long as it does; nothing when all is well."""
        off = {
            name: it.now
            for name, it in self._meter.times.items()
            if it.now is not None and it.lasting_s >= _SAID_AFTER_S and name in self._needed
        }
        if not off:
            return ()
        if len(off) == len(self._needed) > 1:
            return (
                f"No channel carries EEG ({in_words(off)}): is the headset on the head, and the unit right that its "
                "stream tells?",
            )
        if self._fills(off):
            return (f"{in_words(off)}: filled in from the other channels. Check the electrode.",)
        return (
            f"{in_words(off)}: no epoch can be read so. Check the electrode, or train anew: a channel that is so for most of "
            "the recording is left out.",
        )

    def summary(self) -> tuple[str, ...]:
        """For how long the channels were at fault that cost most epochs, of how long."""
        costly = {
            name: it for name, it in self._meter.times.items() if it.total_s >= _SAID_AFTER_S and name in self._needed
        }
        worst = sorted(costly, key=lambda name: -costly[name].total_s)[:_MOST_NAMED]
        told = ", ".join(f"{name} for {costly[name].total_s:.0f} s ({costly[name].mostly})" for name in worst)
        others = f" and {len(costly) - len(worst)} others" if len(costly) > len(worst) else ""
        return (f"Without EEG of {self._meter.watched_s:.0f} s: {told}{others}.",) if costly else ()
