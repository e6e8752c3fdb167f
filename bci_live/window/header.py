"""The top of the window: what is connected, where the data come from, and what went wrong."""

from __future__ import annotations

import time

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from bci_live.live.snapshot import LiveSnapshot, badge
from bci_live.window import theme

# A word on what was done stands so long.
_SAID_S = 6.0
_BADGES = {
    "LIVE": "comes from a headset, now",
    "REPLAY": "a recording is played again",
    "SIMULATED": "a made-up head, no person",
    "STALE": "nothing comes in now",
    "SIMULATED DECODER": "the decoder was trained on a made-up head: of a real one it tells nothing",
    "NO STREAM": "nothing is connected",
}


class Badge(QLabel):
    """A pill with one of the badge texts; its shape and words tell as much as its colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("badge")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.hide()

    def show_badge(self, text: str) -> None:
        """Show the words of `live.snapshot.badge`."""
        if text == self.text():
            return
        colour = theme.now.orange if "STALE" in text else theme.now.green if text == "LIVE" else theme.now.purple
        self.setStyleSheet(f"background: {colour}; color: {theme.now.background};")
        self.setText(text)
        self.setToolTip("\n".join(f"{word}: {_BADGES[word]}" for word in text.split(" · ")))
        self.show()


class Header(QWidget):
    """Title, the stream's name, the buttons, the badge."""

    def __init__(self, title: str, record_button: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = theme.named_label("title", title)
        self.stream, self.notice = theme.ShortLabel("muted"), theme.ShortLabel("note")
        self.notice.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._told, self._told_until = "", 0.0
        self.badge = Badge()
        self.keys_button = QPushButton("?")
        self.keys_button.setToolTip("The keys (?)")
        self.streams_button = QPushButton("Streams …")
        self.streams_button.setToolTip("What streams there are, and which of them are taken")
        self.streams_button.setCheckable(True)
        theme.leave_keys(self.keys_button, self.streams_button, record_button)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(14)
        row.addWidget(self.title)
        row.addWidget(self.stream, 1)
        row.addWidget(self.notice)
        for widget in (self.keys_button, self.streams_button, record_button, self.badge):
            row.addWidget(widget)

    def say(self, text: str) -> None:
        """A word on what was just done, for some seconds."""
        self._told, self._told_until = text, time.monotonic() + _SAID_S
        self.notice.setText(text)

    def repaint_badge(self) -> None:
        """In the colours of another look."""
        text = self.badge.text()
        self.badge.setText("")
        if text:
            self.badge.show_badge(text)

    def show_stream(self, snapshot: LiveSnapshot, rests: str = "") -> None:
        """Name and size of the stream, the badge, and for how long nothing came; or that it `rests`, in words."""
        facts, status = snapshot.facts, snapshot.status
        stale = status is not None and status.stale and not rests
        self.badge.show_badge(badge(facts, stale, snapshot.simulated_decoder))
        about = [f"{facts.name} · {len(facts.channels)} channels · {facts.rate:g} Hz"] if facts else []
        # Where there is no room for both, what the user should know comes before the name.
        self.stream.setText(" · ".join(filter(None, (snapshot.note, *about))))
        if self._told and time.monotonic() < self._told_until:
            self.notice.setText(self._told)
        elif snapshot.phase == "ended":
            self.notice.setText("The session has ended")
        elif rests:
            self.notice.setText(rests)
        elif stale and status is not None and status.age_s is not None:
            self.notice.setText(f"No sample for {status.age_s:.0f} s")
        else:
            self.notice.setText("")

    def show_nothing(self) -> None:
        """Nothing is connected."""
        self.badge.setText("")
        self.badge.hide()
        self.stream.setText("")
        self.stream.setToolTip("")
        self.notice.setText(self._told if time.monotonic() < self._told_until else "")


class ErrorBar(QFrame):
    """One bar for whatever went wrong; hidden while nothing did. New errors replace the text, never pile up."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("errors")
        self.text = theme.named_label("error")
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        mark = theme.named_label("note", "⚠")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.MARGIN, 7, theme.MARGIN, 7)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.text, 1)
        self.hide()

    def show_error(self, text: str | None) -> None:
        """Show `text`, or hide the bar."""
        if (text or "") != self.text.text():
            self.text.setText(text or "")
            self.setVisible(bool(text))


if __name__ == "__main__":
    from bci_live.window.example import show_alone

    def _example(snapshot: LiveSnapshot) -> Header:
        header = Header("bci_live", QPushButton("● REC"))
        header.show_stream(snapshot)
        return header

    raise SystemExit(show_alone(_example))
