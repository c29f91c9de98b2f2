#!/bin/sh
# Builds what runs on a machine with a GPU into a directory, for copying there:
# sh tests/gpu/build.sh DIR; there: sh DIR/run.sh.
set -eu
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/../.."
export CGO_ENABLED=0 GOOS=linux GOARCH=amd64
go build -trimpath -ldflags '-s -w' -o "$out/gpu" ./tests/gpu
go test -c -trimpath -ldflags '-s -w' -o "$out/cuda.test" ./chestlib/engine/cuda
cp tests/gpu/run.sh tests/gpu/step.py chestlib/engine/cuda/kernels/chest.ptx "$out"
