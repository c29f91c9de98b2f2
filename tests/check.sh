#!/bin/sh
# Checks the source: formatting, vet, staticcheck, and that generated code is
# what its generator writes today.
set -eu
cd "$(dirname "$0")/.."

unformatted=$(gofmt -l cmd chestlib datasets internal kernel tests viz)
[ -z "$unformatted" ] || { echo "check: gofmt would change: $unformatted (run: make fmt)" >&2; exit 1; }

go vet ./...
go tool staticcheck ./...

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
cp kernel/symbols/*.go "$before"
go generate ./...
diff -r -q --exclude='*.sh' --exclude='*.conf' "$before" kernel/symbols || { echo "check: generated code was out of date and is written anew now: commit it" >&2; exit 1; }
echo "check: formatting, vet, staticcheck and generated code are fine"
