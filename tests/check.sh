#!/bin/sh
# Checks the source: formatting, vet, staticcheck, and that generated code is
# what its generator writes today.
set -eu
cd "$(dirname "$0")/.."

# The generators of assembly are a module of their own.
unformatted=$(gofmt -l cmd chestlib datasets internal kernel tests viz)
[ -z "$unformatted" ] || { echo "check: gofmt would change: $unformatted (run: make fmt)" >&2; exit 1; }

go vet ./...
go tool staticcheck ./...
(cd internal/asm && go vet ./...)
for platform in linux/arm64 darwin/arm64 windows/amd64; do # make release builds these, too
	CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} go vet ./... || { echo "check: go vet fails on $platform" >&2; exit 1; }
done

# Generated code is what its generator writes today. The type data describe the
# standard library: they are compared under the Go version that made them.
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
mkdir "$before/symbols" "$before/typedata" "$before/sgemm" "$before/vmath"
cp internal/sgemm/kernel_amd64.* "$before/sgemm"
cp internal/vmath/kernels_amd64.* "$before/vmath"
cp kernel/symbols/*.go "$before/symbols"
cp kernel/typedata/typedata.bin "$before/typedata"
cp docs/commands.md "$before"
made=$(head -n 1 kernel/typedata/typedata.bin)
go generate ./...
stale() { echo "check: generated code was out of date and is written anew now: commit it" >&2; exit 1; }
diff -r -q --exclude='*.sh' --exclude='*.conf' --exclude='*.txt' "$before/symbols" kernel/symbols || stale
for f in sgemm/kernel_amd64.s sgemm/kernel_amd64.go vmath/kernels_amd64.s vmath/kernels_amd64.go; do
	cmp "$before/$f" "internal/$f" || stale
done
cmp "$before/commands.md" docs/commands.md || stale
if [ "$made" = "$(go env GOVERSION)" ]; then
	cmp "$before/typedata/typedata.bin" kernel/typedata/typedata.bin || stale
else
	echo "check: SKIPPED: the type data are of $made, this is $(go env GOVERSION)" >&2
	cp "$before/typedata/typedata.bin" kernel/typedata/typedata.bin
fi
echo "check: formatting, vet, staticcheck and generated code are fine"
