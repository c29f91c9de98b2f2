#!/bin/bash
# bases.sh DIR: makes stand-ins for the images that the Dockerfiles begin with, under their
# own names, from Debian's packages and the Go of this machine, for an engine that can
# fetch none. DIR keeps the Debian as debian.tar.
#
# What this machine needs to reach the network goes into the stand-ins alone: its extra
# certificates, and GOPROXY and GOSUMDB as go env has them.
set -euo pipefail
D=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d "$D/bases.XXXXXX")
trap 'rm -rf "$work"' EXIT

# As Docker's official image: no documentation, no translations, no waiting for the disk.
[ -s "$D/debian.tar" ] || mmdebstrap --quiet --variant=minbase \
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
	--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
	--dpkgopt='force-unsafe-io' trixie "$D/debian.tar" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
mkdir "$work/root"
tar -C "$work/root" -xpf "$D/debian.tar" --numeric-owner
mkdir -p "$work/root/usr/local/share/ca-certificates"
cp /usr/local/share/ca-certificates/*.crt "$work/root/usr/local/share/ca-certificates/" 2>/dev/null || true
tar -C "$work/root" -c . | docker import --change 'CMD ["bash"]' - debian:trixie-slim >/dev/null

cat >"$work/Dockerfile" <<DOCKERFILE
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git && rm -rf /var/lib/apt/lists/*
COPY . /usr/local/go
ENV GOPATH=/go GOTOOLCHAIN=local GOPROXY=$(go env GOPROXY) GOSUMDB=$(go env GOSUMDB)
ENV PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /go
DOCKERFILE
DOCKER_BUILDKIT=1 docker build --quiet --network host -f "$work/Dockerfile" -t golang:1.26-trixie "$(go env GOROOT)" >/dev/null
