#!/bin/bash
# fresh.sh DIR COMMAND...: runs a command on a machine on which nothing was ever done: a
# pristine Debian 13 under DIR with git and make, in namespaces of its own, with the Go of
# this machine read-only at /usr/local/go. The first call makes the machine, later ones
# find it as it was left; remove DIR afterwards.
#
#   AS=new        who runs it: new, an ordinary user (default), root, or whom a command made
#   SRC=DIR       a bare repository, seen as /srv/src.git
#   ALSO=FILE     a program, seen as /usr/local/bin/NAME
#   NETWORK=none  without network
#
# What this machine needs to reach the network goes along: its extra certificates, GOPROXY
# and GOSUMDB as go env has them. Needs root and mmdebstrap.
set -euo pipefail
D=$1
shift
new=0
if [ ! -d "$D/machine" ]; then
	new=1
	mkdir -p "$D"
	[ -s "$D/debian.tar" ] || mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io \
		--include="ca-certificates,git,make${INCLUDE:+,$INCLUDE}" trixie "$D/debian.tar" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
	mkdir "$D/machine"
	tar -C "$D/machine" -xpf "$D/debian.tar" --numeric-owner
fi
cd "$D/machine"
if [ $new = 1 ]; then
	cp /usr/local/share/ca-certificates/*.crt usr/local/share/ca-certificates/ 2>/dev/null &&
		chroot . update-ca-certificates >/dev/null 2>&1
	printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d # no service starts by itself
	chmod 755 usr/sbin/policy-rc.d
	mkdir -p usr/local/go srv/src.git
	echo "127.0.0.1 localhost fresh" >etc/hosts
	chroot . useradd --create-home --shell /bin/bash --uid 1001 new
fi
cp /etc/resolv.conf etc/resolv.conf
GOROOT=$(go env GOROOT) GOPROXY=$(go env GOPROXY) GOSUMDB=$(go env GOSUMDB)
export GOROOT GOPROXY GOSUMDB SRC="${SRC:-}" ALSO="${ALSO:-}" AS="${AS:-new}" NETWORK="${NETWORK:-}"
apart=(--mount --pid --fork --kill-child --uts)
[ "$NETWORK" != none ] || apart+=(--net)
exec unshare "${apart[@]}" bash -c '
	set -e
	hostname fresh
	[ "$NETWORK" != none ] || ip link set lo up
	mount --bind . . && cd "$PWD" # so that / is a mount inside
	mount -t proc proc proc
	mount -t sysfs -o ro sysfs sys
	mount --rbind /dev dev
	lend() { mount --bind "$1" "$2" && mount -o remount,bind,ro "$2"; }
	lend "$GOROOT" usr/local/go
	[ -z "$SRC" ] || lend "$SRC" srv/src.git
	[ -z "$ALSO" ] || { touch "usr/local/bin/${ALSO##*/}" && lend "$ALSO" "usr/local/bin/${ALSO##*/}"; }
	home=$(chroot . getent passwd "$AS" | cut -d: -f6)
	exec chroot . setpriv --reuid="$AS" --regid="$AS" --init-groups \
		env -i --chdir="$home" HOME="$home" USER="$AS" TERM=dumb LANG=C.UTF-8 \
		PATH="$home/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
		GOPROXY="$GOPROXY" GOSUMDB="$GOSUMDB" GOTOOLCHAIN=local GOPRIVATE=github.com/chestlab/chest "$@"
' _ "$@"
