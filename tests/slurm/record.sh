#!/bin/bash
# record.sh DIR: what Slurm's commands print on a private cluster, section by section.
# It made the files in chestlib/sweep/slurm/testdata, on Debian 12 and 13.
cd "$(dirname "$0")" && bash up.sh "$1" 2 4 || exit 1
export SLURM_CONF=$1/etc/slurm.conf
echo "== version"; slurmd -V
echo "== sbatch"; sbatch --parsable --job-name=chest-x-0 --array=0-3%2 -o /dev/null --wrap 'sleep 1; exit $((SLURM_ARRAY_TASK_ID * 7))'
sleep 0.7; echo "== squeue"; squeue -h -r -t all -j 1 -o '%F|%K|%T|%r|%N|%j'
sleep 3.5; echo "== later"; squeue -h -r -t all -j 1 -o '%F|%K|%T|%r|%N|%j'
echo "== plain"; sbatch --parsable --job-name=chest-y-0 -o /dev/null --wrap 'sleep 30'; sbatch --parsable --job-name=chest-y-1 --array=0-1 --hold -o /dev/null --wrap 'sleep 30'; sleep 0.5; squeue -h -r -t all -n chest-y-0,chest-y-1 -o '%F|%K|%T|%r|%N|%j'
scancel --name=chest-y-0; scancel --name=chest-y-1; sleep 1 ; echo "== cancelled";  squeue -h -r -t all -n chest-y-0,chest-y-1 -o '%F|%K|%T|%r|%N|%j'
echo "== unknown"; squeue -h -r -t all -j 99 -o '%F'; echo "exit $?"
echo "== sacct"; sacct -n -P -X -j 1 -o JobID,State,ExitCode,JobName; echo "exit $?"
echo "== refused"; sbatch --parsable --partition=no --wrap true; echo "exit $?"
sbatch --parsable --account=no --time=bad --wrap true ; echo "exit $?"; sbatch --array=0-5000 --parsable --wrap true; echo "exit $?"; sbatch -N 9 --wrap true;  echo "exit $?"
echo "== config"; scontrol show config | grep -iE '^(Max|SLURM_VERSION|MinJobAge)'
kill -9 $(cat "$1"/run/slurmctld.pid); sleep 0.2
echo "== down"; export SLURM_TIMEOUT=2; timeout 20 squeue -h -j 1; echo "exit $?"; timeout 20 sbatch --parsable --wrap true; echo "exit $?"
bash down.sh "$1"
