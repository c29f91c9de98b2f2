#!/bin/bash
# up.sh DIR [NODES] [CPUS]: starts a private, real Slurm for the tests: several nodes on
# this host, on 127.0.0.1, with all of its state under DIR and no service manager. A
# client needs SLURM_CONF=DIR/etc/slurm.conf and nothing else.
#
# As root each node is in a PID namespace of its own, so that killing the process in
# DIR/run/NODE.ns is the death of a node with all that runs on it. An ordinary user
# gets the same cluster without that.
#
# down.sh DIR ends it. With WATCH=PID it also ends when that process has.
set -euo pipefail
D=$(mkdir -p "$1" && cd "$1" && pwd)
nodes=${2:-2}
cpus=${3:-4}
host=$(hostname -s)
me=$(id -un)
version=$(slurmd -V | grep -oE '[0-9]+' | head -n 1)
if ! getent hosts "$host" >/dev/null; then
	echo "slurm: this host's own name, $host, does not resolve; add '127.0.0.1 $host' to the hosts file" >&2
	exit 1
fi

free_port() { shuf -i 20000-32000 -n 1; } # below those that the system gives out

mkdir -p "$D"/{etc,run,log,state,spool}
chmod 755 "$D" "$D/etc" "$D/run"
chmod 700 "$D/log" # munged wants its own
head -c 1024 /dev/urandom >"$D/etc/munge.key"
chmod 400 "$D/etc/munge.key"
munged --key-file="$D/etc/munge.key" --socket="$D/run/munge.sock" --pid-file="$D/run/munged.pid" \
	--log-file="$D/log/munged.log" --seed-file="$D/run/munge.seed" --force 2>"$D/log/munged.start"

# cred_expire shortens how long a job that was requeued must wait; config_overrides
# lets a node have more processors than this host.
cat >"$D/etc/slurm.conf" <<CONF
ClusterName=chest
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$D/run/munge.sock,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
ReturnToService=2
JobRequeue=1
MpiDefault=none
SwitchType=switch/none
SlurmctldPidFile=$D/run/slurmctld.pid
SlurmdPidFile=$D/run/slurmd-%n.pid
SlurmctldLogFile=$D/log/slurmctld.log
SlurmdLogFile=$D/log/slurmd-%n.log
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool/%n
SlurmctldTimeout=10
SlurmdTimeout=${SLURMD_TIMEOUT:-10}
KillWait=5
MinJobAge=${MIN_JOB_AGE:-300}
MaxArraySize=${MAX_ARRAY_SIZE:-1001}
CONF
for i in $(seq "$nodes"); do
	mkdir -p "$D/spool/n$i"
	echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((33000 + RANDOM % 3000 + i * 3000)) CPUs=$cpus CoresPerSocket=$cpus RealMemory=1000 State=UNKNOWN" >>"$D/etc/slurm.conf"
done
echo "PartitionName=main Nodes=n[1-$nodes] Default=YES LLN=YES MaxTime=INFINITE State=UP" >>"$D/etc/slurm.conf"
[ "$version" -ge 23 ] && cgroup=disabled || cgroup=autodetect
echo "CgroupPlugin=$cgroup" >"$D/etc/cgroup.conf"

export SLURM_CONF="$D/etc/slurm.conf"
if [ -n "${WATCH:-}" ]; then
	setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; exec bash "$2/down.sh" "$3"' _ \
		"$WATCH" "$(cd "$(dirname "$0")" && pwd)" "$D" >/dev/null 2>&1 </dev/null &
fi
for _ in $(seq 50); do
	[ -S "$D/run/munge.sock" ] && break
	sleep 0.1
done
slurmctld
for i in $(seq "$nodes"); do bash "$(dirname "$0")/node.sh" "$D" "n$i"; done
for _ in $(seq 150); do
	[ "$(sinfo -h -o '%T %D' 2>/dev/null)" = "idle $nodes" ] && exit 0
	sleep 0.1
done
echo "slurm: not all nodes are idle:" >&2
sinfo -N >&2 || true
tail -n 5 "$D"/log/slurm*.log >&2
exit 1
