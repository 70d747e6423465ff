#!/usr/bin/env bash
# The packages a bare Debian or Ubuntu lacks: Python with venv, and what Qt, OpenGL and a screen
# nobody sees (Xvfb) need. As root it installs the missing ones; otherwise it names them.
# Usage: tools/system.sh [PYTHON]
set -euo pipefail
command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0

wanted=(
  xvfb xauth libdbus-1-3 libegl1 libfontconfig1 libgl1 libgl1-mesa-dri libglib2.0-0
  libgssapi-krb5-2 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0
  libxcb-render-util0 libxcb-shape0 libxcb-xfixes0 libxcb-xkb1 libxkbcommon-x11-0
)
if [ -z "${1:-}" ]; then
  wanted+=(python3 python3-venv)
elif ! "$1" -c 'import ensurepip' 2>/dev/null; then
  wanted+=("$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')")
fi

# Newer releases add t64 to some names.
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sed 's/t64$//')
missing=()
for name in "${wanted[@]}"; do
  grep -qxF "$name" <<<"$installed" || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "setup: not root, so these stay missing; windows and tests need them:" >&2
  echo "  sudo apt-get install ${missing[*]}" >&2
  exit 0
fi
echo "setup: installing ${missing[*]}"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
