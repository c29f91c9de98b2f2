#!/bin/sh
# Compiles the kernels to chest.ptx with Debian's clang-19: no toolkit, no GPU.
# Writes chest.sum: what the PTX was made from. Without clang-19 nothing is done.
set -eu
cd "$(dirname "$0")"
flags="-x cuda --cuda-device-only --cuda-gpu-arch=sm_80 -nocudainc -nocudalib --cuda-feature=+ptx70 -O3 -ffp-contract=off -S"
if ! command -v clang-19 >/dev/null 2>&1; then
	echo "kernels: SKIPPED: no clang-19 to compile them with (apt-get install clang-19)" >&2
	exit 0
fi
out=${1:-.}
# shellcheck disable=SC2086
clang-19 $flags -o "$out/chest.ptx" chest.cu
if grep -q '\.extern' "$out/chest.ptx"; then
	echo "kernels: the PTX needs functions from elsewhere:" >&2
	grep '\.extern' "$out/chest.ptx" >&2
	exit 1
fi
{
	echo "flags $flags"
	echo "compiler $(clang-19 --version | head -n 1)"
	sha256sum *.h *.cu
	(cd "$out" && sha256sum chest.ptx)
} >"$out/chest.sum"
