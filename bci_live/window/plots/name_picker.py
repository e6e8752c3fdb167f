"""A list to pick a name from, whose names come and go while the choice stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt6.QtWidgets import QComboBox, QWidget

from bci_live.window import theme

_SHORTEST = 8  # letters; longer names are cut, so that none widens the dock


class NamePicker(QComboBox):
    """`first`: what stands above the names and is none of them; without it, the first name is picked at first.

    `wanted`: what the user picked, empty for `first`. It is kept while no such name is there, and picked again when it is.
    """

    def __init__(self, tip: str, first: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wanted = ""
        self._first = first
        self._entries: list[tuple[str, str]] = []
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_SHORTEST)
        theme.leave_keys(self)
        theme.leave_wheel(self)
        # The second also where what is picked stands there already, in place of a name that is gone.
        self.currentIndexChanged.connect(self._want)
        self.activated.connect(self._want)
        self.show_names(())

    @property
    def name(self) -> str:
        """What is picked of the names there are; empty for `first`."""
        return str(self.currentData() or "")

    def show_names(self, names: Sequence[str], texts: Mapping[str, str] | None = None) -> None:
        """These are the names now. `texts`: how they are written, where it is not as they are."""
        entries = [(self._first, "")] if self._first else []
        entries += [((texts or {}).get(name, name), name) for name in names]
        view = self.view()
        # Whose list is open is about to choose of it: nothing moves below the pointer.
        if entries == self._entries or (view is not None and view.isVisible()):
            return
        self._entries = entries
        blocked = self.blockSignals(True)
        self.clear()
        for text, name in entries:
            self.addItem(text, name)
        self.setCurrentIndex(max(0, self.findData(self.wanted)) if entries else -1)
        self.blockSignals(blocked)

    def _want(self, _: int) -> None:
        self.wanted = self.name
