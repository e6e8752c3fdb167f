"""The window on the demo, through real LSL, as `make live` opens it, but without a screen."""

from __future__ import annotations

import uuid
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from bci_live.live.background import BackgroundSession
from bci_live.live.launcher import LiveRequest
from bci_live.live.sliding import is_sliding
from bci_live.live.snapshot import LiveSnapshot
from bci_live.window.main_window import MainWindow
from bci_live.window.picture_panel import to_picture
from tests.system.conftest import ROOT
from tests.window.conftest import pixels_of

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


class Held(BackgroundSession):
    """A session whose snapshot can be held, so that what the window shows of it can be compared."""

    held: LiveSnapshot | None = None

    def snapshot(self) -> LiveSnapshot | None:
        return self.held or super().snapshot()


def test_the_window_shows_what_the_demo_session_tells(qtbot: QtBot) -> None:
    demo, decoder = ROOT / "recordings" / "demo.xdf", ROOT / "models" / "decoder-demo"
    with Held(LiveRequest(decoder=decoder, replay=demo, loop=True, device="cpu")) as session:
        window = MainWindow(session, "bci_live")
        qtbot.addWidget(window)
        window.show()
        assert window.start.isVisible()

        def three_shown() -> None:
            assert session.problem() is None
            snapshot = session.snapshot()
            assert snapshot is not None
            assert snapshot.counts.shown >= 3

        qtbot.waitUntil(lambda: bool(session.problem() or session.snapshot()), timeout=90_000)
        qtbot.waitUntil(three_shown, timeout=60_000)
        session.held = session.snapshot()
        assert session.held is not None
        window.poll_snapshot()
        window.poll_signal()
        holds(window, session.held)
        session.held = None
        draws_otherwise(qtbot, session, window)
        window.close()


def test_without_a_headset_the_demo_is_a_click_away(qtbot: QtBot) -> None:
    nowhere = f"no-headset-{uuid.uuid4()}"
    with Held(LiveRequest(decoder=ROOT / "models" / "decoder-demo", stream=nowhere, device="cpu")) as session:
        window = MainWindow(session, "bci_live")
        qtbot.addWidget(window)
        window.show()
        qtbot.waitUntil(window.streams.welcome.isVisible, timeout=90_000)
        assert nowhere in window.errors.text.text()
        qtbot.mouseClick(window.streams.welcome.demo_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: not window.streams.isVisible(), timeout=5_000)
        assert not window.errors.isVisible()
        qtbot.waitUntil(lambda: bool(window.live.filmstrip.strip.pairs), timeout=90_000)
        assert window.header.badge.text() == "SIMULATED · REPLAY"
        window.close()


def draws_otherwise(qtbot: QtBot, session: Held, window: MainWindow) -> None:
    """Steps and seed chosen in the window are those of later pictures, and the session goes on."""
    before = session.snapshot()
    assert before is not None
    window.live.controls.steps.setValue(3)
    window.live.controls.strength.setValue(1.0)
    window.live.controls.seed.setValue(11)

    def newest_is_so() -> bool:
        snapshot = session.snapshot()
        assert snapshot is not None
        newest = snapshot.history[-1]
        return (newest.steps, newest.seed, newest.strength) == (3, 11, 1.0)

    qtbot.waitUntil(newest_is_so, timeout=30_000)
    after = session.snapshot()
    assert after is not None
    assert after.counts.markers >= before.counts.markers
    window.live.controls.every.setValue(1.0)

    def a_window_slid() -> bool:
        snapshot = session.snapshot()
        assert snapshot is not None
        return any(is_sliding(it.decoding.epoch.marker) for it in snapshot.history)

    qtbot.waitUntil(a_window_slid, timeout=30_000)
    session.load(replace(session.models(), decoder=ROOT / "nowhere"))
    qtbot.waitUntil(lambda: "nowhere" in session.model_problem(), timeout=30_000)
    qtbot.waitUntil(lambda: "nowhere" in window.errors.text.text(), timeout=5_000)
    qtbot.waitUntil(lambda: session.snapshot() is not None, timeout=60_000)  # with the models of before


def holds(window: MainWindow, snapshot: LiveSnapshot) -> None:
    """The widgets hold what the snapshot says."""
    assert window.header.badge.text() == "SIMULATED · REPLAY"
    decoding, newest = snapshot.decoding, snapshot.history[-1]
    assert decoding is not None
    np.testing.assert_array_equal(pixels_of(window.live.pictures.saliency.pixmap), to_picture(decoding.saliency))
    strip = window.live.filmstrip.strip
    strip.grab()  # its pixmaps are made when it is painted
    np.testing.assert_array_equal(pixels_of(strip.pixmaps[strip.pairs[-1].marker][0]), newest.image)
    assert all(truth is not None for _, truth in strip.pixmaps.values())
    assert window.live.pictures.truth.pixmap is not None
    assert window.live.pictures.truth.caption.text() == decoding.epoch.marker.label
    read = snapshot.guess or decoding  # of the next picture there may be a first guess already
    told = "Not told" if read is decoding and decoding.abstained else max(read.scores, key=lambda it: read.scores[it])
    assert window.live.scores.top.text() == told
    assert window.live.status.figure("Shown") == str(snapshot.counts.shown)
    assert "chance 2.5 %" in window.live.status.figure("Top-1 right")
    assert window.live.status.figure("Finished picture").count("·") == 2
    assert window.live.signal.canvas.rows is not None
    assert len(window.live.signal.canvas.rows.channels) == 32
    # At the right edge a label has little room, or none.
    assert snapshot.markers[-1].label.startswith(window.live.signal.visible_markers()[-1].rstrip("…"))
    assert not window.errors.isVisible()
