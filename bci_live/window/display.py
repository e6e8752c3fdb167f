"""Whether Qt can open a window here. Qt itself aborts the program when it cannot, so this is asked first."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from bci_live.errors import BciError

_LIBRARIES = (
    "libegl1 libgl1 libdbus-1-3 libfontconfig1 libglib2.0-0 libxkbcommon-x11-0 "
    "libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
)


class WindowError(BciError):
    """No window can be opened."""


def check_display() -> None:
    """On Linux: a display is named, Qt's system libraries are there, and the X server answers.

    Raises
    ------
    WindowError
        If Qt would abort.
    """
    if not sys.platform.startswith("linux"):
        return
    _load_qt()
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform and not platform.startswith("xcb"):
        return
    if os.environ.get("WAYLAND_DISPLAY") and not platform:
        return
    display = os.environ.get("DISPLAY")
    if not display:
        raise WindowError(
            "There is no display (DISPLAY and WAYLAND_DISPLAY are not set), so no window can open. "
            "Start this on a desktop, or add --headless."
        )
    _check_x_server(display)


def _load_qt() -> None:
    try:
        from PyQt6 import QtCore, QtWidgets  # noqa: F401
    except ImportError as error:
        raise WindowError(_missing(error)) from error
    plugin = Path(QtCore.QLibraryInfo.path(QtCore.QLibraryInfo.LibraryPath.PluginsPath), "platforms", "libqxcb.so")
    if plugin.exists() and os.environ.get("DISPLAY"):
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            raise WindowError(_missing(error)) from error


def _check_x_server(display: str) -> None:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    broken = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if broken:
        raise WindowError(
            f"The display {display!r} (DISPLAY) does not answer, so no window can open. "
            "Correct DISPLAY, or add --headless."
        )


def _missing(error: Exception) -> str:
    return (
        f"Qt cannot start, a system library is missing ({error}). "
        f"On Debian-like systems: sudo apt-get install -y {_LIBRARIES}; or add --headless."
    )
