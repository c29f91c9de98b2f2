#!/bin/sh
# Writes one file of yaegi symbols for each package that cells may import.
# Run by: go generate ./kernel/symbols
#
# The files are made in a folder beside the old ones, which stay as they are
# when anything fails.
set -eu
cd "$(dirname "$0")"
new=$(mktemp -d .generate.XXXXXX) # in the module, where the go command finds the packages; it skips names with a dot
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM
chest=github.com/chestlab/chest
(
	cd "$new"
	go tool yaegi extract -name symbols \
		$chest/chestlib \
		$chest/chestlib/hyphc \
		$chest/chestlib/loss \
		$chest/chestlib/metric \
		$chest/chestlib/model \
		$chest/chestlib/optim \
		$chest/chestlib/poincare \
		$chest/chestlib/reduce \
		$chest/chestlib/train \
		$chest/datasets \
		$chest/kernel/display \
		$chest/viz \
		github.com/go-echarts/go-echarts/v2/charts \
		github.com/go-echarts/go-echarts/v2/components \
		github.com/go-echarts/go-echarts/v2/opts \
		github.com/go-echarts/go-echarts/v2/types \
		gonum.org/v1/gonum/floats \
		gonum.org/v1/gonum/mat \
		gonum.org/v1/gonum/stat
	gofmt -w .
)
rm -f github_com-*.go gonum_org-*.go
mv "$new"/*.go .
