#!/bin/sh
# Installs what chest is measured against: PyTorch and OpenBLAS of Debian. Does
# nothing where they are there already.
set -eu
missing=""
/usr/bin/python3 -c "import torch" 2>/dev/null || missing="$missing python3-torch"
ldconfig -p | grep -q libopenblas.so.0 || missing="$missing libopenblas0-pthread"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
	echo "bench: not installed:$missing; what needs them is left out" >&2
	exit 0
fi
echo "bench: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends $missing >/dev/null
