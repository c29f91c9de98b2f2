#!/bin/bash
# up.sh DIR: starts a private Docker engine for the tests, of Debian's package docker.io: no
# service manager, no bridge, no rules of a firewall, all of its state under DIR. A client
# needs DOCKER_HOST=unix://DIR/docker.sock; builds and containers need --network host or
# none. Needs root.
#
# down.sh DIR ends it. With WATCH=PID it also ends when that process has.
set -euo pipefail
D=$(mkdir -p "$1" && cd "$1" && pwd)
export DOCKER_HOST=unix://$D/docker.sock
setsid dockerd --data-root "$D/data" --exec-root "$D/run" --host "$DOCKER_HOST" --pidfile "$D/pid" \
	--bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false >"$D/log" 2>&1 </dev/null &
if [ -n "${WATCH:-}" ]; then
	setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; exec bash "$2/down.sh" "$3"' _ \
		"$WATCH" "$(cd "$(dirname "$0")" && pwd)" "$D" >/dev/null 2>&1 </dev/null &
fi
for _ in $(seq 100); do
	docker version >/dev/null 2>&1 && exit 0
	sleep 0.1
done
echo "docker: the engine does not come up:" >&2
tail -n 5 "$D/log" >&2
exit 1
