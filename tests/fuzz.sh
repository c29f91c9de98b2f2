#!/bin/sh
# Runs every fuzzer of the module for FUZZTIME each (30s, or a number of runs such
# as 100x), as many at a time as there are processors. FUZZDIR limits them to one
# folder: ./datasets.
#
# Fuzzers are found in the text of the tests; one that the go command does not
# run, by a build tag or in a module of its own, is an error.
set -eu
cd "$(dirname "$0")/.."
export FUZZTIME="${FUZZTIME:-30s}"
found=$(grep -rl --include='*_test.go' '^func Fuzz' "${FUZZDIR:-.}" | xargs -r -n 1 dirname | sort -u)
[ -n "$found" ] || { echo "fuzz: no fuzzer in ${FUZZDIR:-.}" >&2; exit 1; }
all=$(mktemp)
trap 'rm -f "$all"' EXIT
for dir in $found; do
	written=$(cat "$dir"/*_test.go | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' | sort)
	listed=$(go test -list '^Fuzz' "$dir" | grep '^Fuzz' | sort) || listed=
	[ "$written" = "$listed" ] || { echo "fuzz: $dir has the fuzzers" $written "but go test runs" $listed >&2; exit 1; }
	for name in $listed; do
		echo "$dir $name" >>"$all"
	done
done
# What a fuzzer prints is kept together, and only its last line if it found nothing.
# The go command sometimes calls the end of the time itself a failure, "context
# deadline exceeded": that is one only with an input, which it would have written.
xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 2 sh -c '
	out=$(go test -run "^\$" -fuzz "^$2\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 1x -parallel 1 "$1" 2>&1) || {
		echo "$out" | grep -q "context deadline exceeded" && ! echo "$out" | grep -qE "Failing input|panic|testdata" ||
			{ echo "fuzz: $1 $2 FAILED"; echo "$out"; exit 255; }
	}
	echo "fuzz: $1 $2: $(echo "$out" | grep "^fuzz: elapsed" | tail -n 1 | cut -d " " -f 3-)"
' fuzz <"$all"
echo "fuzz: $(wc -l <"$all") fuzzers found nothing in $FUZZTIME each"
