"""The channels as the user has them on display: which are picked, which are marked bad, how high each type's rows are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bci_live.types import FloatArray, StreamFacts
from bci_live.window import theme
from bci_live.window.signal.columns import ColumnRing
from bci_live.window.signal.paging import ALL, Page
from bci_live.window.signal.picture import Rows, row_colours
from bci_live.window.signal.rows import by_type, middles, row_height, step_by

# From less signal no height is taken that is to stay; one that follows the signal is found again in a second.
_ENOUGH_S = 1.0


@dataclass(frozen=True, slots=True)
class RowSettings:
    """What the user has set, which outlasts a stream. `bad`, `hidden`: channels by name, of all montages.

    `rows`: at a time. `automatic`: heights follow the signal; else `heights`: by type of channel, units a row.
    """

    bad: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    rows: int = ALL
    automatic: bool = True
    heights: Mapping[str, float] = field(default_factory=dict)


class Channels:
    """Of one stream. `heights`: by type of channel, units a row, as far as they are known. `automatic`: they follow the signal."""

    def __init__(self, facts: StreamFacts, settings: RowSettings) -> None:
        self.names, self.types = facts.channels, facts.channel_types
        self.units = {
            type_: unit_text(type_, unit)
            for type_, unit in zip(reversed(self.types), reversed(facts.units), strict=False)
        }
        self._before = settings
        self.hidden, self.bad = settings.hidden & frozenset(self.names), settings.bad & frozenset(self.names)
        self.page = Page(settings.rows)
        self.automatic = settings.automatic
        self.heights = {} if self.automatic else dict(settings.heights)
        self._middles: FloatArray | None = None

    @property
    def settings(self) -> RowSettings:
        """To go on with; what was known of channels that this stream has not stays known."""
        names, before = frozenset(self.names), self._before
        return RowSettings(
            self.bad | (before.bad - names),
            self.hidden | (before.hidden - names),
            self.page.rows,
            self.automatic,
            {} if self.automatic else dict(self.heights),
        )

    @property
    def shown(self) -> list[int]:
        """Indices of the picked channels; of all, where none is."""
        picked = [index for index, name in enumerate(self.names) if name not in self.hidden]
        return picked or list(range(len(self.names)))

    @property
    def on_page(self) -> list[int]:
        """Indices of those picked channels that are on display."""
        shown = self.shown
        return [shown[place] for place in self.page.places(len(shown))]

    @property
    def averaged(self) -> list[int]:
        """Indices of the sound EEG channels, which the common average is made of."""
        return [i for i, name in enumerate(self.names) if self.types[i] == "eeg" and name not in self.bad]

    def mark(self, name: str) -> None:
        """A sound channel becomes bad, a bad one sound."""
        self.bad = self.bad ^ {name}

    def pick(self, names: Iterable[str]) -> None:
        """Show these alone."""
        self.hidden = frozenset(self.names) - frozenset(names)

    def zoom(self, steps: int) -> None:
        """Higher rows' units by so many round numbers (negative: the signal looks larger)."""
        self.automatic = False
        self.heights = {type_: step_by(height, steps) for type_, height in self.heights.items()}

    def forget_middles(self) -> None:
        """The samples are shifted, by another filter for instance."""
        self._middles = None

    def settle(self, ring: ColumnRing) -> bool:
        """Heights and middles as the signal in `ring` wants them; whether any of them changed."""
        before = (dict(self.heights), self._middles)
        order = ring.order()
        low, high = ring.low[:, order], ring.high[:, order]
        for type_ in dict.fromkeys(self.types):
            if not self.automatic and type_ in self.heights:
                continue
            of_type = self._of_type(type_)
            known = np.flatnonzero(np.isfinite(low[of_type]).any(axis=0))
            known_s = (known[-1] - known[0]) * ring.column_s if len(known) else 0.0
            found = row_height(low[of_type], high[of_type], self.heights.get(type_))
            if found is not None and (self.automatic or known_s >= _ENOUGH_S):
                self.heights[type_] = found
        self._middles = middles(low, high, self._middles, by_type(self.types, self.heights))
        return before[0] != self.heights or before[1] is None or not np.array_equal(before[1], self._middles)

    def rows(self) -> Rows:
        """As they are to be drawn now."""
        shown = self.on_page
        places: NDArray[np.intp] = np.array(shown, dtype=np.intp)
        heights = by_type(self.types, self.heights)[places]
        middle = np.zeros(len(shown), np.float32) if self._middles is None else self._middles[places]
        bad = [self.names[index] in self.bad for index in shown]
        return Rows(places, heights, middle, row_colours(len(shown), theme.now.traces, bad, theme.now.line))

    def _of_type(self, type_: str) -> list[int]:
        """Those that set their type's scale: shown and sound, or else all."""
        all_ = [index for index, it in enumerate(self.types) if it == type_]
        shown = set(self.shown)
        return [i for i in all_ if i in shown and self.names[i] not in self.bad] or all_


def unit_text(type_: str, unit: str) -> str:
    """What stands beside a scale bar: inlets turn volts of any size into µV; other units are as the stream says."""
    known = unit.lower()
    if known in ("", "none", "unknown"):
        return "µV" if type_ == "eeg" else ""
    return "µV" if "volt" in known or known in ("uv", "µv", "mv", "v") else unit
