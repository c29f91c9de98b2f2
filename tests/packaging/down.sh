#!/bin/bash
# down.sh DIR: ends the engine of up.sh and all of its containers, and removes DIR.
D=$(cd "$1" 2>/dev/null && pwd) || exit 0
export DOCKER_HOST=unix://$D/docker.sock
timeout 30 docker ps -q 2>/dev/null | xargs -r timeout 30 docker kill >/dev/null 2>&1
pid=$(cat "$D/pid" 2>/dev/null)
if [ "${pid:-0}" -gt 1 ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$D/"; then
	kill "$pid"
	for _ in $(seq 100); do
		[ -d "/proc/$pid" ] || break
		sleep 0.1
	done
fi
for dir in $(awk -v d="$D/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r); do umount -l "$dir"; done
rm -rf --one-file-system "$D"
