"""Widgets without a screen, fed with made-up snapshots."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PyQt6.QtGui import QImage, QPixmap
from pytestqt.qtbot import QtBot

from bci_live.types import Picture
from bci_live.window.example import ExampleSource, example_chunk, example_snapshot
from bci_live.window.main_window import MainWindow

OpenWindow = Callable[[ExampleSource], MainWindow]


def pixels_of(pixmap: QPixmap | None) -> Picture:
    """(h, w, 3) of what a widget holds."""
    assert pixmap is not None
    image = pixmap.toImage().convertToFormat(QImage.Format.Format_RGB888)
    bits = image.constBits()
    assert bits is not None
    rows = np.frombuffer(bits.asarray(image.sizeInBytes()), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


@pytest.fixture
def source() -> ExampleSource:
    """A session in full run."""
    return ExampleSource(example_snapshot(), example_chunk())


@pytest.fixture
def open_window(qtbot: QtBot) -> OpenWindow:
    """Opens the window on a source; it is closed at the end."""

    def build(source: ExampleSource) -> MainWindow:
        window = MainWindow(source, "bci_live")
        qtbot.addWidget(window)
        window.resize(1280, 800)  # the screen that there is not has 800 × 800, for which it would open smaller
        window.show()
        return window

    return build
