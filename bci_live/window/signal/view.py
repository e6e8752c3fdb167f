"""The signal panel: what the canvas is fed with, live or held, and the controls above it."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtWidgets import QWidget

from bci_live.live.snapshot import SignalPart
from bci_live.types import Chunk, Marker, StreamFacts
from bci_live.window import theme
from bci_live.window.signal.canvas import EpochSpan, SignalCanvas
from bci_live.window.signal.channels import Channels, RowSettings
from bci_live.window.signal.conditioning import DisplayFilter
from bci_live.window.signal.feed import Feed
from bci_live.window.signal.held import HeldBar, in_order, longest_back, stretch
from bci_live.window.signal.pager import Pager
from bci_live.window.signal.toolbar import SignalToolbar, offered
from bci_live.window.source import SnapshotSource

DURATIONS = (2.0, 5.0, 10.0, 20.0, 30.0)
# How far back can be scrolled: what a session holds.
HELD_S = 60.0
# A filter needs some signal before what is shown of it is right.
_LEAD_S = 3.0


class SignalView(theme.Panel):
    """Follows the newest sample, or holds the last minute and scrolls in it. The session goes on either way."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("EEG", parent)
        self.canvas = SignalCanvas()
        self.toolbar = SignalToolbar(self.heading)
        self.body.removeWidget(self.heading)
        self.body.addWidget(self.toolbar)
        self.body.addWidget(self.canvas, 1)
        # In the corner above the channels' names: the heading has no room to say it in a narrow window.
        self.filtered = theme.named_label("note", "filtered", self.canvas)
        self.filtered.setToolTip("The display is filtered; what is decoded is not touched")
        self.filtered.move(0, 1)
        self.bar = HeldBar(self.canvas, self)
        self.pager = Pager(self.canvas, self.toolbar.menu, self)
        self.filter = DisplayFilter()
        self.held: Chunk | None = None
        self.back_s = 0.0
        self._facts: StreamFacts | None = None
        self._feed = Feed(self.canvas)
        self._settings = RowSettings()  # until there is a stream
        self._hold_next = False
        self.canvas.clicked.connect(self.mark)
        self.canvas.resized.connect(self.refill)
        self.canvas.wheeled.connect(self.wheel)
        self.canvas.zoomed.connect(self.zoom)
        self.pager.shown.connect(self._say)
        self.bar.moved.connect(self._look_at)
        tools = self.toolbar
        tools.filtered.connect(self.show_filter)
        tools.menu.picked.connect(self.pick)
        tools.zoomed.connect(self.zoom)
        tools.fitted.connect(self.fit)
        tools.held.connect(self.hold)
        tools.swept.connect(self.sweep)
        self._say()

    @property
    def channels(self) -> Channels | None:
        """Of the stream on display."""
        return self.canvas.channels

    @property
    def holding(self) -> bool:
        """Whether the display stands still."""
        return self.held is not None or self._hold_next

    def show_stream(self, facts: StreamFacts) -> None:
        """A row for each channel, the first on top."""
        known = self._facts
        if known is not None and _shape(known) == _shape(facts):
            return
        channels = Channels(facts, self.settings)
        self._facts = facts
        self.canvas.show_channels(channels)
        self.toolbar.menu.show_channels(channels.names, channels.hidden)
        self.toolbar.show_automatic(channels.automatic)
        self.pager.refresh()
        self._reset_filter()
        self.follow()

    def poll(self, source: SnapshotSource) -> None:
        """Draw what came since the last time."""
        if self._facts is None:
            return
        if self._hold_next:
            self._hold(source.signal(HELD_S))
        if self.held is not None:
            if self._feed.outdated:
                self._draw_held(self.held)
            return
        part = source.signal_since(self._feed.since, self.canvas.seconds + _LEAD_S)
        if part is not None:
            self.show_part(part)

    def show_part(self, part: SignalPart) -> None:
        """Append a stretch; one that does not follow on the last begins a new picture."""
        if self._fits(part.chunk):
            self._feed.show_part(part)

    def show_markers(self, markers: Sequence[tuple[Marker, str | None]]) -> None:
        """Markers with the reason why each was missed, or None; what is held keeps those that it has."""
        if self.held is None:
            self.canvas.show_markers(markers)

    def show_epoch(self, span: EpochSpan | None) -> None:
        """Shade the stretch that the picture on display was read from; what is held keeps its shade."""
        if self.held is None:
            self.canvas.show_epoch(span)

    def visible_markers(self) -> list[str]:
        """The texts of the lines on display, oldest first."""
        return [line.text for line in self.canvas.lines()]

    def show_filter(self, wanted: DisplayFilter) -> None:
        """Filter what is on display, by what the bar offers; the data decoded are not touched."""
        self.filter = offered(wanted)
        self.toolbar.show_filter(self.filter)
        self._reset_filter()
        self.refill()
        self._say()

    def mark(self, name: str) -> None:
        """Mark a channel bad, or sound again: it sets no scale and is in no average of the display."""
        if self.channels is None:
            return
        self.channels.mark(name)
        if self.filter.average:
            self.refill()
        self.canvas.draw_all()

    def mark_chosen(self) -> None:
        """Mark the chosen channel bad, or sound again."""
        if self.canvas.chosen:
            self.mark(self.canvas.chosen)

    def sweep(self, wanted: bool) -> None:
        """Let the signal stand and a pen go over it, or let it scroll."""
        self.canvas.sweeping = wanted
        self.toolbar.sweep.setChecked(wanted)
        self.canvas.update()
        self._say()

    def pick(self, names: Sequence[str]) -> None:
        """Show these channels alone."""
        if self.channels is not None:
            self.channels.pick(names)
            self.pager.refresh()

    def zoom(self, steps: int) -> None:
        """Make the signal look larger (negative) or smaller."""
        if self.channels is not None:
            self.channels.zoom(steps)
            self.toolbar.show_automatic(False)
            self.canvas.draw_all()

    def fit(self, automatic: bool = True) -> None:
        """Let the rows follow the signal, or keep them as they are."""
        if self.channels is None or self.canvas.ring is None:
            return
        self.channels.automatic = automatic
        self.toolbar.show_automatic(automatic)
        if automatic:
            self.channels.settle(self.canvas.ring)
            self.canvas.draw_all()

    def toggle_channel(self, number: int) -> None:
        """Hide the channel of that number, or show it."""
        if self.channels is not None and number < len(self.channels.names):
            shown = set(self.channels.names) - self.channels.hidden
            self.pick(sorted(shown ^ {self.channels.names[number]}, key=self.channels.names.index))
            self.toolbar.menu.show_channels(self.channels.names, self.channels.hidden)

    @property
    def bad(self) -> frozenset[str]:
        """Channels that are marked bad, those of another montage too."""
        return self.settings.bad

    @property
    def settings(self) -> RowSettings:
        """What is to come back of channels and rows with the next stream."""
        return self._settings if self.channels is None else self.channels.settings

    def recall(self, wanted: DisplayFilter, seconds: float, sweeping: bool, settings: RowSettings) -> None:
        """As it was the last time, before there is a stream."""
        self.sweep(sweeping)
        self._settings = settings
        self.toolbar.show_automatic(settings.automatic)
        if seconds in DURATIONS:
            self.canvas.seconds = seconds
        self.show_filter(wanted)

    def lengthen(self, steps: int) -> None:
        """Show a longer stretch, or a shorter one."""
        place = DURATIONS.index(self.canvas.seconds) + steps
        self.canvas.seconds = DURATIONS[min(max(place, 0), len(DURATIONS) - 1)]
        self.refill()
        self._say()

    def hold(self, wanted: bool) -> None:
        """Stand still, or follow live."""
        if wanted:
            self._hold_next = not self.holding or self._hold_next
        else:
            self.follow()
        self._say()

    def follow(self) -> None:
        """Go on with the newest sample."""
        self.held, self.back_s, self._hold_next = None, 0.0, False
        self.canvas.ago_s = None
        self.refill()
        self._say()

    def look_back(self, seconds: float) -> None:
        """Look so much later (negative: further back) within what is held; this holds the display, with the next poll."""
        if not self.holding:
            self.hold(True)
        self._look_at(max(self.back_s - seconds, 0.0))

    def wheel(self, notches: int) -> None:
        """A second back for each notch, or forward (negative); forward from live there is nothing, and nothing is held."""
        if notches > 0 or self.holding:
            self.look_back(-float(notches))

    def refill(self) -> None:
        """Fetch all that is on display again, with the next poll."""
        self._feed.renew()

    def _look_at(self, back_s: float) -> None:
        """With the next poll: several moves before it cost one drawing, and a minute of many channels is no small one."""
        self.back_s = back_s if self.held is None else min(back_s, longest_back(self.held, self.canvas.seconds))
        self.refill()

    def _hold(self, held: Chunk | None) -> None:
        """Stand still with that, unless there is nothing yet, or it is of a montage whose rows are not there yet."""
        if held is None or not len(held.times) or not self._fits(held):
            self.follow()
            return
        self.held, self._hold_next = in_order(held), False
        self.refill()

    def _draw_held(self, held: Chunk) -> None:
        longest_s = longest_back(held, self.canvas.seconds)
        self.back_s = min(self.back_s, longest_s)
        self._feed.begin()
        shown = stretch(held, self.back_s, self.canvas.seconds + _LEAD_S)
        if shown is not None:
            self._feed.add(shown)
        self.canvas.ago_s = self.back_s
        self.canvas.update()
        self.bar.show_place(self.back_s, longest_s, self.canvas.seconds)
        self._say()

    def _fits(self, chunk: Chunk) -> bool:
        """Another session's may come before its stream is shown."""
        return self._facts is not None and chunk.samples.shape[1] == len(self._facts.channels)

    def _reset_filter(self) -> None:
        if self._facts is not None:
            self._feed.set_filter(self.filter, self._facts.rate)

    def _say(self) -> None:
        where = "a sweep" if self.canvas.sweeping else "newest at 0 s"
        if self.holding:
            where = f"{round(self.back_s, 1):g} s back" if self.back_s else "held"
        self.filtered.setVisible(self.filter != DisplayFilter())
        shown = " · display filtered" if self.filter != DisplayFilter() else ""
        page = f" {self.pager.text()}".rstrip()
        self.heading.setText(f"EEG{page}, {self.canvas.seconds:g} s ({where}){shown}")
        self.toolbar.show_held(self.holding)
        self.bar.setVisible(self.held is not None)


def _shape(facts: StreamFacts) -> tuple[object, ...]:
    """What rows, scales and the filter are made for."""
    return facts.channels, facts.types, facts.units, facts.rate


if __name__ == "__main__":
    from bci_live.live.snapshot import LiveSnapshot
    from bci_live.window.example import example_chunk, example_facts, show_alone

    def _example(snapshot: LiveSnapshot) -> SignalView:
        view = SignalView()
        view.show_stream(example_facts())
        view.show_markers([(marker, None) for marker in snapshot.markers])
        view.canvas.resized.connect(lambda: view.show_part(SignalPart(0, example_chunk(gap_s=0.5))))
        return view

    raise SystemExit(show_alone(_example))
