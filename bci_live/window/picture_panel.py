"""One picture, large, with a heading above and a caption below."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QSizePolicy, QWidget

from bci_live.types import FloatArray, Picture
from bci_live.window import theme


def to_pixmap(picture: Picture) -> QPixmap:
    """(h, w, 3) uint8 → a pixmap with a copy of it."""
    height, width, _ = picture.shape
    # The image only borrows the bytes; the pixmap copies them before they can go.
    pixels = np.ascontiguousarray(picture).tobytes()
    return QPixmap.fromImage(QImage(pixels, width, height, 3 * width, QImage.Format.Format_RGB888))


def to_picture(saliency: FloatArray) -> Picture:
    """(h, w, 3) in 0…1 → uint8, rounded to the nearest level."""
    return (np.clip(np.nan_to_num(saliency), 0, 1) * 255 + 0.5).astype(np.uint8)


class PictureView(QWidget):
    """Draws one picture smoothly scaled into the largest square, or a line of text while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pixmap: QPixmap | None = None
        self.placeholder = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(24, 24)

    def sizeHint(self) -> QSize:
        return QSize(256, 256)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        side = min(self.width(), self.height())
        square = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        frame = QPainterPath()
        frame.addRoundedRect(square, 6, 6)
        painter.setClipPath(frame)
        if self.pixmap is None:
            painter.fillRect(square, QColor(theme.now.background))
            painter.setPen(QColor(theme.now.muted))
            inner = square.adjusted(12, 12, -12, -12)
            painter.drawText(inner, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.placeholder)
        else:
            # Scaling on the way to the screen, at its own resolution, keeps the picture itself as it came.
            painter.drawPixmap(square, self.pixmap, QRectF(self.pixmap.rect()))


class PicturePanel(theme.Panel):
    """A picture with its heading, a caption, and a note that stands there always."""

    def __init__(self, heading: str, placeholder: str, note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(heading, parent)
        self._named = heading
        self.view = PictureView()
        self.view.placeholder = placeholder
        self.caption = theme.ShortLabel("muted")
        self.note = theme.named_label("note", note)
        # A long caption is cut; the note, which must be read, is wrapped.
        self.note.setWordWrap(True)
        self.note.setVisible(bool(note))
        self.body.setSpacing(3)
        self.body.addWidget(self.view, 1)
        self.body.addWidget(self.caption)
        self.body.addWidget(self.note)

    @property
    def pixmap(self) -> QPixmap | None:
        """What is shown, in the size it came in; None while the placeholder stands there."""
        return self.view.pixmap

    def show_heading(self, more: str) -> None:
        """The heading, and `more` that is to be said in it."""
        self.heading.setText(f"{self._named} {more}" if more else self._named)

    def show_picture(self, picture: Picture, caption: str) -> None:
        """Show (h, w, 3) uint8 with `caption` below."""
        self.view.pixmap = to_pixmap(picture)
        self.caption.setText(caption)
        self.view.update()

    def clear(self, placeholder: str, caption: str = "") -> None:
        """Show a line of text instead of a picture."""
        self.view.pixmap = None
        self.view.placeholder = placeholder
        self.caption.setText(caption)
        self.view.update()


if __name__ == "__main__":
    from bci_live.live.snapshot import LiveSnapshot
    from bci_live.window.example import example_stimulus, show_alone

    def _example(_: LiveSnapshot) -> PicturePanel:
        panel = PicturePanel("What was shown", "")
        panel.show_picture(example_stimulus("dog"), "dog")
        return panel

    raise SystemExit(show_alone(_example))
