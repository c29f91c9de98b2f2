#!/bin/bash
# node.sh DIR NAME: starts a node of the cluster of up.sh, also one that has died.
set -euo pipefail
D=$(cd "$1" && pwd)
export SLURM_CONF="$D/etc/slurm.conf"
if [ "$(id -u)" = 0 ]; then
	setsid unshare --pid --fork --mount-proc --kill-child=KILL slurmd -D -N "$2" >/dev/null 2>&1 </dev/null &
	echo $! >"$D/run/$2.ns"
else
	slurmd -N "$2"
fi
