"""What stands in the window while the models load: one line of progress, or that nothing came of it."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from bci_live.window import theme


class StartPage(QWidget):
    """Title, progress line, a bar that moves as long as something happens."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = theme.named_label("large", title)
        self.line = theme.named_label("muted", "Starting …")
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(320)
        column = QVBoxLayout(self)
        column.setSpacing(14)
        column.addStretch(1)
        for widget in (self.title, self.line, self.bar):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)

    def show_progress(self, text: str, failed: bool) -> None:
        """`text`: what is being done. `failed`: nothing goes on; the error bar says why."""
        self.line.setText("It could not start." if failed else text or "Starting …")
        self.bar.setVisible(not failed)
