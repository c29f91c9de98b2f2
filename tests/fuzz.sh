#!/bin/sh
# Runs every fuzzer of the module, one after the other, for FUZZTIME each (30s, or
# a number of runs such as 100x). FUZZDIR limits them to one folder: ./datasets.
#
# Fuzzers are found in the text of the tests; one that the go command does not
# run, by a build tag or in a module of its own, is an error.
set -eu
cd "$(dirname "$0")/.."
time=${FUZZTIME:-30s}
found=$(grep -rl --include='*_test.go' '^func Fuzz' "${FUZZDIR:-.}" | xargs -r -n 1 dirname | sort -u)
[ -n "$found" ] || { echo "fuzz: no fuzzer in ${FUZZDIR:-.}" >&2; exit 1; }
count=0
for dir in $found; do
	written=$(cat "$dir"/*_test.go | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' | sort)
	listed=$(go test -list '^Fuzz' "$dir" | grep '^Fuzz' | sort) || listed=
	[ "$written" = "$listed" ] || { echo "fuzz: $dir has the fuzzers" $written "but go test runs" $listed >&2; exit 1; }
	for name in $listed; do
		echo "fuzz: $dir $name"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 1x "$dir"
		count=$((count + 1))
	done
done
echo "fuzz: $count fuzzers found nothing in $time each"
