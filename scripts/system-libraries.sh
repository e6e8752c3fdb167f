#!/bin/sh
# Qt's system libraries on Debian-like systems: installs what is missing when run as root,
# otherwise prints the exact line to run and stops. Other systems carry what the PyQt6 wheels need.
set -eu

command -v dpkg-query >/dev/null 2>&1 || exit 0

# Package and the library it brings: asked for by library, because releases rename packages (libglib2.0-0t64).
wanted="libegl1:libEGL.so.1 libgl1:libGL.so.1 libdbus-1-3:libdbus-1.so.3 libfontconfig1:libfontconfig.so.1 \
libglib2.0-0:libglib-2.0.so.0 libxkbcommon-x11-0:libxkbcommon-x11.so.0 libxcb-cursor0:libxcb-cursor.so.0 \
libxcb-icccm4:libxcb-icccm.so.4 libxcb-keysyms1:libxcb-keysyms.so.1 libxcb-shape0:libxcb-shape.so.0"
there=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p)
missing=""
for pair in $wanted; do
    case "$there" in
        *"${pair#*:} "*) ;;
        *) missing="$missing ${pair%%:*}" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "The window needs these system libraries. Install them, then run make again:"
    echo "    sudo apt-get install -y$missing"
    exit 1
fi
echo "Installing the window's system libraries:$missing"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
