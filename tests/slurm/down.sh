#!/bin/bash
# down.sh DIR: ends the cluster of up.sh, whatever is left of it. DIR stays.
D=$(cd "$1" && pwd) || exit 0
export SLURM_CONF="$D/etc/slurm.conf"
[ "$(id -u)" = 0 ] || timeout 5 scancel --user="$(id -un)" >/dev/null 2>&1 # as root jobs end with their node
if ls "$D"/run/*.ns >/dev/null 2>&1; then
	nodes=("$D"/run/*.ns) # a node's own file has the process as it is named in the namespace, 1
else
	nodes=("$D"/run/slurmd-*.pid)
fi
for file in "${nodes[@]}" "$D/run/slurmctld.pid" "$D/run/munged.pid"; do
	pid=$(cat "$file" 2>/dev/null) || continue
	[ "${pid:-0}" -gt 1 ] && [ -r "/proc/$pid/environ" ] || continue
	# Process numbers are used again: only what was started for this folder is ended.
	tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qxF "SLURM_CONF=$D/etc/slurm.conf" ||
		tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$D/" || continue
	kill -9 "$pid" 2>/dev/null
done
sleep 0.2
exit 0
