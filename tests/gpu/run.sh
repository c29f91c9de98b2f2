#!/bin/sh
# Runs the checks and measurements on a machine with a GPU: see build.sh. With
# the argument sanitize it also looks for races and wild accesses, which is slow.
cd "$(dirname "$0")" || exit 1
failed=0
step() {
	echo "== $*"
	timeout 240 "$@" || { echo "== FAILED ($?): $*"; failed=1; }
}
PATH=$PATH:/usr/local/cuda/bin
nvidia-smi --query-gpu=name,driver_version,clocks.sm,memory.used --format=csv,noheader
if command -v ptxas >/dev/null; then
	echo "== ptxas: registers and spills"
	ptxas -arch=sm_90 -v chest.ptx -o /tmp/chest.cubin 2>&1 | grep -v '^$' | grep -E "Compiling|registers|spill|error|warning" |
		sed "s/ptxas info *: //" | awk '/Compiling/{name=$4} /spill/{spill=$0} /registers/{print name, $0, spill}'
fi
step ./gpu check
step ./gpu kernels
step env CHEST_GPU=1 ./cuda.test -test.v=false
step ./gpu step
step ./gpu fit
if python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
	step python3 step.py
	step ./gpu step # again: the machine may have changed its clocks
fi
if [ "${1:-}" = sanitize ] && command -v compute-sanitizer >/dev/null; then
	for tool in memcheck racecheck; do
		echo "== $tool"
		timeout 200 compute-sanitizer --tool $tool --error-exitcode 9 ./gpu check 2>&1 | tail -3
	done
	echo "== memcheck of the engine"
	CHEST_GPU=1 timeout 200 compute-sanitizer --tool memcheck ./cuda.test -test.run 'HeadTrainer|SameBits|Ranks|TF32' 2>&1 | tail -5
fi
[ $failed = 0 ] && echo "ALL PASSED"
exit $failed
