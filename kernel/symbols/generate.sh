#!/bin/sh
# Writes one file of yaegi symbols for each package that cells may import: those of packages.txt.
# Run by: go generate ./kernel/symbols
#
# The files are made in a folder beside the old ones, which stay as they are
# when anything fails.
set -eu
cd "$(dirname "$0")"
new=$(mktemp -d .generate.XXXXXX) # in the module, where the go command finds the packages; it skips names with a dot
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM
(
	cd "$new"
	# shellcheck disable=SC2046 # one argument for each package
	go tool yaegi extract -name symbols $(cat ../packages.txt)
	gofmt -w .
)
rm -f github_com-*.go golang_org-*.go gonum_org-*.go gorgonia_org-*.go
mv "$new"/*.go .
